"""Shapes: ellipsoids and tubes on the voxels of a scan, as millimetres of depth below their surface."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.phantom.scanner import PhantomSettings

Millimetres = tuple[float, float, float]
"""x to the patient's left, y to the back, z to the head: the axes of DICOM."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where voxels lie: x (1, 1, w), y (1, h, 1), z (d, 1, 1) in millimetres, 0 in the middle of the scan."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    pixel: float
    thickness: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """(z, y, x) voxels."""
        return self.z.size, self.y.size, self.x.size

    @property
    def geometry(self) -> Geometry:
        """The same in the patient's axes."""
        origin = (float(self.x.flat[0]), float(self.y.flat[0]), float(self.z.flat[0]))
        return Geometry(shape=self.shape, spacing=(self.thickness, self.pixel, self.pixel), origin=origin)

    def grain(self, millimetres: float) -> Millimetres:
        """So many millimetres in voxels along z, y, x; a slice at least, where slices are thicker."""
        within = max(1.0, millimetres / self.pixel)
        return max(1.0, millimetres / self.thickness), within, within

    def box(self, centre: Millimetres, reach: float) -> tuple[slice, slice, slice]:
        """The voxels within `reach` millimetres of the centre along each axis, as slices of z, y, x."""
        x, y, z = (
            slice(*np.searchsorted(axis.ravel(), (at - reach, at + reach)))
            for axis, at in zip((self.x, self.y, self.z), centre, strict=True)
        )
        return z, y, x


def grid_of(settings: PhantomSettings) -> Grid:
    """The grid of a scan."""
    pixel = settings.field_of_view_mm / settings.matrix
    within = _centred(settings.matrix) * np.float32(pixel)
    along = _centred(settings.slices) * np.float32(settings.thickness_mm)
    return Grid(
        x=within[np.newaxis, np.newaxis, :],
        y=within[np.newaxis, :, np.newaxis],
        z=along[:, np.newaxis, np.newaxis],
        pixel=pixel,
        thickness=settings.thickness_mm,
    )


def _centred(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.float32) - np.float32((count - 1) / 2)


def ellipsoid(grid: Grid, *, centre: Sequence[float], radii: Sequence[float]) -> np.ndarray:
    """(z, y, x) depth below the surface, negative outside; exact for spheres only. An infinite radius makes a tube."""
    (x, y, z), (a, b, c) = np.asarray(centre, np.float32), np.asarray(radii, np.float32)
    within = ((grid.x - x) / a) ** 2 + ((grid.y - y) / b) ** 2 + ((grid.z - z) / c) ** 2
    return np.asarray(np.float32(min(radii)) * (1 - np.sqrt(within)))


def tube(grid: Grid, *, start: Sequence[float], end: Sequence[float], radius: float) -> np.ndarray:
    """(z, y, x) depth below the surface of a straight tube with round ends."""
    first = np.asarray(start, np.float32)
    along = np.asarray(end, np.float32) - first
    x, y, z = grid.x - first[0], grid.y - first[1], grid.z - first[2]
    share = np.clip((x * along[0] + y * along[1] + z * along[2]) / (along @ along), 0, 1)
    apart = (x - share * along[0]) ** 2 + (y - share * along[1]) ** 2 + (z - share * along[2]) ** 2
    return np.asarray(np.float32(radius) - np.sqrt(apart))
