"""Ppm reference: the shift at 0 Hz of an external basis, and its direction of rotation, by known components."""

from dataclasses import replace

import numpy as np
from einops import rearrange

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.basis.spin_system import spin_systems

ALIASES = {"sIns": "Scyllo", "sI": "Scyllo", "mI": "Ins", "Ch": "Cho", "PCho": "PCh"}
"""Other programs' names of components."""

MOST_PPM = 0.5
"""Offsets are looked for this far to either side (ours; the largest seen was 0.17, fsl_mrs issue 28)."""

WIDTH_HZ = 4.0
"""Both sides are damped by this, so that fine structure that differs does not matter (ours)."""

_FINE = 16


def align_reference(basis: Basis, *, most_ppm: float = MOST_PPM) -> Basis:
    """The same decays with the reference_ppm at which their known components agree with hepatica's.

    Files lack their reference; LCModel's is assumed to be 4.65 ppm, and Osprey's is 4.68. One offset is found for
    all components. Raises SettingsError where no component is known or nothing agrees.
    """
    offset, agreement = _offset(basis, most_ppm=most_ppm)
    if agreement < 0.5:
        raise SettingsError(
            f"the basis agrees with its own names to {agreement:.2f} at best, wanted 0.5: its names, field or direction"
            " of turning are wrong"
        )
    acquisition = basis.acquisition
    return replace(basis, acquisition=replace(acquisition, reference_ppm=acquisition.reference_ppm - offset))


def turned_rightly(basis: Basis, *, most_ppm: float = MOST_PPM) -> Basis:
    """The basis, or its conjugate where that agrees better with the names; unchanged where no name is known."""
    if not _known(basis):
        return basis
    conjugate = replace(basis, fids=basis.fids.conj())
    return max((basis, conjugate), key=lambda each: _offset(each, most_ppm=most_ppm)[1])


def at_reference(basis: Basis, *, ppm: float) -> Basis:
    """The same resonances seen by a receiver at another shift, for formats that know only one."""
    acquisition = basis.acquisition
    turn = np.exp(2j * np.pi * (acquisition.reference_ppm - ppm) * acquisition.f0_mhz * acquisition.time_s)
    return replace(basis, fids=basis.fids * turn, acquisition=replace(acquisition, reference_ppm=ppm))


def _known(basis: Basis) -> dict[str, str]:
    """Names of components that can be simulated, and hepatica's name for each."""
    names = {name: ALIASES.get(name, name) for name in basis.names}
    return {name: ours for name, ours in names.items() if ours in spin_systems()}


def _offset(basis: Basis, *, most_ppm: float) -> tuple[float, float]:
    """Ppm by which resonances are too high, and the mean cosine with the simulated components there (0 to 1).

    The product of a decay with the conjugate of its like turns with the offset; its transform has its peak there.
    """
    known = _known(basis)
    if not known:
        raise SettingsError(f"no component of the basis is known: {', '.join(basis.names)}; name them as hepatica does")
    like = simulate_basis(basis.acquisition, names=sorted(set(known.values())))
    own, simulated = (each.fids * np.exp(-np.pi * WIDTH_HZ * each.acquisition.time_s) for each in (basis, like))
    rows = [basis.names.index(name) for name in known]
    others = [like.names.index(ours) for ours in known.values()]
    products = own[rows] * simulated[others].conj()
    points = _FINE * basis.acquisition.points
    cosines = np.abs(np.fft.fft(products, points)) / rearrange(
        np.linalg.norm(own[rows], axis=1) * np.linalg.norm(simulated[others], axis=1), "k -> k 1"
    )
    ppm = np.fft.fftfreq(points, 1 / basis.acquisition.bandwidth_hz) / basis.acquisition.f0_mhz
    mean = np.where(np.abs(ppm) <= most_ppm, cosines.mean(0), 0)
    best = int(mean.argmax())
    return float(ppm[best]), float(mean[best])
