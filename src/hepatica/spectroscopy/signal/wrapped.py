"""Wrapped: samples at the end of a decay that belong before its first, and the times at which all were received.

The filter of Siemens' RDA and DICOM answers ahead of the echo, and what it answers is wrapped round. A decay that is
turned, or sampled anew, by times that only grow would have its whole spectrum bent by them.
"""

import numpy as np
from numpy.typing import NDArray

from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Signal

_LAST, _RISEN = 8, 4.0  # ours: the last eighth of a quarter, and times the power of the rest of it that it has


def wrapped(fid: Signal) -> int:
    """How many samples at the end of decays (…, points) belong before the first: a quarter where the end rises."""
    quarter = fid.shape[-1] // 4
    if quarter < _LAST:
        return 0
    power = np.abs(fid[..., fid.shape[-1] - quarter :]) ** 2
    before, last = np.split(power, [quarter - quarter // _LAST], axis=-1)
    return quarter if last.mean() > _RISEN * before.mean() else 0


def received_s(fid: Signal, *, acquisition: Acquisition) -> NDArray[np.float64]:
    """(points,) seconds from the first sample of decays (…, points), below 0 where they are wrapped round."""
    time, early = acquisition.time_s, wrapped(fid)
    return np.where(np.arange(len(time)) < len(time) - early, time, time - len(time) / acquisition.bandwidth_hz)
