"""Marks: where a lesion of lesions.csv lies, by its mask or its place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage

from hepatica.cohort import Specimen
from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.masks.frames import Segments
from hepatica.radiology.masks.mask import open_mask

MASK = "mask"
"""Column of specimens.csv with a mask of all lesions of a specimen."""

LEAST_MM = 5.0
"""Diameter from which on a part of a mask without rows is a lesion, and not a speck (ours)."""

LIVER_ML = 150.0
"""Volume from which on a label that encloses all others is the liver (ours)."""

_ORGAN = re.compile(r"^liver(?!.*(lesion|tumou?r|mass))|vessel|spleen|kidney", re.IGNORECASE)

_BALL = 24  # ours: voxels across a sphere in place of a lesion without mask


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


def read_marks(specimen: Specimen, lesions: pd.DataFrame, *, geometry: Geometry) -> tuple[list[Mark], tuple[str, ...]]:
    """The lesions of one specimen (rows of lesions.csv), in their order, and notes on those that are left out; a mask
    file is decoded once. `geometry` is that of the volume.

    A lesion is what its `segment` marks in its `mask`, or in that of the specimen; all of its mask without segment;
    without both, a sphere of its diameter about its centre. A lesion that has none of these, or of which nothing is
    marked, is left out; SpecimenError where it is the largest, or none is left.
    """
    if lesions.empty:
        raise SpecimenError("no lesion of this specimen is in lesions.csv; add a row for each with its mask or place")
    opened: dict[Path, Segments] = {}
    found, faults = [], {}
    for row in lesions.to_dict("records"):
        try:
            found.append(_mark(row, specimen, opened, geometry))
        except SpecimenError as error:
            faults[error] = row["diameter_mm"]
    for fault, diameter in faults.items():
        if not found or diameter > max(each.diameter_mm for each in found):
            raise fault
    return found, tuple(f"left out: {fault}" for fault in faults)


def masks_of(specimen: Specimen, lesions: pd.DataFrame) -> list[Path]:
    """The mask files that `read_marks` reads, beside the specimen's own."""
    paths = [_path(row, specimen) for row in lesions.to_dict("records")]
    paths += [specimen.attachments.get(MASK)] if lesions.empty else []
    return list(dict.fromkeys(path for path in paths if path is not None))


def _path(row: Mapping[Any, Any], specimen: Specimen) -> Path | None:
    own = row["mask"]
    if isinstance(own, Path):
        return own
    return specimen.attachments.get(MASK) if pd.notna(row["segment"]) else None


def _mark(row: Mapping[Any, Any], specimen: Specimen, opened: dict[Path, Segments], geometry: Geometry) -> Mark:
    name, path = str(row["lesion_id"]), _path(row, specimen)
    if path is None:
        return _sphere(row, name=name)
    with reading(f"the mask of lesion {name}"):
        if path not in opened:
            opened[path] = open_mask(path, geometry=geometry)
        marked, place = opened[path].take(None if pd.isna(row["segment"]) else [int(row["segment"])])
    if not marked.any():
        raise SpecimenError(f"the mask of lesion {name} marks nothing; correct its mask or segment in lesions.csv")
    return _outlined(name, marked, place, diameter_mm=row["diameter_mm"])


def _outlined(name: str, marked: np.ndarray, place: Geometry, *, diameter_mm: float = np.nan) -> Mark:
    """Where no diameter is given, that of the sphere of the marked volume."""
    marked, place = cut(marked, place)
    of_volume = float(np.cbrt(6 / np.pi * marked.sum() * np.prod(place.spacing)))
    diameter = of_volume if pd.isna(diameter_mm) else float(diameter_mm)
    return Mark(lesion_id=name, marked=marked, geometry=place, diameter_mm=diameter, outlined=True)


def find_marks(specimen: Specimen, *, geometry: Geometry) -> tuple[list[Mark], tuple[str, ...]]:
    """Of a specimen without any lesions.csv: the lesions of a mask that lies with the study, or that the column MASK
    names, and a note.

    Its segments but the liver's are a lesion each; of one segment, each separate part of LEAST_MM or more, the largest
    first. SpecimenError where there is no such mask, or it marks no lesion.
    """
    path = specimen.attachments.get(MASK, specimen.path)
    try:
        if path == specimen.path and not path.is_dir() and path.suffix != ".zip":
            raise SpecimenError("it is one file")
        with reading("the mask"):
            segments = open_mask(path, geometry=geometry)
    except SpecimenError as error:
        raise SpecimenError(
            f"no lesion of this specimen is in lesions.csv, and no mask lies with it ({error}); add a row for each"
            " lesion with its mask or place"
        ) from error
    numbers = [each for each, name in segments.names.items() if not _ORGAN.search(name)]
    parts = {each: segments.take([each]) for each in numbers}
    marks = {each: _outlined(str(each), *part) for each, part in parts.items() if part[0].any()}
    if 1 in marks and not segments.names[1] and _encloses(marks[1], [marks[each] for each in marks if each > 1]):
        del marks[1]  # liver 1, its lesions 2 and on, as LiTS has it
    found = [part for each in marks.values() for part in (_separate(each) if len(marks) == 1 else [each])]
    if not found:
        raise SpecimenError("the mask that lies with this specimen marks no lesion")
    return found, ("lesions by the mask that lies with the study; no rows in lesions.csv",)


def _encloses(one: Mark, others: list[Mark]) -> bool:
    """Whether one of LIVER_ML or more has all others within its box."""
    if not others or one.volume_ml < LIVER_ML:
        return False
    inside = np.concatenate([each.points for each in others])
    return bool((inside.min(axis=0) >= one.points.min(axis=0)).all()) and bool(
        (inside.max(axis=0) <= one.points.max(axis=0)).all()
    )


def _separate(mark: Mark) -> list[Mark]:
    parts, count = ndimage.label(mark.marked, np.ones((3, 3, 3)))
    found = [_outlined("", parts == number, mark.geometry) for number in range(1, count + 1)]
    large = sorted((each for each in found if each.diameter_mm >= LEAST_MM), key=lambda each: -each.diameter_mm)
    return [replace(each, lesion_id=str(number)) for number, each in enumerate(large, start=1)]


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
