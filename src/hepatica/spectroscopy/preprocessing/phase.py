"""Phase: the zero-order phase of a spectrum that has no water reference to take it from."""

import numpy as np

from hepatica.spectroscopy.preprocessing.water_removal import lines
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Signal

_WIDTH_HZ = (1.0, 60.0)  # ours: narrower is noise, broader is baseline


def zero_phase(fid: Signal, low: float, high: float, *, acquisition: Acquisition) -> float:
    """The angle in rad by which a decay (points,) is to be turned so that its lines between two ppm stand up.

    Of the exponentials it is made of, each counts by the height of its peak. 0 where there is none. Ours.
    """
    ppm, decays = lines(fid, acquisition=acquisition)
    first, second = decays[:, 0], decays[:, 1]
    decay_hz = -np.log(np.abs(second / first)) * acquisition.bandwidth_hz / np.pi
    counted = (ppm > low) & (ppm < high) & (decay_hz > _WIDTH_HZ[0]) & (decay_hz < _WIDTH_HZ[1])
    return float(-np.angle((first[counted] / decay_hz[counted]).sum())) if counted.any() else 0.0
