"""Simulated basis: the signal of each metabolite and lipid in one acquisition, from its transitions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.density_matrix import group_signal
from hepatica.spectroscopy.basis.pulse_sequence import Event, ShapedPulse, events
from hepatica.spectroscopy.basis.spin_system import SpinGroup, SpinSystem, lipids, spin_systems
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition
from hepatica.spectroscopy.signal.targets import LIVER20

BIN_HZ = 0.01
"""Frequencies nearer than this are one (ours, spec 6.1): a phase error of at most 0.03 rad a second."""

LEAST = 1e-6
"""Of the strongest amplitude: what is weaker goes to its nearest stronger neighbour (ours, spec 6.1)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Transitions:
    """Lines of one component (n,): Hz from 4.65 ppm, complex amplitude, Gaussian width (full width at half height, Hz).

    The sum of the amplitudes is the first sample of the decay. Holds at one field strength, sequence and timing, and
    for every bandwidth, number of points and receiver frequency.
    """

    hz: NDArray[np.float64]
    amplitude: NDArray[np.complex128]
    gaussian_hz: NDArray[np.float64]

    def fid(self, acquisition: Acquisition) -> NDArray[np.complex128]:
        """(points,) decay as this acquisition samples it; its timing is not looked at."""
        hz = self.hz + (WATER_PPM - acquisition.reference_ppm) * acquisition.f0_mhz
        fid = np.zeros(acquisition.points, complex)
        for width in np.unique(self.gaussian_hz):
            chosen = self.gaussian_hz == width
            damping = np.exp(-((np.pi * width * acquisition.time_s) ** 2) / (4 * np.log(2)))
            fid += damping * _oscillations(hz[chosen], self.amplitude[chosen], acquisition)
        return fid


def _oscillations(
    hz: NDArray[np.float64], amplitude: NDArray[np.complex128], acquisition: Acquisition
) -> NDArray[np.complex128]:
    """Sum of exponentials as a product of two thin matrices: sample r·rows + c is exp(r …) exp(c …)."""
    columns = int(np.ceil(np.sqrt(acquisition.points)))
    turn = 2j * np.pi * hz[:, None] / acquisition.bandwidth_hz
    steps = np.arange(columns)
    fine, coarse = np.exp(turn * steps), np.exp(turn * columns * steps)
    samples = (amplitude[:, None] * coarse).T @ fine
    return np.asarray(rearrange(samples, "coarse fine -> (coarse fine)")[: acquisition.points])


def binned(hz: NDArray[np.float64], amplitude: NDArray[np.complex128]) -> Transitions:
    """Undamped lines (n,), merged at BIN_HZ; those below LEAST go to their nearest neighbour: no signal is lost."""
    bins, which = np.unique(np.rint(hz / BIN_HZ).astype(np.int64), return_inverse=True)
    total = np.zeros(len(bins), complex)
    np.add.at(total, which, amplitude)
    strong = np.abs(total) >= LEAST * np.abs(total).max()
    kept = bins[strong]
    middles = (kept[1:] + kept[:-1]) / 2
    sums = np.zeros(len(kept), complex)
    np.add.at(sums, np.searchsorted(middles, bins), total)
    return Transitions(hz=kept * BIN_HZ, amplitude=sums, gaussian_hz=np.zeros(len(kept)))


def joined(parts: list[Transitions]) -> Transitions:
    """One table of several."""
    return Transitions(
        hz=np.concatenate([part.hz for part in parts]),
        amplitude=np.concatenate([part.amplitude for part in parts]),
        gaussian_hz=np.concatenate([part.gaussian_hz for part in parts]),
    )


LONE_PROTON = SpinGroup(shifts_ppm=(WATER_PPM,), nuclei=(1,))
"""What every amplitude is measured by."""


def simulate_basis(
    acquisition: Acquisition,
    *,
    names: Sequence[str] = LIVER20,
    te1_ms: float | None = None,
    refocusing: ShapedPulse | None = None,
) -> Basis:
    """The basis of `names` in this acquisition; 1 mM of each, first sample = protons at an echo time of 0.

    Pulses are ideal but for a `refocusing` pulse; `te1_ms` is PRESS's first echo time. STEAM is scaled as PRESS is
    (its stimulated echo is half as strong for water, too), and relaxation is left out. Transitions are kept in memory.
    Raises SettingsError on a name that is neither in spin_systems.toml nor in lipids.toml.
    """
    known = spin_systems() | lipids()
    missing = [name for name in names if name not in known]
    if missing:
        raise SettingsError(f"got component {', '.join(missing)}; known are {', '.join(sorted(known))}")
    chain = events(acquisition, te1_ms=te1_ms, refocusing=refocusing)
    tables = [transitions(known[name], f0_mhz=acquisition.f0_mhz, events=chain) for name in names]
    fids = np.array([table.fid(acquisition) for table in tables])
    return Basis(names=tuple(names), fids=fids, acquisition=acquisition)


@lru_cache(maxsize=1024)
def transitions(system: SpinSystem, *, f0_mhz: float, events: tuple[Event, ...]) -> Transitions:
    """The lines of one component after the events, as `simulate_basis` samples them."""
    lone = group_signal(LONE_PROTON, f0_mhz=f0_mhz, events=events)[1].sum()
    parts = []
    if system.groups:
        signals = [group_signal(group, f0_mhz=f0_mhz, events=events) for group in system.groups]
        hz, amplitude = (np.concatenate(each) for each in zip(*signals, strict=True))
        parts.append(binned(hz, amplitude / lone))
    if system.lines:
        parts.append(
            Transitions(
                hz=np.array([(line.ppm - WATER_PPM) * f0_mhz for line in system.lines]),
                amplitude=np.array([line.protons for line in system.lines], complex),
                gaussian_hz=np.array([line.fwhm_ppm * f0_mhz for line in system.lines]),
            )
        )
    return joined(parts)
