"""Signal: MR made comparable between scans, whose units are their own."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.radiology.dicom.volume import Volume


@dataclass(frozen=True, kw_only=True)
class SignalScale:
    """How signal is made comparable: the percentiles `low` and `high` of the body become 0 and 1, or the mean becomes 0
    and the standard deviation 1 (z_score).
    """

    kind: Literal["percentiles", "z_score"] = "percentiles"
    low: float = 1.0  # ours
    high: float = 99.0  # ours

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 100:
            raise SettingsError(f"got percentiles {self.low} to {self.high}, wanted 0 <= low < high <= 100")


def normalised(volume: Volume, *, scale: SignalScale | None = None, reference: np.ndarray | None = None) -> Volume:
    """The volume on one scale, by its voxels of `reference` (z y x bool: liver, muscle), or else of the body.

    Body is what is brighter than the mean of the volume, a customary first guess. Values beyond the percentiles lie
    beyond 0 and 1. SpecimenError when the volume is no MR signal or all of it is alike.
    """
    if volume.units != "signal":
        raise SpecimenError(
            f"got values of units {volume.units}, wanted the signal of an MR; those have a scale already"
        )
    scale = scale or SignalScale()
    inside = volume.values[volume.values > volume.values.mean() if reference is None else reference]
    if not inside.size:
        raise SpecimenError("got no voxel to normalise the signal by; wanted a body, or a mask that marks some of it")
    if scale.kind == "percentiles":
        low, high = np.percentile(inside, [scale.low, scale.high])
        zero, one = float(low), float(high - low)
    else:
        zero, one = float(inside.mean(dtype=float)), float(inside.std(dtype=float))
    if one <= 0:
        raise SpecimenError(f"got one signal ({zero:.3g}) in all voxels to normalise by; wanted an image")
    return replace(volume, values=((volume.values - zero) / one).astype(np.float32))
