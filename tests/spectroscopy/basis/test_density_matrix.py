"""Density matrix: analytic evolution of two spins, and a plain simulation with every proton explicit."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.density_matrix import group_signal
from hepatica.spectroscopy.basis.pulse_sequence import Delay, Keep, Rotation, events
from hepatica.spectroscopy.basis.spin_system import Heteronucleus, SpinGroup, spin_systems
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition

LONE = SpinGroup(shifts_ppm=(WATER_PPM,), nuclei=(1,))


def signal(group, acquisition, **options):
    """Hz and amplitudes in protons."""
    chain = events(acquisition, **options)
    hz, amplitude = group_signal(group, f0_mhz=acquisition.f0_mhz, events=chain)
    return hz, amplitude / group_signal(LONE, f0_mhz=acquisition.f0_mhz, events=chain)[1].sum()


def decay(group, acquisition, **options):
    hz, amplitude = signal(group, acquisition, **options)
    return np.exp(2j * np.pi * acquisition.time_s[:, None] * hz) @ amplitude


def pauli(spin, spins, matrix):
    return reduce(np.kron, [matrix if each == spin else np.eye(2) for each in range(spins)])


def brute_force(shifts, couplings, acquisition, chain):
    """Every proton a spin 1/2, matrices and exponentials as in the textbook, samples one by one."""
    spins = len(shifts)
    x, y, z = (
        np.array([pauli(spin, spins, 0.5 * np.array(m)) for spin in range(spins)])
        for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])
    )
    h = sum(2 * np.pi * (ppm - WATER_PPM) * acquisition.f0_mhz * z[i] for i, ppm in enumerate(shifts))
    for a, b, hz in couplings:
        h = h + 2 * np.pi * hz * (x[a] @ x[b] + y[a] @ y[b] + z[a] @ z[b])
    total = z.sum(0).diagonal().real
    order = np.rint(total[:, None] - total[None, :])
    rho = z.sum(0).astype(complex)
    for event in chain:
        match event:
            case Delay(seconds=seconds):
                u = expm(-1j * h * seconds)
                rho = u @ rho @ u.conj().T
            case Rotation(degrees=degrees, axis=axis):
                u = expm(-1j * np.radians(degrees) * (x if axis == "x" else y).sum(0))
                rho = u @ rho @ u.conj().T
            case Keep(order=kept):
                rho = np.where(order == kept, rho, 0)
    seen, step = (x + 1j * y).sum(0) / 2 ** (spins - 1), expm(-1j * h / acquisition.bandwidth_hz)
    samples = []
    for _ in range(acquisition.points):
        samples.append(np.trace(seen @ rho))
        rho = step @ rho @ step.conj().T
    return np.array(samples)


@settings(max_examples=30, deadline=None)
@given(j=st.floats(-16, 16), te=st.floats(1, 300), te1_share=st.floats(0.05, 0.95))
@pytest.mark.parametrize("sequence", ["press", "spin_echo"])
def test_a_weakly_coupled_pair_evolves_as_the_cosine_of_pi_j_te(sequence, j, te, te1_share):
    """AX, 8000 Hz apart: the in-phase part is cos(pi J TE), the antiphase part adds nothing to the first sample."""
    pair = SpinGroup(shifts_ppm=(1.0, 9.0), nuclei=(1, 1), couplings=((0, 1, j),))
    options = {"te1_ms": te * te1_share} if sequence == "press" else {}
    _, amplitude = signal(pair, Acquisition(f0_mhz=1000.0, sequence=sequence, te_ms=te), **options)
    assert amplitude.sum().real / 2 == pytest.approx(np.cos(np.pi * j * te / 1000), abs=5e-3)


@pytest.mark.parametrize("te", [20.0, 71.4, 142.8])
def test_the_lines_of_a_doublet_carry_opposite_phases(te):
    """AX in an echo: exp(-i pi J TE) and exp(+i pi J TE); at TE = 1 / J = 142.8 ms both point down."""
    pair = SpinGroup(shifts_ppm=(1.0, 9.0), nuclei=(1, 1), couplings=((0, 1, 7.0),))
    hz, amplitude = signal(pair, Acquisition(f0_mhz=125.0, te_ms=te))
    order = np.argsort(hz)
    turn = np.exp(1j * np.pi * 7.0 * te / 1000)
    np.testing.assert_allclose(amplitude[order], 0.5 * np.array([turn.conj(), turn] * 2), atol=0.01)


@pytest.mark.parametrize("sequence", ["press", "steam", "slaser", "spin_echo"])
@pytest.mark.parametrize("nuclei", [(1, 3), (2, 2), (1, 1)])
def test_equivalent_protons_are_as_so_many_explicit_ones(sequence, nuclei):
    """Strong coupling (20 Hz apart), ideal pulses: composite spins against one spin a proton."""
    acquisition = Acquisition(f0_mhz=100.0, bandwidth_hz=500.0, points=40, sequence=sequence, te_ms=47, tm_ms=13)
    group = SpinGroup(shifts_ppm=(4.0, 4.2), nuclei=nuclei, couplings=((0, 1, 9.0),))
    shifts = [4.0] * nuclei[0] + [4.2] * nuclei[1]
    pairs = [(a, b, 9.0) for a in range(nuclei[0]) for b in range(nuclei[0], sum(nuclei))]
    plain = brute_force(shifts, pairs, acquisition, events(acquisition))
    lone = brute_force([WATER_PPM], [], acquisition, events(acquisition))[0]
    np.testing.assert_allclose(decay(group, acquisition), plain / lone, atol=1e-9)


def test_a_coupling_within_equivalent_protons_is_never_seen():
    """The premise of leaving such couplings out of the data file: FID-A's alanine has -14.366 Hz in its methyl."""
    acquisition = Acquisition(points=20, te_ms=40)
    ala = spin_systems()["Ala"].groups[0]
    shifts, outer = [3.7746, 1.4667, 1.4667, 1.4667], [(0, site, 7.234) for site in (1, 2, 3)]
    inner = [(1, 2, -14.366), (1, 3, -14.366), (2, 3, -14.366)]
    plain = brute_force(shifts, outer + inner, acquisition, events(acquisition))
    lone = brute_force([WATER_PPM], [], acquisition, events(acquisition))[0]
    np.testing.assert_allclose(decay(ala, acquisition), plain / lone, atol=1e-9)


@pytest.mark.parametrize("spin", [0.5, 1.0])
def test_a_heteronucleus_splits_lines_and_is_refocused_in_the_echo(spin):
    hetero = (Heteronucleus(spin=spin, couplings_hz=(6.0,)),)
    group = SpinGroup(shifts_ppm=(3.2,), nuclei=(9,), hetero=hetero)
    hz, amplitude = signal(group, Acquisition(f0_mhz=100.0, te_ms=80))
    states = round(2 * spin + 1)
    assert sorted(hz) == pytest.approx([-145 + 6.0 * (k - spin) for k in range(states)])
    np.testing.assert_allclose(amplitude, 9 / states, atol=1e-12)


def test_eight_protons_are_simulated_and_ten_refused():
    chain = tuple((a, a + 1, 7.0) for a in range(9))
    eight = SpinGroup(shifts_ppm=tuple(np.linspace(1, 4, 8)), nuclei=(1,) * 8, couplings=chain[:7])
    assert signal(eight, Acquisition(te_ms=1e-9))[1].sum() == pytest.approx(8)
    ten = SpinGroup(shifts_ppm=tuple(np.linspace(1, 4, 10)), nuclei=(1,) * 10, couplings=chain)
    with pytest.raises(SettingsError, match="1024 states"):
        signal(ten, Acquisition())
