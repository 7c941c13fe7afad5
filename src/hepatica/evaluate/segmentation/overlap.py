"""Overlap: the true and the predicted mask of one case on one grid, their Dice, errors of volume and surfaces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Booleans, Floats


@dataclass(frozen=True, kw_only=True)
class MaskPair:
    """Two masks of one shape, in 2 or 3 axes, cut to the box that holds both; `spacing` in mm of each axis."""

    truth: Booleans
    predicted: Booleans
    spacing: tuple[float, ...]


def mask_pair(truth: ArrayLike, *, predicted: ArrayLike, spacing: Sequence[float]) -> MaskPair:
    """Check two masks of one shape, in 2 or 3 axes, and their `spacing` in mm, one number an axis in the same order.

    Masks hold booleans, or 0 and 1. Raises EvaluationError on other values, shapes that differ, or a spacing that is
    not above 0.
    """
    true, found = binary_mask(truth, name="truth"), binary_mask(predicted, name="predicted")
    if true.shape != found.shape or true.ndim not in (2, 3):
        raise EvaluationError(f"masks: got shapes {true.shape} and {found.shape}, wanted one shape of 2 or 3 axes")
    steps = tuple(float(step) for step in spacing)
    if len(steps) != true.ndim or not all(0 < step < np.inf for step in steps):
        raise EvaluationError(f"spacing: got {steps}, wanted {true.ndim} numbers of mm above 0")
    box = next(iter(ndimage.find_objects((true | found).astype(np.uint8))), ())
    return MaskPair(truth=true[box], predicted=found[box], spacing=steps)


def binary_mask(values: ArrayLike, *, name: str) -> Booleans:
    """Booleans, from themselves or from 0 and 1; EvaluationError on other values."""
    array = np.asarray(values)
    mask: Booleans = array.astype(bool)
    if array.dtype != bool and not np.array_equal(array, mask):
        raise EvaluationError(
            f"{name}: got values other than 0 and 1, wanted a mask; choose one label of the map first"
        )
    return mask


def dice(pair: MaskPair) -> float:
    """Twice the voxels in both masks over the voxels of either (Dice 1945, doi 10.2307/1932409).

    Both empty: 1. One empty: 0.
    """
    either = np.count_nonzero(pair.truth) + np.count_nonzero(pair.predicted)
    return float(2 * np.count_nonzero(pair.truth & pair.predicted) / either) if either else 1.0


def volume_error_ml(pair: MaskPair) -> float:
    """Predicted minus true volume in mL; EvaluationError for masks of 2 axes, which have none."""
    if pair.truth.ndim != 3:
        raise EvaluationError("volume: got masks of 2 axes, wanted 3; an image has only an area")
    voxels = np.count_nonzero(pair.predicted) - np.count_nonzero(pair.truth)
    return float(voxels * np.prod(pair.spacing) / 1000)


def relative_volume_error(pair: MaskPair) -> float:
    """Predicted over true volume (or area), minus 1; NaN when the true mask is empty."""
    true = np.count_nonzero(pair.truth)
    return float(np.count_nonzero(pair.predicted) / true - 1) if true else float("nan")


@dataclass(frozen=True, kw_only=True)
class SurfaceDistances:
    """Distance in mm from each surface voxel of either mask to the surface of the other.

    No numbers from a mask that is empty, and infinity to it.
    """

    from_truth: Floats
    from_predicted: Floats


def surface_distances(pair: MaskPair) -> SurfaceDistances:
    """Distances between centres of surface voxels: those with a face on the background or on the edge of the image."""
    true, found = _surface(pair.truth), _surface(pair.predicted)
    return SurfaceDistances(
        from_truth=_distance_to(found, pair.spacing)[true], from_predicted=_distance_to(true, pair.spacing)[found]
    )


def _surface(mask: Booleans) -> Booleans:
    inside: Booleans = ndimage.binary_erosion(mask)
    return mask & ~inside


def _distance_to(surface: Booleans, spacing: tuple[float, ...]) -> Floats:
    if not surface.any():
        return np.full(surface.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~surface, sampling=spacing))


def hausdorff(distances: SurfaceDistances, *, percentile: float = 100) -> float:
    """Hausdorff distance in mm: the larger, of the two directions, of that percentile (0 to 100) of the distances.

    100 is the maximum; HD95 is 95 (Maier-Hein 2024, doi 10.1038/s41592-023-02151-z). NaN when a mask is empty.
    """
    both = (distances.from_truth, distances.from_predicted)
    if not all(each.size for each in both):
        return float("nan")
    return float(max(np.percentile(each, percentile) for each in both))


def surface_dice(distances: SurfaceDistances, *, tolerance: float) -> float:
    """Share of the surface voxels of both masks that lie within `tolerance` mm of the other surface, ends included.

    Nikolov 2021 (doi 10.2196/26151) weighs surface by its area; here each surface voxel counts the same. Both masks
    empty: 1. One empty: 0.
    """
    every = np.concatenate([distances.from_truth, distances.from_predicted])
    return float((every <= tolerance).mean()) if every.size else 1.0
