"""Peaks: the tallest one near a shift, its position, height and width."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Signal, to_spectrum

Part = Callable[[Signal], NDArray[np.float64]]

_FINER = 4  # zero filling
_TAPERED = 0.5  # ours: of the decay, at its end, so that zero filling does not let what has not decayed ring
_RISE = 0.05  # ours: of a peak's height, by which its flank may rise again before it is another peak


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Where a spectrum is highest, in ppm, and how high it is there, in units of `to_spectrum`.

    `edge`: at an end of where it was looked for, so that it is the flank of something else; also where the band ends.
    """

    ppm: float
    height: float
    edge: bool


def tallest(fid: Signal, low: float, high: float, *, acquisition: Acquisition, part: Part = np.abs) -> Peak:
    """The highest point between two ppm of the modulus (or another part), of a decay (points,), finer than its points.

    Where the band does not reach there, its nearest end.
    """
    ppm, values = _fine(fid, acquisition=acquisition)
    first, last = np.searchsorted(ppm, [low, high]).clip(0, len(ppm) - 1)
    height = part(values[first : last + 1])
    top = int(height.argmax())
    return Peak(ppm=float(ppm[first + top]), height=float(height[top]), edge=top in (0, len(height) - 1))


def width_hz(fid: Signal, near_ppm: float, *, acquisition: Acquisition, pedestal: float = 0.0) -> float:
    """Full width at half maximum above a pedestal of the real peak at a shift, in Hz, of a decay (points,) in phase.

    Where a neighbour or the baseline does not let it fall to half on one side, twice the other side; NaN on both.
    """
    ppm, values = _fine(fid, acquisition=acquisition)
    real = values.real - pedestal
    top = int(np.argmin(np.abs(ppm - near_ppm)))
    sides = [_half(side) for side in (real[top:], real[top::-1])]
    found = [side for side in sides if side is not None]
    spacing = acquisition.bandwidth_hz / len(real)
    return float(2 * np.mean(found) * spacing) if found else float("nan")


def _half(side: NDArray[np.float64]) -> float | None:
    """Points from the top, where `side` begins, to half its height, by linear interpolation; None behind a rise."""
    below = np.flatnonzero(side < side[0] / 2)
    if not len(below):
        return None
    outer = int(below[0])
    rise = side[:outer] - np.minimum.accumulate(side[:outer])
    if rise.max() > _RISE * side[0]:
        return None
    return outer - 1 + float((side[outer - 1] - side[0] / 2) / (side[outer - 1] - side[outer]))


def _fine(fid: Signal, *, acquisition: Acquisition) -> tuple[np.ndarray, Signal]:
    size = _FINER * len(fid)
    hz = np.fft.fftshift(np.fft.fftfreq(size, 1 / acquisition.bandwidth_hz))
    padded = np.zeros(size, complex)
    padded[: len(fid)] = fid * _taper(len(fid))
    return acquisition.reference_ppm + hz / acquisition.f0_mhz, to_spectrum(padded)


def _taper(points: int) -> NDArray[np.float64]:
    """1, and half a cosine down to 0 at the end."""
    falling = round(_TAPERED * points)
    return np.concatenate([np.ones(points - falling), 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, falling))])
