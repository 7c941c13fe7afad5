"""Eddy current: the phase that gradients leave behind, taken off by that of the water reference (Klose)."""

import numpy as np
from scipy.ndimage import uniform_filter1d

from hepatica.spectroscopy.preprocessing.water_removal import lines
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.resample import received_s
from hepatica.spectroscopy.signal.spectrum import Signal, noise_sd, to_spectrum

_NEAR_PPM = 0.9  # ours: what resonates further from the water is fat, which would be beaten into every line
_CLEAR = 5.0  # ours: the water's phase is used while its magnitude is that many SDs of the noise
_SMOOTH_S = 0.005  # ours: over which that size is smoothed


def water_phase(water: Signal, *, acquisition: Acquisition) -> np.ndarray:
    """The phase (points,) in rad, unwrapped, of the water in its reference (points,).

    Taken off every sample of a spectrum of the same voxel (Klose 1990, doi:10.1002/mrm.1910140104) it undoes eddy
    currents, puts the water at 0 Hz, which is `acquisition.reference_ppm`, and its phase at 0. Of the reference the
    lines of fat are left out first. Where the water has sunk into the noise, its phase goes on straight.
    """
    alone = only_water(water, acquisition=acquisition)
    sd = noise_sd(water, acquisition=acquisition) / np.sqrt(len(water))
    size = uniform_filter1d(np.abs(alone), max(1, int(_SMOOTH_S * acquisition.bandwidth_hz)))
    sunk = np.flatnonzero(size < _CLEAR * sd)
    clear = max(8, int(sunk[0]) if len(sunk) else len(water))
    phase = np.unwrap(np.angle(alone))
    time = received_s(water, acquisition=acquisition)
    late = slice(clear // 2, clear)
    slope, offset = np.polyfit(time[late], phase[late], 1, w=np.abs(alone[late]))
    ended = np.where(np.arange(len(water)) < clear, phase, slope * time + offset)
    return np.asarray(ended)


def only_water(water: Signal, *, acquisition: Acquisition) -> Signal:
    """The water reference (points,) without the lines that are not near its tallest one."""
    top = acquisition.ppm[np.argmax(np.abs(to_spectrum(water)))]
    ppm, decays = lines(water, acquisition=acquisition)
    return np.asarray(water - decays[np.abs(ppm - top) > _NEAR_PPM].sum(axis=0))
