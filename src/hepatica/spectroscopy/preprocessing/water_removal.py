"""Water removal: what is left of the water's signal, modelled as damped exponentials and subtracted (HSVD)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Signal


@dataclass(frozen=True, kw_only=True)
class WaterRemoval:
    """Settings, all ours. `components` exponentials are fitted to the first `points` samples of a decay, and those that
    resonate within `region_ppm` (from, to) are taken off. Glc, GSH and lipids at 5.3 ppm lie outside the fit window.
    """

    region_ppm: tuple[float, float] = (4.3, 5.0)
    components: int = 24
    points: int = 512


WATER_REMOVAL = WaterRemoval()

_NONE = 1e-12  # of the strongest direction, or of 1, that counts as nothing
_SHORTEST = 0.01  # ours: what loses more than 99 % from sample to sample is no line
_SPARE, _ITERATIONS = 24, 3  # ours: vectors more than wanted, and rounds; more changes nothing above the noise


def remove_water(fid: Signal, *, acquisition: Acquisition, settings: WaterRemoval = WATER_REMOVAL) -> Signal:
    """The decay (points,) without the exponentials of the water's region."""
    ppm, decays = lines(fid, acquisition=acquisition, settings=settings)
    low, high = settings.region_ppm
    return np.asarray(fid - decays[(ppm > low) & (ppm < high)].sum(axis=0))


def lines(
    fid: Signal, *, acquisition: Acquisition, settings: WaterRemoval = WATER_REMOVAL
) -> tuple[NDArray[np.float64], Signal]:
    """The exponentials that make up a decay (points,): where they resonate, ppm (k,), and their decays (k, points).

    The state-space method of Barkhuijsen et al. 1987 (doi:10.1016/0022-2364(87)90023-0); the Hankel matrix is
    multiplied by FFT and never formed (Laudadio et al. 2002, doi:10.1006/jmre.2002.2593).
    """
    poles = exponentials(fid[: settings.points], components=settings.components)
    ppm = acquisition.reference_ppm + np.angle(poles) / (2 * np.pi) * acquisition.bandwidth_hz / acquisition.f0_mhz
    curves = np.exp(np.log(poles)[:, None] * np.arange(len(fid)))
    return ppm, _amplitudes(poles, curves, fid)[:, None] * curves


def _amplitudes(poles: Signal, curves: Signal, fid: Signal) -> Signal:
    """Least-squares amplitudes (k,) of curves poles^n (k, points); their products are geometric series."""
    ratios = poles[:, None].conj() * poles
    series = np.where(
        np.abs(1 - ratios) < _NONE, len(fid), (1 - ratios ** len(fid)) / np.where(ratios == 1, 2, 1 - ratios)
    )
    size = np.sqrt(np.diag(series).real)
    scaled = np.linalg.lstsq(series / np.outer(size, size), curves.conj() @ fid / size, rcond=_NONE)[0]
    return np.asarray(scaled / size)


def exponentials(fid: Signal, *, components: int) -> Signal:
    """Poles (k,), as many as `components` or fewer, of a decay: z = exp((-d + 2 pi i f) dt), none of them growing."""
    count = min(components, len(fid) // 2 - 2)
    left = _left_vectors(fid, components=count)
    shift = np.linalg.lstsq(left[:-1], left[1:], rcond=None)[0]
    poles = np.linalg.eigvals(shift)
    poles = poles[np.abs(poles) > _SHORTEST]
    return np.asarray(poles / np.maximum(np.abs(poles), 1.0))


def _left_vectors(fid: Signal, *, components: int) -> Signal:
    """Leading left singular vectors (rows, k) of the Hankel matrix H[i, j] = fid[i + j].

    By block iteration from fixed random vectors (Halko et al. 2011, doi:10.1137/090771806), so that the same decay
    gives the same answer, in few large products: Lanczos' many small ones stall where other work keeps the cores busy.
    """
    rows = len(fid) // 2
    columns = len(fid) - rows + 1
    size = fft.next_fast_len(len(fid) + columns)
    spectrum = fft.fft(fid, size)[:, None]

    def times(vectors: Signal, *, count: int) -> Signal:
        """Entries i < count of sum_j fid[i + j] vectors[j], a correlation; H is symmetric but for its shape."""
        return np.asarray(fft.ifft(spectrum * fft.fft(vectors.conj(), size, axis=0).conj(), axis=0)[:count])

    width = min(components + _SPARE, rows, columns)
    left = times(np.random.default_rng(0).normal(size=(columns, width)).astype(complex), count=rows)
    for _ in range(_ITERATIONS):
        right = _orthonormal(times(_orthonormal(left).conj(), count=columns).conj())
        left = times(right, count=rows)
    return _orthonormal(left)[:, :components]


def _orthonormal(vectors: Signal) -> Signal:
    """An orthonormal basis (n, at most k) of vectors (n, k), the strongest direction first.

    By way of the small matrix of their products: LAPACK's own decompositions of tall matrices wait for threads, half a
    second where other work keeps the cores busy.
    """
    strengths, turns = np.linalg.eigh(vectors.conj().T @ vectors)
    there = strengths > strengths.max(initial=0.0) * _NONE
    return np.asarray((vectors @ (turns[:, there] / np.sqrt(strengths[there])))[:, ::-1])
