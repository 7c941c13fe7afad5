"""Margin: how far an ablation zone reaches beyond the surface of the tumour, and how surely that is known."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.stats import norm

from hepatica.cohort.errors import SpecimenError

SAFE_MM = 5.0
"""The margin from which on An 2020 (doi 10.3389/fonc.2020.573316) calls an ablation sufficient."""

WIDEST_MM = 10.0
"""Margin from which on maps show nothing (ours)."""

EDGE = 0.5
"""Share of a voxel from which on it is within."""

_DRAWS, _SEED = 1000, 2020  # ours: registration errors that are tried


@dataclass(frozen=True, kw_only=True, eq=False)
class Margin:
    """`points` (n 3) mm along z, y and x of the grid, on the surface of the tumour, and `area` (n) mm2 of each.

    `mm` (n): how far it is to the surface of the zone, below 0 where the tumour reaches beyond it; `slope` (n 3): how
    that changes as the point moves.
    """

    points: np.ndarray = field(repr=False)
    area: np.ndarray = field(repr=False)
    mm: np.ndarray = field(repr=False)
    slope: np.ndarray = field(repr=False)

    @property
    def least(self) -> float:
        """The least of the surface, mm."""
        return float(self.mm.min())

    def share_below(self, mm: float = SAFE_MM) -> float:
        """Share of the tumour's surface, 0 to 1, with less."""
        return float(self.area[self.mm < mm].sum() / self.area.sum())

    def interval(self, error_mm: float, *, level: float = 0.9) -> tuple[float, float]:
        """Of the least margin, mm, where the registration is off by `error_mm` (root of the mean square, in space); not
        numbers where that is not known.

        The tumour is moved by errors drawn from a normal distribution. As each makes the least margin smaller at the
        median, so did the one that is there: by this the middle of the interval lies above the measured margin. About
        it are the normal limits of the error along one direction (ours).
        """
        if np.isnan(error_mm):
            return np.nan, np.nan
        along = error_mm / np.sqrt(3)
        moved = np.random.default_rng(_SEED).normal(0, along, (_DRAWS, 3))
        middle = 2 * self.least - np.median((self.mm + moved @ self.slope.T).min(axis=1))
        reach = along * norm.ppf((1 + level) / 2)
        return float(middle - reach), float(middle + reach)


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """The surface of what is marked: `share` (z y x) 0..1 of each voxel, whose sides are `spacing` mm."""

    share: np.ndarray = field(repr=False)
    spacing: tuple[float, float, float]

    @cached_property
    def triangles(self) -> tuple[np.ndarray, np.ndarray]:
        """Points (n 3) in mm along z, y and x, and which three make each triangle (m 3); what reaches the edge of the
        grid ends there. SpecimenError where nothing is marked.
        """
        from skimage.measure import marching_cubes  # of an extra

        if not (self.share >= EDGE).any():
            raise SpecimenError("got a tumour or an ablation zone of no voxel in the crop; correct its outline")
        points, faces, *_ = marching_cubes(np.pad(self.share, 1), EDGE, spacing=self.spacing)
        return points - np.array(self.spacing), faces

    @property
    def areas(self) -> np.ndarray:
        """(n) mm2 of each point: a third of that of its triangles."""
        points, faces = self.triangles
        first, one, other = points[faces].swapaxes(0, 1)
        own = np.linalg.norm(np.cross(one - first, other - first), axis=1) / 6
        return np.bincount(faces.ravel(), np.repeat(own, 3), minlength=len(points))

    @cached_property
    def tree(self) -> cKDTree:
        """Of the points, the middles of the edges and those of the triangles."""
        points, faces = self.triangles
        corners = points[faces]
        middles = (corners + np.roll(corners, 1, axis=1)) / 2
        return cKDTree(np.concatenate([points, middles.reshape(-1, 3), corners.mean(axis=1)]))

    def depth(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n) mm of points (n 3) below the surface, negative outside; and (n 3) how that changes as they move."""
        away, nearest = self.tree.query(points)
        inside = ndimage.map_coordinates(self.share, (points / np.array(self.spacing)).T, order=1, cval=0.0) >= EDGE
        sign = np.where(inside, 1.0, -1.0)
        towards = (self.tree.data[nearest] - points) / np.maximum(away, 1e-6)[:, None]
        return sign * away, -sign[:, None] * towards


def margin_of(tumour: np.ndarray, zone: np.ndarray, *, spacing: tuple[float, float, float]) -> Margin:
    """Of a tumour and the ablation zone, shares 0..1 of each voxel (z y x) of one grid; `spacing` in mm.

    Both surfaces are where a half of a voxel is marked, between voxels by the straight line. SpecimenError where one
    marks nothing.
    """
    own, around = Surface(share=tumour, spacing=spacing), Surface(share=zone, spacing=spacing)
    points, _ = own.triangles
    mm, slope = around.depth(points)
    return Margin(points=points, area=own.areas, mm=mm, slope=slope)


def refuse(share: np.ndarray, *, what: str, of: str = "crop") -> None:
    """SpecimenError where nothing of `what` is marked, or it is at the edge of the grid, beyond which it may go on."""
    if not (share >= EDGE).any():
        raise SpecimenError(f"the {what} marks no voxel of the {of}; correct its outline")
    if max(np.take(share, place, axis=axis).max() for axis in range(3) for place in (0, -1)) >= EDGE:
        raise SpecimenError(f"the {what} reaches beyond the {of}; give more voxels, or a scan that shows all of it")
