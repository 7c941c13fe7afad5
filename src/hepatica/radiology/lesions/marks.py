"""Marks: where a lesion of lesions.csv lies, by its mask or its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import Specimen
from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.liver.mask import Take, open_mask

MASK = "mask"
"""Column of specimens.csv with a mask of all lesions of a specimen."""

_BALL = 24  # ours: voxels across a sphere that stands for a lesion without mask


@dataclass(frozen=True, kw_only=True, eq=False)
class Mark:
    """One lesion: its row's number, id and diameter in mm; what is marked, (z y x) bool cut to its box, and where."""

    lesion_id: str
    marked: np.ndarray = field(repr=False)
    geometry: Geometry
    diameter_mm: float
    outlined: bool

    @cached_property
    def points(self) -> np.ndarray:
        """(n, 3) mm along x, y and z of the marked voxels' centres, in DICOM's patient axes."""
        z, y, x = np.nonzero(self.marked)
        return np.asarray(np.stack([x, y, z], axis=1) @ self.geometry.lps[:3, :3].T + self.geometry.lps[:3, 3])

    @property
    def volume_ml(self) -> float:
        """Of the marked voxels."""
        return float(len(self.points) * np.prod(self.geometry.spacing) / 1000)


def read_marks(specimen: Specimen, lesions: pd.DataFrame, *, step: float) -> tuple[list[Mark], tuple[str, ...]]:
    """The lesions of one specimen (rows of lesions.csv), in their order, and notes on those that are left out; a mask
    file is decoded once.

    A lesion is what its `segment` marks in its `mask`, or in that of the specimen; all of its mask without segment;
    without both, a sphere of its diameter about its centre. `step` is that of `open_mask`. A lesion that has none of
    these, or of which nothing is marked, is left out; SpecimenError where it is the largest, or none is left.
    """
    if lesions.empty:
        raise SpecimenError("no lesion of this specimen is in lesions.csv; add a row for each with its mask or place")
    opened: dict[Path, Take] = {}
    found, faults = [], {}
    for row in lesions.to_dict("records"):
        try:
            found.append(_mark(row, specimen, opened, step=step))
        except SpecimenError as error:
            faults[error] = row["diameter_mm"]
    for error, diameter in faults.items():
        if not found or diameter > max(each.diameter_mm for each in found):
            raise error
    return found, tuple(f"left out: {error}" for error in faults)


def masks_of(specimen: Specimen, lesions: pd.DataFrame) -> list[Path]:
    """The mask files that `read_marks` reads."""
    paths = [_path(row, specimen) for row in lesions.to_dict("records")]
    return list(dict.fromkeys(path for path in paths if path is not None))


def _path(row: Mapping[Any, Any], specimen: Specimen) -> Path | None:
    own = row["mask"]
    if isinstance(own, Path):
        return own
    return specimen.attachments.get(MASK) if pd.notna(row["segment"]) else None


def _mark(row: Mapping[Any, Any], specimen: Specimen, opened: dict[Path, Take], *, step: float) -> Mark:
    name, path = str(row["lesion_id"]), _path(row, specimen)
    if path is None:
        return _sphere(row, name=name)
    with reading(f"the mask of lesion {name}"):
        if path not in opened:
            opened[path] = open_mask(path, step=step)
        marked, geometry = opened[path](None if pd.isna(row["segment"]) else [int(row["segment"])])
    if not marked.any():
        raise SpecimenError(f"the mask of lesion {name} marks nothing; correct its mask or segment in lesions.csv")
    marked, geometry = cut(marked, geometry)
    given = row["diameter_mm"]
    mark = Mark(lesion_id=name, marked=marked, geometry=geometry, diameter_mm=given, outlined=True)
    return mark if pd.notna(given) else _measured(mark)


def _measured(mark: Mark) -> Mark:
    """With the diameter of the sphere of its volume, where none is given."""
    diameter = float(np.cbrt(6000 / np.pi * mark.volume_ml))
    return Mark(**{name: getattr(mark, name) for name in ("lesion_id", "marked", "geometry", "outlined")},
                diameter_mm=diameter)  # fmt: skip


def cut(marked: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, Geometry]:
    """The box of what is marked, and its place."""
    spans = [np.flatnonzero(marked.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    first, last = np.array([(span[0], span[-1] + 1) for span in spans]).T
    inside = marked[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
    origin = geometry.lps @ [*first[::-1], 1]
    z, y, x = inside.shape
    moved = Geometry(
        shape=(z, y, x), spacing=geometry.spacing, origin=tuple(origin[:3].tolist()), directions=geometry.directions
    )
    return inside, moved


def _sphere(row: Mapping[Any, Any], *, name: str) -> Mark:
    centre, diameter = np.array([row[f"{axis}_mm"] for axis in "xyz"], float), float(row["diameter_mm"])
    if np.isnan([*centre, diameter]).any():
        raise SpecimenError(
            f"lesion {name} has no mask, no segment of the specimen's mask, and not both place and diameter_mm; give"
            " one of these in lesions.csv"
        )
    side = diameter / _BALL
    offsets = (np.arange(_BALL) - (_BALL - 1) / 2) * side
    z, y, x = np.meshgrid(offsets, offsets, offsets, indexing="ij")
    left, back, head = (centre + offsets[0]).tolist()
    geometry = Geometry(shape=(_BALL,) * 3, spacing=(side,) * 3, origin=(left, back, head))
    inside = x**2 + y**2 + z**2 <= (diameter / 2) ** 2
    return Mark(lesion_id=name, marked=inside, geometry=geometry, diameter_mm=diameter, outlined=False)
