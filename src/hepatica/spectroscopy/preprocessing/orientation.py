"""Orientation: decays that some software conjugated or turned round in time are noticed and turned back."""

import numpy as np

from hepatica.spectroscopy.preprocessing.water_removal import remove_water
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.noise import noise_sd
from hepatica.spectroscopy.signal.peaks import tallest
from hepatica.spectroscopy.signal.spectrum import Signal

_LINES_PPM = (0.5, 4.2)
_TIMES = 2.0  # ours: how much higher the mirror image must be
_STAYED = 0.2  # ours: of the last sample's height, above which the first is signal
_CLEAR = 8.0  # ours: SDs of the noise it must reach


def runs_backwards(fid: Signal) -> bool:
    """Whether a decay (…, points) grows: its last quarter holds more than its first, as a flipped spectrum's does."""
    quarter = max(1, fid.shape[-1] // 4)
    first, last = (np.sum(np.abs(part) ** 2) for part in (fid[..., :quarter], fid[..., -quarter:]))
    return bool(last > first)


def turned_round(fid: Signal) -> Signal:
    """The decay (…, points) of one whose spectrum was flipped value by value, so that its first sample stayed, or whose
    samples were written backwards, the first at the end.
    """
    first, last = (float(np.abs(fid[..., place]).mean()) for place in (0, -1))
    return np.roll(fid[..., ::-1], 1 if first > _STAYED * last else 0, axis=-1)


def is_conjugated(fid: Signal, *, acquisition: Acquisition) -> bool:
    """Whether a decay (points,) with the water at 4.65 ppm has its lines on the wrong side of it.

    True where the mirror image of 0.5 to 4.2 ppm, 5.1 to 8.8 ppm, holds a clear peak that is twice as high.
    """
    clean = remove_water(fid, acquisition=acquisition)
    low, high = _LINES_PPM
    mirror = 2 * acquisition.reference_ppm
    right = tallest(clean, low, high, acquisition=acquisition).height
    wrong = tallest(clean, mirror - high, mirror - low, acquisition=acquisition).height
    return wrong > _TIMES * right and wrong > _CLEAR * noise_sd(clean.conj(), acquisition=acquisition)
