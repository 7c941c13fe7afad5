"""Orientation: decays conjugated or reversed by software, and spectrum and water reference exchanged."""

from dataclasses import dataclass

import numpy as np

from hepatica.spectroscopy.preprocessing.water_removal import remove_water
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition
from hepatica.spectroscopy.signal.peaks import tallest
from hepatica.spectroscopy.signal.spectrum import Signal, noise_sd

_LINES_PPM = (0.5, 4.2)
_TIMES = 2.0  # ours: how much higher the mirror image must be
_STAYED = 0.2  # ours: of the last sample's height, above which the first is signal
_CLEAR = 8.0  # ours: SDs of the noise it must reach


def runs_backwards(fid: Signal) -> bool:
    """Whether a decay (…, points) grows: its last quarter has more energy than its first, as of a flipped spectrum."""
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

    True where the mirror image of 0.5 to 4.2 ppm, 5.1 to 8.8 ppm, has a clear peak that is twice as high.
    """
    clean = remove_water(fid, acquisition=acquisition)
    low, high = _LINES_PPM
    mirror = 2 * acquisition.reference_ppm
    right = tallest(clean, low, high, acquisition=acquisition).height
    wrong = tallest(clean, mirror - high, mirror - low, acquisition=acquisition).height
    return wrong > _TIMES * right and wrong > _CLEAR * noise_sd(clean.conj(), acquisition=acquisition)


_MORE = 2.0  # ours: a reference has at least that many times the water of a water-suppressed spectrum
_ONLY_WATER = 150.0  # ours: times everything else; 33 in a badly and 183 in an unsuppressed brain of Osprey's examples
_DOUBTFUL = 40.0  # ours: times the metabolites; 49 and 95 in badly suppressed brains, 62 or more in phantoms' water
_UNSUPPRESSED = 15.0  # ours: times the metabolites, that a reference has at least; a well suppressed liver has up to 4
_WATER_WITHIN_PPM = 0.6  # ours
_LIPIDS_TOO_PPM, _METABOLITES_PPM = 0.5, 2.9


@dataclass(frozen=True, kw_only=True)
class Water:
    """Height of the water's peak, and how many times the highest other peak, water taken off, it is.

    `of_metabolites` leaves lipids out: how many times the highest peak above 2.9 ppm it is.
    """

    height: float
    times: float
    of_metabolites: float

    @property
    def alone(self) -> bool:
        """Whether there is hardly anything else: an unsuppressed spectrum."""
        return self.times > _ONLY_WATER

    @property
    def unsuppressed(self) -> bool:
        """Whether it can be a water reference."""
        return self.of_metabolites > _UNSUPPRESSED

    @property
    def doubtful(self) -> bool:
        """Whether it may be unsuppressed, or was badly suppressed: a fatty liver's lipids show beside its water."""
        return self.of_metabolites > _DOUBTFUL


def water_in(fid: Signal, *, acquisition: Acquisition) -> Water:
    """The water in a decay (points,)."""
    near = (WATER_PPM - _WATER_WITHIN_PPM, WATER_PPM + _WATER_WITHIN_PPM)
    height = tallest(fid, *near, acquisition=acquisition).height
    clean = remove_water(fid, acquisition=acquisition)
    lines = (tallest(clean, low, 4.2, acquisition=acquisition).height for low in (_LIPIDS_TOO_PPM, _METABOLITES_PPM))
    times, of_metabolites = (height / max(line, np.finfo(float).tiny) for line in lines)
    return Water(height=height, times=times, of_metabolites=of_metabolites)


def are_swapped(spectrum: Water, reference: Water) -> bool:
    """Whether what was given as the spectrum is the water reference and the other way round."""
    return spectrum.height > _MORE * reference.height and spectrum.times > reference.times


def is_reference(reference: Water, spectrum: Water) -> bool:
    """Whether what was given as the water reference has clearly more water than the spectrum, unsuppressed."""
    return reference.height > _MORE * spectrum.height and reference.unsuppressed
