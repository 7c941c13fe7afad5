"""ADC: the apparent diffusion coefficient of several b-values, and signal made comparable between scans."""

from collections.abc import Mapping
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


HIGHEST = 4.0  # ours
"""1e-3 mm2/s to which ADC is bounded, from 0; free water at body temperature has 3."""

FLOOR = 2.0  # ours
"""Standard deviations of the noise up to which a signal is noise, and no point of the fit."""

_CORNER = 16  # part of the sides of a slice that its corners have, where the noise is measured
_RAYLEIGH = 1.1774  # median of the magnitude of noise, by its standard deviation


def fit_adc(volumes: Mapping[float, Volume]) -> Volume:
    """ADC (1e-3 mm2/s) of each voxel from volumes of one grid by b-value (s/mm2): S = S0 exp(-b ADC), by least squares
    of ln S.

    Points within the noise (`noise_floor`) are left out; where fewer than two are left, ADC is 0. Bounded to 0 to
    HIGHEST. A note says which share of voxels above the noise at the lowest b lost a point. Images are to be on one
    scale, as those of one scan are: not normalised each by itself. SpecimenError when there are fewer than two
    b-values, grids differ, or units are not signal.
    """
    b_values = sorted(volumes)
    given = [volumes[b] for b in b_values]
    if len(given) < 2:
        raise SpecimenError(f"got diffusion-weighted images of b {b_values}, wanted two or more for an ADC")
    if any(each.units != "signal" or not each.geometry.agrees(given[0].geometry) for each in given):
        raise SpecimenError("the b-values differ in grid or unit; wanted signal of one grid: resample them first")
    signals = np.stack([each.values for each in given]).astype(np.float64)
    floors = np.array([noise_floor(each.values) for each in given])[:, None, None, None]
    clear = signals > floors
    values = _slopes(np.array(b_values), signals, clear)
    lost = float((clear[0] & ~clear.all(axis=0)).sum() / max(clear[0].sum(), 1))
    note = f"ADC of b {', '.join(f'{b:g}' for b in b_values)}; {lost:.0%} of voxels lost a point to noise"
    return replace(given[0], values=values.astype(np.float32), units="adc", notes=(note,))


def noise_floor(values: np.ndarray) -> float:
    """The signal up to which a magnitude image (z y x) shows noise: FLOOR standard deviations, measured in the corners
    of its slices; 0 where a scanner has blanked them.
    """
    rows, columns = (max(1, side // _CORNER) for side in values.shape[1:])
    corners = values[:, np.r_[:rows, -rows:0]][:, :, np.r_[:columns, -columns:0]]
    return FLOOR * float(np.median(corners)) / _RAYLEIGH


def _slopes(b: np.ndarray, signals: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """(z y x): least squares of each voxel over its clear points, all b-values first."""
    weight = clear.astype(float)
    count = np.maximum(weight.sum(axis=0), 1)
    logs = np.log(np.where(clear, signals, 1.0))
    b = b[:, None, None, None]
    away = weight * (b - (weight * b).sum(axis=0) / count)
    spread = (away * b).sum(axis=0)
    slopes = -(away * logs).sum(axis=0) / np.where(spread > 0, spread, np.inf)
    return np.asarray(np.clip(1000 * slopes, 0, HIGHEST))
