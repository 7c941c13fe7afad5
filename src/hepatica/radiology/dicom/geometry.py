"""Geometry: where the voxels of a volume lie in the patient."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """A regular grid, its axes named (z y x): z from the feet to the head, y from front to back, x from right to left.

    These are DICOM's patient axes (LPS: x grows to the left, y to the back, z to the head), so an axial slice lies as
    radiologists see it. All is in mm; `spacing` is (z y x), `origin` is the (x, y, z) of the centre of the first voxel,
    `directions` are the unit vectors (x, y, z) along the axes z, y and x of the array.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    directions: tuple[tuple[float, float, float], ...] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))

    @property
    def lps(self) -> np.ndarray:
        """(4 4): from an index (x, y, z, 1), the order of axes of NIfTI and ITK, to mm in DICOM's patient axes."""
        matrix = np.eye(4)
        matrix[:3, :3] = (np.array(self.directions) * np.array(self.spacing)[:, None])[::-1].T
        matrix[:3, 3] = self.origin
        return matrix

    @property
    def affine(self) -> np.ndarray:
        """(4 4): from an index (x, y, z, 1) to mm in NIfTI's axes, whose x grows to the right and y to the front."""
        return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.lps)

    def agrees(self, other: "Geometry", *, tolerance: float = 0.1) -> bool:
        """Whether both have the same voxels: equal shape, and corners closer than `tolerance` of a voxel's side."""
        if self.shape != other.shape:
            return False
        corners = np.array([[0, 0, 0, 1], [*(side - 1 for side in reversed(self.shape)), 1]]).T
        return bool(np.abs((self.lps - other.lps) @ corners).max() <= tolerance * min(self.spacing))


def from_lps(matrix: np.ndarray, *, shape: tuple[int, int, int]) -> Geometry:
    """The geometry of an array (z y x) of which `matrix` takes an index (x, y, z, 1) to mm in DICOM's patient axes."""
    columns = matrix[:3, :3].T[::-1]
    spacing = np.linalg.norm(columns, axis=1)
    directions = tuple((float(x), float(y), float(z)) for x, y, z in columns / spacing[:, None])
    z, y, x = (float(each) for each in spacing)
    left, back, head = (float(each) for each in matrix[:3, 3])
    return Geometry(shape=shape, spacing=(z, y, x), origin=(left, back, head), directions=directions)
