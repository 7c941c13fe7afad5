"""Swap: which of two decays is the water reference, and whether one alone is."""

from dataclasses import dataclass

import numpy as np

from hepatica.spectroscopy.acquisition import WATER_PPM, Acquisition
from hepatica.spectroscopy.peaks import tallest
from hepatica.spectroscopy.spectrum import Signal
from hepatica.spectroscopy.water_removal import remove_water

_MORE = 2.0  # ours: a reference holds at least that many times the water of a water-suppressed spectrum
_ONLY_WATER = 150.0  # ours: times everything else; 33 in a badly and 183 in an unsuppressed brain of Osprey's examples
_WATER_WITHIN_PPM = 0.6  # ours


@dataclass(frozen=True, kw_only=True)
class Water:
    """Height of the water's peak, and how many times the highest other peak, water taken off, it is."""

    height: float
    times: float

    @property
    def alone(self) -> bool:
        """Whether there is hardly anything else: an unsuppressed spectrum."""
        return self.times > _ONLY_WATER


def water_in(fid: Signal, *, acquisition: Acquisition) -> Water:
    """The water in a decay (points,)."""
    near = (WATER_PPM - _WATER_WITHIN_PPM, WATER_PPM + _WATER_WITHIN_PPM)
    height = tallest(fid, *near, acquisition=acquisition).height
    clean = remove_water(fid, acquisition=acquisition)
    rest = tallest(clean, 0.5, 4.2, acquisition=acquisition).height
    return Water(height=height, times=height / max(rest, np.finfo(float).tiny))


def are_swapped(spectrum: Water, reference: Water) -> bool:
    """Whether what was given as the spectrum is the water reference and the other way round."""
    return spectrum.height > _MORE * reference.height and spectrum.times > reference.times


def is_reference(reference: Water, spectrum: Water) -> bool:
    """Whether what was given as the water reference holds clearly more water than the spectrum."""
    return reference.height > _MORE * spectrum.height
