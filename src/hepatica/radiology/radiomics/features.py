"""Features: a lesion's radiomics by the definitions of the Image Biomarker Standardisation Initiative (IBSI).

First order: how the brightness of a lesion is distributed, wherever it lies (IBSI 3.3, UHIW, and 3.4, ZVCW).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, find_objects
from scipy.stats import kurtosis, skew

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.radiology.radiomics.aggregation import AGGREGATIONS, Counts, Floats, entropy
from hepatica.radiology.radiomics.emphasis import glrlm, glszm
from hepatica.radiology.radiomics.glcm import glcm, ngtdm
from hepatica.radiology.radiomics.shape import Spacing, shape

_NAMES = """mean variance skewness kurtosis median minimum p10 p90 maximum iqr range mean_absolute_dev
robust_mean_absolute_dev median_absolute_dev coef_of_variation quartile_coef_dispersion"""
_CODES: Mapping[str, str] = {
    "stat": "Q4LE ECT3 KE2A IPH6 Y12H 1GSF QG58 8DWT 84IY SALO 2OJQ 4FUA 1128 N72L 7TET 9S40",
    "int_hist": "X6K6 CH89 88K1 C3I7 WIFQ 1PR8 GPMT OZ0C 3NCY WR0O 5Z3W D2ZX WRZB 4RNL CWYJ SLWD",
}


def statistics(values: Floats) -> dict[str, float]:
    """Of the intensities (n,) of a lesion's voxels."""
    energy = float(values @ values)
    return _described(values, family="stat") | {
        "stat_energy_N8CA": energy,
        "stat_root_mean_square_5ZWQ": float(np.sqrt(energy / values.size)),
    }


def histogram(levels: Counts) -> dict[str, float]:
    """Of the grey levels (n,), from 1, of a lesion's voxels; of several commonest levels, that closest to the mean."""
    counts = np.bincount(levels)[1:]
    commonest = np.flatnonzero(counts == counts.max()) + 1
    share = counts / levels.size
    gradient = np.gradient(counts.astype(float)) if counts.size > 1 else np.zeros(1)
    return _described(levels.astype(float), family="int_hist") | {
        "int_hist_mode_AMMC": float(commonest[np.abs(commonest - levels.mean()).argmin()]),
        "int_hist_entropy_TLU2": float(entropy(share[None])[0]),
        "int_hist_uniformity_BJ5W": float(share @ share),
        "int_hist_max_gradient_12CE": float(gradient.max()),
        "int_hist_max_gradient_intensity_8E6O": float(gradient.argmax() + 1),
        "int_hist_min_gradient_VQB3": float(gradient.min()),
        "int_hist_min_gradient_intensity_RHQZ": float(gradient.argmin() + 1),
    }


def _described(x: Floats, *, family: str) -> dict[str, float]:
    low, first, median, third, high = np.percentile(x, [10, 25, 50, 75, 90])
    within = x[(x >= low) & (x <= high)]
    varies = x.min() < x.max()
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [
            x.mean(),
            x.var(),
            skew(x) if varies else 0.0,
            kurtosis(x) if varies else 0.0,
            median,
            x.min(),
            low,
            high,
            x.max(),
            third - first,
            np.ptp(x),
            np.abs(x - x.mean()).mean(),
            np.abs(within - within.mean()).mean(),
            np.abs(x - median).mean(),
            np.divide(x.std(), x.mean()),
            np.divide(third - first, third + first),
        ]
    names = zip(_NAMES.split(), _CODES[family].split(), strict=True)
    return {f"{family}_{name}_{code}": float(value) for (name, code), value in zip(names, found, strict=True)}


Family = Literal["shape", "first_order", "glcm", "glrlm", "glszm", "ngtdm"]

TEXTURES = {"glcm": glcm, "glrlm": glrlm, "glszm": glszm, "ngtdm": ngtdm}


