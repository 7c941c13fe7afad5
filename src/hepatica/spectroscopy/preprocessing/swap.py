"""Swap: which of two decays is the water reference, and whether one alone is."""

from dataclasses import dataclass

import numpy as np

from hepatica.spectroscopy.preprocessing.water_removal import remove_water
from hepatica.spectroscopy.signal.acquisition import WATER_PPM, Acquisition
from hepatica.spectroscopy.signal.peaks import tallest
from hepatica.spectroscopy.signal.spectrum import Signal

_MORE = 2.0  # ours: a reference holds at least that many times the water of a water-suppressed spectrum
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
    """Whether what was given as the water reference holds clearly more water than the spectrum, and unsuppressed."""
    return reference.height > _MORE * spectrum.height and reference.unsuppressed
