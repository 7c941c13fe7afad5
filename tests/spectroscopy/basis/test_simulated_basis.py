"""Transitions: the fast sum is the plain one, merging loses no signal, and one table serves every sampling."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.lcmodel_basis import read_lcmodel_basis
from hepatica.spectroscopy.basis.ppm_reference import align_reference
from hepatica.spectroscopy.basis.simulated_basis import BIN_HZ, Transitions, binned, joined, simulate_basis
from hepatica.spectroscopy.basis.spin_system import lipids, spin_systems
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import to_spectrum
from hepatica.spectroscopy.signal.targets import LIVER20

RNG = np.random.default_rng(0)
HZ, AMPLITUDE = RNG.uniform(-500, 200, 300), RNG.normal(size=300) + 1j * RNG.normal(size=300)
TABLE = Transitions(hz=HZ, amplitude=AMPLITUDE, gaussian_hz=np.where(HZ > 0, 12.0, 0.0))


@pytest.mark.parametrize("points", [1, 16, 17, 1000, 1024])
@pytest.mark.parametrize("reference", [4.65, 3.0])
def test_the_decay_is_the_sum_of_its_lines(points, reference):
    acquisition = Acquisition(points=points, bandwidth_hz=2500.0, f0_mhz=123.2, reference_ppm=reference)
    t = acquisition.time_s[:, None]
    hz = HZ + (4.65 - reference) * 123.2
    width = TABLE.gaussian_hz
    plain = (AMPLITUDE * np.exp(2j * np.pi * hz * t - (np.pi * width * t) ** 2 / (4 * np.log(2)))).sum(1)
    np.testing.assert_allclose(TABLE.fid(acquisition), plain, atol=1e-9)


def test_a_gaussian_line_has_the_width_it_is_noted():
    acquisition = Acquisition(points=8192, bandwidth_hz=1000.0)
    line = Transitions(hz=np.zeros(1), amplitude=np.ones(1, complex), gaussian_hz=np.array([15.0]))
    spectrum = np.fft.fftshift(np.fft.fft(line.fid(acquisition))).real
    base = spectrum[0]
    above = spectrum - base > (spectrum.max() - base) / 2
    assert above.sum() * 1000 / 8192 == pytest.approx(15, abs=0.25)


@given(st.lists(st.tuples(st.floats(-300, 300), st.floats(1e-9, 1)), min_size=1, max_size=50))
def test_merging_keeps_the_sum_and_moves_nothing_of_weight_by_more_than_half_a_bin(lines):
    hz, amplitude = (np.array(each) for each in zip(*lines, strict=True))
    merged = binned(hz, amplitude.astype(complex))
    assert merged.amplitude.sum() == pytest.approx(amplitude.sum())
    strong = amplitude >= 1e-5 * amplitude.sum()
    assert (np.abs(hz[strong][:, None] - merged.hz).min(1) <= BIN_HZ / 2 + 1e-9).all()
    assert len(set(merged.hz)) == len(merged.hz)


def test_weak_lines_are_dropped_into_their_nearest_neighbour():
    merged = binned(np.array([0.0, 10.0, 9.0, 4.0]), np.array([1.0, 2.0, 1e-7, 1e-9], complex))
    assert merged.hz.tolist() == pytest.approx([0, 10])
    assert merged.amplitude.real.tolist() == [1 + 1e-9, 2 + 1e-7]


def test_joined_tables_add_up():
    acquisition = Acquisition(points=64)
    twice = joined([TABLE, TABLE])
    np.testing.assert_allclose(twice.fid(acquisition), 2 * TABLE.fid(acquisition))


def test_more_points_begin_as_fewer_do():
    long, short = Acquisition(points=2048), Acquisition(points=512)
    np.testing.assert_allclose(TABLE.fid(long)[:512], TABLE.fid(short), atol=1e-9)
    half = replace(short, bandwidth_hz=1000.0, points=256)
    np.testing.assert_allclose(TABLE.fid(half), TABLE.fid(short)[::2], atol=1e-9)


SEQUENCES = ["press", "steam", "slaser", "spin_echo"]


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_the_first_sample_is_the_number_of_protons_at_an_echo_time_of_0(sequence):
    systems = spin_systems() | lipids()
    basis = simulate_basis(Acquisition(sequence=sequence, te_ms=1e-12, tm_ms=1e-12, points=4), names=list(systems))
    np.testing.assert_allclose(basis.fids[:, 0], [system.protons for system in systems.values()], atol=1e-9)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_singlet_turns_at_its_shift_with_phase_0_whatever_the_timing(sequence):
    acquisition = Acquisition(sequence=sequence, te_ms=144, tm_ms=33, points=256, reference_ppm=4.7, f0_mhz=123.0)
    basis = simulate_basis(acquisition, names=["Gly"])
    wanted = 2 * np.exp(2j * np.pi * (3.548 - 4.7) * 123.0 * acquisition.time_s)
    np.testing.assert_allclose(basis.fids[0], wanted, atol=0.01)  # binned at .01 Hz: .004 rad at its end
    assert abs(np.angle(basis.fids[0, 0])) < 1e-12


@pytest.mark.parametrize(("name", "ppm"), [("Gly", 3.548), ("Suc", 2.39), ("Lip13", 1.30), ("TMAO", 3.26)])
@pytest.mark.parametrize("reference", [4.65, 3.0])
def test_peaks_stand_at_their_shifts(name, ppm, reference):
    acquisition = Acquisition(points=4096, reference_ppm=reference)
    basis = simulate_basis(acquisition, names=[name])
    spectrum = to_spectrum(basis.fids[0] * np.exp(-np.pi * 3 * acquisition.time_s))
    assert acquisition.ppm[spectrum.real.argmax()] == pytest.approx(ppm, abs=0.005)


def test_the_twenty_come_in_their_order_and_any_sampling_is_one_table():
    acquisition = Acquisition()
    basis = simulate_basis(acquisition)
    assert basis.names == LIVER20
    longer = simulate_basis(replace(acquisition, points=2048, bandwidth_hz=4000.0))
    np.testing.assert_allclose(longer.fids[:, :2048:2], basis.fids, atol=1e-6)


def test_a_mixing_time_and_first_echo_change_coupled_spins_only():
    for one, other in (
        (Acquisition(sequence="steam", te_ms=20, tm_ms=5), Acquisition(sequence="steam", te_ms=20, tm_ms=50)),
    ):
        apart = np.abs(np.subtract(*(simulate_basis(each, names=["Glu", "Gly"]).fids for each in (one, other)))).max(1)
        assert apart[0] > 0.1
        assert apart[1] < 1e-9
    early, late = (simulate_basis(Acquisition(), names=["Glu", "Gly"], te1_ms=te1).fids for te1 in (8, 20))
    assert np.abs(early - late).max(1)[0] > 0.1


def test_unknown_names_are_told_with_the_known_ones():
    with pytest.raises(SettingsError, match=r"got component Xyz, Uvw; known are .*Lac"):
        simulate_basis(Acquisition(), names=["Lac", "Xyz", "Uvw"])


def cosines(published, names, **options):
    """Cosine of each component with ours between 0.4 and 4.2 ppm, the width of ours matched."""
    acquisition = published.acquisition
    ours = simulate_basis(acquisition, names=names, **options)
    window = (acquisition.ppm > 0.4) & (acquisition.ppm < 4.2)
    theirs = to_spectrum(published.fids)[:, window]
    found = []
    for hz in np.arange(0.25, 3.01, 0.25):
        own = to_spectrum(ours.fids * np.exp(-np.pi * hz * acquisition.time_s))[:, window]
        found.append((own.conj() * theirs).sum(1).real / np.linalg.norm(own, axis=1) / np.linalg.norm(theirs, axis=1))
    return dict(zip(names, np.max(found, axis=0), strict=True))


def test_lcmodels_test_basis_is_met(real):
    """3t.basis: ideal PRESS of 10 + 20 ms, made by spant from the same tables."""
    published = read_lcmodel_basis(real / "lcmodel" / "3t.basis", te_ms=30.0)
    names = ["Scyllo" if name == "sIns" else name for name in published.names]
    found = cosines(published, names, te1_ms=10.0)
    assert len(found) == 17
    assert min(found.values()) >= 0.995
    assert sum(value >= 0.9995 for value in found.values()) >= 13


def test_ospreys_singlets_are_met_and_the_coupled_ones_told(real):
    """Real pulses in Osprey's, ideal ones here: lactate at .90 is the displacement of chemical shifts."""
    published = align_reference(read_lcmodel_basis(real / "osprey" / "3T_PRESS_Philips_35ms_noMM.BASIS"))
    found = cosines(published, list(published.names))
    for name in ("Cr", "PCr", "Scyllo", "PCh", "NAA", "NAAG", "Tau", "Ins", "Asc"):
        assert found[name] >= 0.995, name
    assert found["Lac"] == pytest.approx(0.903, abs=0.01)
    assert found["Glu"] == pytest.approx(0.977, abs=0.01)
    assert found["Gln"] == pytest.approx(0.972, abs=0.01)