@dataclass(frozen=True, kw_only=True)
class RadiomicsSettings:
    """How features are taken; the defaults are ours, but for those that IBSI names as such."""

    bin_width: float | None = 25.0
    """Width of a grey level, in the unit of the values, from the lowest value of the lesion on; none: by `bins`."""
    bins: int = 32
    """Number of grey levels from the lowest to the highest value, where there is no width."""
    spacing_mm: float | None = None
    """Side of the cubes to which values and mask are interpolated first; none: as they are."""
    within: tuple[float, float] | None = None
    """Values that count (IBSI: re-segmentation range); voxels of others are of the shape, but of no other family."""
    aggregation: str = "3D, merged"
    """How textures are counted and merged, one of AGGREGATIONS."""
    families: tuple[Family, ...] = ("shape", "first_order", "glcm", "glrlm", "glszm", "ngtdm")

    def __post_init__(self) -> None:
        if self.aggregation not in AGGREGATIONS:
            raise SettingsError(f"got the aggregation {self.aggregation!r}, wanted one of {', '.join(AGGREGATIONS)}")
        if self.bins < 2 or (self.bin_width is not None and self.bin_width <= 0):
            raise SettingsError(
                f"got {self.bins} bins of width {self.bin_width}, wanted two or more, or a width above 0"
            )


def features(
    values: NDArray[Any], mask: NDArray[np.bool_], *, spacing_mm: Spacing, settings: RadiomicsSettings
) -> dict[str, float]:
    """Features of the lesion that `mask` marks in `values`, both (z y x), by name: IBSI's tag and its code.

    A texture that is not defined, such as the correlation of a lesion of one grey level, is NaN. Zwanenburg 2020
    (Radiology 295:328, doi 10.1148/radiol.2020191145); definitions: arXiv:1612.07003. SpecimenError where the mask is
    empty, or no value in it is `within` the range.
    """
    values, mask = _around(np.asarray(values, float), np.asarray(mask, bool))
    if settings.spacing_mm is not None:
        values, mask = resampled(values, mask, spacing_mm=spacing_mm, to_mm=settings.spacing_mm)
        spacing_mm = (settings.spacing_mm,) * 3
    if not mask.any():
        raise SpecimenError("got a lesion without a voxel on the resampled grid; use a smaller spacing_mm")
    low, high = settings.within or (-np.inf, np.inf)
    counted = mask & (values >= low) & (values <= high)
    if not counted.any():
        raise SpecimenError(
            f"no voxel of the lesion is between {low:g} and {high:g}; widen the range, or check the mask"
        )
    found = shape(values, mask, spacing_mm=spacing_mm) if "shape" in settings.families else {}
    levels = discretised(values, counted, settings=settings)
    if "first_order" in settings.families:
        found |= statistics(values[counted]) | histogram(levels[counted])
    for name, texture in TEXTURES.items():
        if name in settings.families:
            found |= texture(levels, aggregation=settings.aggregation)
    return {name: value if np.isfinite(value) else float("nan") for name, value in found.items()}


def _around(values: NDArray[Any], mask: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The box around a mask, and a voxel more on each side, between which and the lesion is interpolated."""
    if values.shape != mask.shape or not mask.any():
        raise SpecimenError(
            f"got values {values.shape} and a mask {mask.shape} of {mask.sum()} voxels, wanted a lesion"
        )
    (box,) = find_objects(mask.astype(np.uint8))
    wide = tuple(slice(max(each.start - 1, 0), each.stop + 1) for each in box)
    return values[wide], mask[wide]


def discretised(values: NDArray[Any], mask: NDArray[np.bool_], *, settings: RadiomicsSettings) -> Counts:
    """Grey levels from 1 inside the mask, 0 outside (IBSI 2.7). With a width, levels begin at the lowest value of the
    range `within`, or of the lesion.
    """
    inside = values[mask]
    low, high = inside.min(), inside.max()
    if settings.bin_width is not None:
        low = settings.within[0] if settings.within is not None and np.isfinite(settings.within[0]) else low
        found = np.floor((values - low) / settings.bin_width)
    else:
        found = np.minimum(np.floor(settings.bins * (values - low) / max(high - low, 1e-12)), settings.bins - 1)
    return np.where(mask, found + 1, 0).astype(np.int64)


def resampled(
    values: NDArray[Any], mask: NDArray[np.bool_], *, spacing_mm: Spacing, to_mm: float
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Both on a grid of cubes with the same centre (IBSI 2.4): linear, and inside where half a voxel is."""
    step = to_mm / np.asarray(spacing_mm)
    size = np.ceil(values.shape / step).astype(int)
    start = (np.asarray(values.shape) - 1 - step * (size - 1)) / 2
    how: Mapping[str, Any] = {"offset": start, "output_shape": tuple(size), "order": 1, "mode": "nearest"}
    soft = affine_transform(mask.astype(float), step, **how)
    return affine_transform(values, step, **how), soft >= 0.5
