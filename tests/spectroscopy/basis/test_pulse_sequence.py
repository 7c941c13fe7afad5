"""Shaped pulse: rotations are rotations, singlets stay what they are, and Osprey's basis is met."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.density_matrix import group_signal
from hepatica.spectroscopy.basis.lcmodel_basis import read_lcmodel_basis
from hepatica.spectroscopy.basis.ppm_reference import align_reference
from hepatica.spectroscopy.basis.pulse_sequence import Delay, Rotation, ShapedPulse, events, sinc_pulse
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.basis.spin_system import SpinGroup
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import to_spectrum

SINC = sinc_pulse()


def test_turns_are_rotations_and_the_carrier_is_turned_by_180_degrees():
    turns = SINC.turns(np.linspace(-2000, 2000, 41))
    np.testing.assert_allclose(turns @ turns.conj().swapaxes(1, 2), np.broadcast_to(np.eye(2), turns.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(turns), 1, atol=1e-12)
    np.testing.assert_allclose(turns[20], [[0, -1j], [-1j, 0]], atol=1e-12)  # exp(-i pi Ix)


def test_a_phase_of_90_degrees_turns_about_y():
    pulse = replace(SINC, phase_deg=(90.0,) * len(SINC.amplitude))
    np.testing.assert_allclose(pulse.turns(np.zeros(1))[0], [[0, -1], [1, 0]], atol=1e-12)  # exp(-i pi Iy)


def test_equivalent_protons_are_turned_as_so_many_explicit_ones():
    """A phase that runs over the pulse makes its slice lopsided, so that every direction counts."""
    pulse = replace(SINC, phase_deg=tuple(np.linspace(0, 200, len(SINC.amplitude))), positions=5)
    chain = events(Acquisition(), refocusing=pulse)
    composite = SpinGroup(shifts_ppm=(4.0974, 1.3142), nuclei=(1, 3), couplings=((0, 1, 6.933),))
    explicit = SpinGroup(
        shifts_ppm=(4.0974, 1.3142, 1.3142, 1.3142), nuclei=(1,) * 4, couplings=tuple((0, k, 6.933) for k in (1, 2, 3))
    )
    time = np.arange(50) / 2000
    one, other = (
        np.exp(2j * np.pi * np.outer(time, hz)) @ amplitude
        for hz, amplitude in (group_signal(each, f0_mhz=127.74, events=chain) for each in (composite, explicit))
    )
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_far_off_resonance_nothing_turns():
    """Nor does time pass: the precession during the pulse is taken out."""
    np.testing.assert_allclose(SINC.turns(np.array([20000.0]))[0], np.eye(2), atol=0.05)


def test_a_hard_pulse_is_as_wide_as_the_textbook_says():
    """A rectangle flips (w1 / we)^2 sin^2(we t / 2) of what is off resonance (Rabi)."""
    rectangle = ShapedPulse(amplitude=(1.0,) * 256, duration_ms=5.0)
    hz = np.linspace(-200, 200, 4001)
    field = 100.0  # Hz: half a turn in 5 ms
    effective = np.sqrt(field**2 + hz**2)
    share = (field / effective * np.sin(np.pi * effective * 0.005)) ** 2
    np.testing.assert_allclose(np.abs(rectangle.turns(hz)[:, 0, 1]) ** 2, share, atol=1e-9)
    assert rectangle.width_hz == pytest.approx((share >= 0.5).sum() * 0.1, rel=0.1)


def test_singlets_keep_phase_and_protons():
    basis = simulate_basis(Acquisition(), names=["Gly", "Ace", "Cr"], refocusing=SINC)
    np.testing.assert_allclose(basis.fids[:, 0], [2, 3, 6], rtol=0.03)
    assert np.abs(np.angle(basis.fids[:, 0])).max() < 1e-6


def test_the_middle_of_a_very_wide_slice_is_as_an_ideal_pulse():
    wide = replace(sinc_pulse(duration_ms=0.01), positions=1)
    names = ["Lac", "Glu", "Cho"]
    ideal, shaped = (simulate_basis(Acquisition(), names=names, refocusing=pulse) for pulse in (None, wide))
    np.testing.assert_allclose(shaped.fids, ideal.fids, atol=0.01)


def test_lactate_is_displaced_in_a_narrow_slice():
    ideal, shaped = (simulate_basis(Acquisition(), names=["Lac"], refocusing=pulse) for pulse in (None, SINC))
    assert cosines(ideal, shaped)[0] < 0.95


def cosines(one, other, *, own_hz=0.0):
    """Of components between 0.4 and 4.2 ppm, 4 Hz wide; `own_hz` is the width that `one` has already."""
    acquisition = one.acquisition
    window = (acquisition.ppm > 0.4) & (acquisition.ppm < 4.2)
    widths = zip((one, other), (4 - own_hz, 4.0), strict=True)
    a, b = (to_spectrum(each.fids * np.exp(-np.pi * hz * acquisition.time_s))[:, window] for each, hz in widths)
    return np.abs((a.conj() * b).sum(1)) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_coupled_metabolites_of_osprey_are_met_where_ideal_pulses_miss_them(real):
    """Osprey's Philips basis has real pulses that its file does not tell; a sinc and TE1 = 14 ms come near."""
    osprey = align_reference(read_lcmodel_basis(real / "osprey" / "3T_PRESS_Philips_35ms_noMM.BASIS"))
    names = ["Lac", "Glu", "Gln", "Tau", "Ins", "GPC"]
    osprey = osprey.select(names)
    ideal, shaped = (
        cosines(osprey, simulate_basis(osprey.acquisition, names=names, **message), own_hz=1.0)
        for message in ({}, {"te1_ms": 14.0, "refocusing": SINC})
    )
    assert ideal[0] < 0.93
    assert (shaped > [0.998, 0.997, 0.995, 0.999, 0.999, 0.999]).all()


