"""Noise: the standard deviation of a spectrum's noise, in regions without resonances."""

import numpy as np
from numpy.typing import NDArray

from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Signal, to_spectrum

QUIET_PPM = ((-4.0, -0.5), (8.5, 12.0))
"""Where protons of tissue do not resonate, and tails of lines are straight (ours)."""

_EDGE = 0.05  # ours: of the band at each end, where scanners' filters fall off
_FEWEST = 16  # points a region must have


def noise_sd(fid: Signal, *, acquisition: Acquisition) -> float:
    """SD of the noise in the real part of `to_spectrum(fid)`, of a decay (points,).

    Of the quieter of two regions, a parabola taken off; where the band has neither, of the last quarter of the decay.
    """
    values = to_spectrum(fid)
    edge = int(len(fid) * _EDGE)
    kept = slice(edge, len(fid) - edge)
    spreads = [_spread(values[kept][_within(acquisition.ppm[kept], *region)]) for region in QUIET_PPM]
    found = [spread for spread in spreads if spread is not None and spread > 0]
    if found:
        return min(found)
    tail = fid[-max(_FEWEST, len(fid) // 4) :]
    return float(np.sqrt(np.mean(np.abs(tail - tail.mean()) ** 2) / 2 * len(fid)))


def _within(ppm: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    return (ppm > low) & (ppm < high)


def _spread(values: Signal) -> float | None:
    """SD of real and imaginary part about a parabola; None of too few points."""
    if len(values) < _FEWEST:
        return None
    place = np.linspace(-1, 1, len(values))
    left = values - np.polynomial.polynomial.polyval(place, np.polynomial.polynomial.polyfit(place, values, 2))
    return float(np.sqrt(np.sum(np.abs(left) ** 2) / (2 * (len(values) - 3))))
