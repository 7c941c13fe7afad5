"""Aggregation: over which slices and directions a texture is counted, merged and averaged (IBSI 3.6 to 3.10)."""

from collections.abc import Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

AGGREGATIONS: Mapping[str, tuple[int, ...]] = {
    "2D, averaged": (),
    "2D, slice-merged": (1,),
    "2.5D, direction-merged": (0,),
    "2.5D, merged": (0, 1),
    "3D, averaged": (),
    "3D, merged": (0, 1),
}
"""Which axes of matrices (slices, directions, …) are summed before features are taken; the rest is averaged after. In
2D and 2.5D neighbours are of one slice; in 3D there is one "slice", the volume. Zones have one direction."""

Place = tuple[int, int, int]

_SIDES = (-1, 0, 1)
HALF: tuple[Place, ...] = tuple(each for each in product(_SIDES, _SIDES, _SIDES) if each > (0, 0, 0))
"""The 13 directions to a neighbour (z y x), one of each opposite two."""


def is_planar(aggregation: str) -> bool:
    """Whether neighbours are of one slice."""
    return not aggregation.startswith("3D")


def directions(aggregation: str) -> tuple[Place, ...]:
    """The 13 directions of a volume, or the 4 of a slice."""
    return tuple(each for each in HALF if each[0] == 0) if is_planar(aggregation) else HALF


def combined(counts: Counts, aggregation: str) -> Floats:
    """Matrices (slices, directions, levels, columns) to those of which features are taken, (m, levels, columns); none
    that is empty: of a slice of one voxel there are no pairs.
    """
    summed = counts.sum(axis=AGGREGATIONS[aggregation], keepdims=True).reshape(-1, *counts.shape[2:])
    return np.asarray(summed[summed.any(axis=(1, 2))], float)


def averaged(features: Mapping[str, Floats]) -> dict[str, float]:
    """The mean of each feature (m,) over the matrices of which it is defined; NaN where it is of none."""
    defined = {name: values[np.isfinite(values)] for name, values in features.items()}
    return {name: float(values.mean()) if values.size else float("nan") for name, values in defined.items()}


def entropy(shares: Floats) -> Floats:
    """Entropy in bits of shares (m, n), each row of sum 1: (m,)."""
    return np.asarray(-(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1))