@pytest.mark.parametrize(
    "message",
    [
        {"amplitude": (), "duration_ms": 1.0},
        {"amplitude": (1.0, -1.0), "duration_ms": 1.0},
        {"amplitude": (1.0,), "duration_ms": 0.0},
        {"amplitude": (1.0,), "duration_ms": 1.0, "phase_deg": (0.0, 0.0)},
        {"amplitude": (1.0,), "duration_ms": 1.0, "positions": 0},
    ],
)
def test_what_is_no_pulse_is_refused(message):
    with pytest.raises(SettingsError, match="wanted a phase for each amplitude"):
        ShapedPulse(**message)


def delays(chain):
    return [event.seconds for event in chain if isinstance(event, Delay)]


@pytest.mark.parametrize("sequence", ["press", "steam", "slaser", "spin_echo"])
def test_delays_add_up_to_the_echo_time(sequence):
    chain = events(Acquisition(sequence=sequence, te_ms=40, tm_ms=7))
    assert sum(delays(chain)) == pytest.approx(0.047 if sequence == "steam" else 0.040)


def test_press_has_its_two_echoes():
    """TE1 / 2, then TE1 / 2 + TE2 / 2, then TE2 / 2."""
    assert delays(events(Acquisition(te_ms=30), te1_ms=10)) == pytest.approx([0.005, 0.015, 0.010])
    assert delays(events(Acquisition(te_ms=30))) == pytest.approx([0.005, 0.015, 0.010])


def test_steam_without_a_mixing_time_has_ours():
    assert delays(events(Acquisition(sequence="steam", te_ms=20))) == pytest.approx([0.010, 0.010, 0.010])


def test_a_shaped_pulse_takes_the_place_of_every_refocusing_one():
    chain = events(Acquisition(), refocusing=sinc_pulse())
    assert sum(isinstance(event, ShapedPulse) for event in chain) == 2
    assert [event.degrees for event in chain if isinstance(event, Rotation)] == [90]


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ("press", {"te1_ms": 0}),
        ("press", {"te1_ms": 35}),
        ("steam", {"te1_ms": 10}),
        ("steam", {"refocusing": sinc_pulse()}),
        ("slaser", {"refocusing": sinc_pulse()}),
    ],
)
def test_what_does_not_fit_is_refused(sequence, message):
    with pytest.raises(SettingsError, match=r"echo time|refocusing"):
        events(Acquisition(sequence=sequence), **message)
