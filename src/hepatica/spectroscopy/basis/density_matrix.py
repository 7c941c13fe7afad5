"""Density matrix: what a group of coupled protons sends after a pulse sequence, in Hilbert space, strong coupling."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, reduce
from itertools import product
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.pulse_sequence import Delay, Event, Keep, Rotation, ShapedPulse
from hepatica.spectroscopy.basis.spin_system import Coupling, SpinGroup
from hepatica.spectroscopy.signal.acquisition import WATER_PPM

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Spins = tuple[float, ...]

MOST_STATES = 512
"""Largest space of a group; eight unlike protons have 256."""


def group_signal(group: SpinGroup, *, f0_mhz: float, events: tuple[Event, ...]) -> tuple[Real, Complex]:
    """Hz from 4.65 ppm and amplitudes (n,) of a group's transitions after the events; unmerged.

    Equivalent protons of one site act as one spin of each total that n halves add up to, and a heteronucleus moves the
    frequencies by its coupling times its projection: both are exact. Amplitudes are proportional to
    protons; a group of one gives that of one proton. Raises SettingsError on a group too large.
    """
    hz, amplitude = [], []
    for offsets in _heteronuclear_offsets(group):
        shifts = [(ppm - WATER_PPM) * f0_mhz + offset for ppm, offset in zip(group.shifts_ppm, offsets, strict=True)]
        for spins, weight in _composites(group):
            frequencies, signal = _System.of(spins, shifts, group.couplings, f0_mhz=f0_mhz).run(events)
            hz.append(frequencies)
            amplitude.append(weight * group.share * signal)
    states = np.prod([2 * each.spin + 1 for each in group.hetero])
    return np.concatenate(hz), np.concatenate(amplitude) / states


def _heteronuclear_offsets(group: SpinGroup) -> Iterator[Real]:
    """(sites,) Hz that each state of the heteronuclei adds."""
    projections = [np.arange(-each.spin, each.spin + 1) for each in group.hetero]
    couplings = np.array([each.couplings_hz for each in group.hetero])
    for state in product(*projections):
        yield np.array(state) @ couplings if state else np.zeros(len(group.shifts_ppm))


def _composites(group: SpinGroup) -> Iterator[tuple[Spins, float]]:
    """Total spins of the sites, and the weight of such a system: how often it occurs over how many states there are.

    A lone site needs no composite: its protons are so many single ones.
    """
    if len(group.nuclei) == 1:
        yield (0.5,), float(group.nuclei[0])
        return
    totals = [_totals(count) for count in group.nuclei]
    for chosen in product(*totals):
        yield (
            tuple(spin for spin, _ in chosen),
            float(np.prod([times for _, times in chosen])) / 2 ** (sum(group.nuclei) - 1),
        )


def _totals(count: int) -> list[tuple[float, int]]:
    """Total spins of `count` halves and how often each occurs: comb(n, k) - comb(n, k - 1) for n / 2 - k."""
    return [(count / 2 - k, comb(count, k) - (comb(count, k - 1) if k else 0)) for k in range(count // 2 + 1)]


@cache
def _projections(spins: Spins) -> Real:
    """(sites, states) projection of each site in each product state."""
    axes = [np.arange(spin, -spin - 1, -1) for spin in spins]
    return np.array(list(product(*axes))).T


@cache
def _raising(spins: Spins) -> tuple[Real, ...]:
    """The raising operator (states, states) of each site."""
    single = []
    for spin in spins:
        m = np.arange(spin - 1, -spin - 1, -1)
        single.append(np.diag(np.sqrt(spin * (spin + 1) - m * (m + 1)), 1))
    identities = [np.eye(len(each)) for each in single]
    return tuple(
        reduce(np.kron, [*identities[:site], single[site], *identities[site + 1 :]]) for site in range(len(spins))
    )


@cache
def _turn(spins: Spins, degrees: float, axis: str) -> Complex | Real:
    """The operator (states, states) of a rotation of all sites; real about y."""
    factors = []
    for spin in spins:
        raising = _raising((spin,))[0]
        generator = (raising - raising.T) / 2 if axis == "y" else 0.5j * (raising + raising.T)
        factors.append(expm(-np.radians(degrees) * generator))
    return np.asarray(reduce(np.kron, factors))


@dataclass(frozen=True, kw_only=True, eq=False)
class _System:
    """Energies (rad/s), eigenvectors and projections along the field of one system's states, sorted by projection."""

    spins: Spins
    shifts_hz: Real
    f0_mhz: float
    energy: Real
    vectors: Real
    projection: Real

    @classmethod
    def of(cls, spins: Spins, shifts_hz: list[float], couplings: tuple[Coupling, ...], *, f0_mhz: float) -> "_System":
        m = _projections(spins)
        if m.shape[1] > MOST_STATES:
            raise SettingsError(f"got a spin group of {m.shape[1]} states, wanted {MOST_STATES} at most: split it")
        raising = _raising(spins)
        hamiltonian = np.diag(np.array(shifts_hz) @ m)
        for a, b, hz in couplings:
            flip = raising[a] @ raising[b].T
            hamiltonian += hz * (np.diag(m[a] * m[b]) + (flip + flip.T) / 2)
        total = m.sum(0)
        energy, vectors = np.zeros(len(total)), np.zeros_like(hamiltonian)
        for value in np.unique(total):
            block = np.flatnonzero(total == value)
            inside = np.ix_(block, block)
            energy[block], vectors[inside] = np.linalg.eigh(hamiltonian[inside])
        return cls(
            spins=spins, shifts_hz=np.array(shifts_hz), f0_mhz=f0_mhz, energy=2 * np.pi * energy, vectors=vectors,
            projection=total,
        )  # fmt: skip

    def run(self, events: tuple[Event, ...]) -> tuple[Real, Complex]:
        """Hz and amplitudes of what the receiver sees of the state that the events leave."""
        state = np.diag(self.projection).astype(complex)  # every eigenvector lies within one projection
        for event in events:
            state = self._apply(event, state)
        seen = self.vectors.T @ sum(_raising(self.spins)) @ self.vectors
        ket, bra = np.nonzero(self.projection[:, None] - self.projection[None, :] == -1)
        amplitude = np.asarray(state[ket, bra] * seen[bra, ket], complex)
        return (self.energy[bra] - self.energy[ket]) / (2 * np.pi), amplitude

    def _apply(self, event: Event, state: Complex) -> Complex:
        match event:
            case Delay(seconds=seconds):
                phase = np.exp(-1j * self.energy * seconds)
                return np.asarray(phase[:, None] * state * phase.conj()[None, :])
            case Keep(order=order):
                return np.where(self.projection[:, None] - self.projection[None, :] == order, state, 0)
            case Rotation(degrees=degrees, axis=axis):
                turn = self.vectors.T @ _turn(self.spins, degrees, axis) @ self.vectors
                return np.asarray(turn @ state @ turn.conj().T)
            case ShapedPulse():
                return self._refocused(event, state)

    def _refocused(self, pulse: ShapedPulse, state: Complex) -> Complex:
        """Mean over the places across the slice."""
        offsets = self.shifts_hz - pulse.carrier_hz(self.f0_mhz)
        turns = pulse.turns(pulse.places_hz(self.f0_mhz)[:, None] + offsets)
        before = self.vectors @ state @ self.vectors.T
        after = np.zeros_like(before)
        for place in turns:
            lifted = [_lifted(each, spin) for each, spin in zip(place, self.spins, strict=True)]
            turn = np.eye(1, dtype=complex)
            for each in lifted:
                turn = np.asarray(np.kron(turn, each), complex)
            after += turn @ before @ turn.conj().T
        return np.asarray(self.vectors.T @ after @ self.vectors / len(turns))


def _lifted(turn: Complex, spin: float) -> Complex:
    """A turn of spin 1/2 as the turn (2 spin + 1, 2 spin + 1) of another spin."""
    if spin == 0.5:
        return turn
    values, vectors = np.linalg.eig(turn)
    axis = vectors @ np.diag(-np.angle(values)) @ np.linalg.inv(vectors)  # the angle times n·sigma/2
    raising = _raising((spin,))[0]
    along = np.diag(np.arange(spin, -spin - 1, -1))
    generator = axis[0, 1] * raising + axis[1, 0] * raising.T + 2 * axis[0, 0] * along
    return np.asarray(expm(-1j * generator))
