"""Surface: distances in mm between the surfaces of two masks of one case."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hepatica.evaluate.inputs import Booleans, Floats
from hepatica.evaluate.segmentation.overlap import MaskPair


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
