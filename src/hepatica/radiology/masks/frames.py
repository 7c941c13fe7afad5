"""Frames: DICOM Segmentations, each frame where it says, and RT Structure Sets, filled: segments by number and name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.path import Path as Outline
from pydicom import Dataset

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.dicom.header import read_dataset
from hepatica.radiology.dicom.sources import Source
from hepatica.radiology.dicom.stack import MOST_PLACES, ON_GRID

Only = Literal["liver"] | Collection[int] | None
"""What of a mask is wanted: the organ of this name, the labels or segments of these numbers, or whatever is marked."""

LIVER_CODES = frozenset({("10200004", "SCT"), ("T-62000", "SRT"), ("T-62000", "SNM3"), ("7197", "FMA")})
"""The liver as a segmented property type: SNOMED CT, SNOMED RT as DICOM used it before 2018, and FMA."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """A mask as its file has it. `names` of its segments by number, empty where the file has none; `take` gives what is
    wanted of it, (z y x) bool, and the grid of that.
    """

    names: Mapping[int, str]
    take: Callable[[Only], tuple[np.ndarray, Geometry]]


_MARKED = 0.5  # ours: a fractional segment counts from here on


def of_seg(source: Source, *, step: float) -> Segments:
    """The marked frames of a DICOM SEG (PS3.3 A.51), each at its own place on a regular grid, empty where there is
    none.

    `step`: mm between the slices of the volume, by which frames are placed that do not say how far apart they are.
    """
    import highdicom as hd

    with reading("the DICOM SEG"), tolerant():
        with source.open() as file:
            seg = hd.seg.segread(file)
        shared = seg.SharedFunctionalGroupsSequence[0]
        groups = [_Groups(own=each, shared=shared) for each in seg.PerFrameFunctionalGroupsSequence]
        frames = seg.pixel_array.reshape(-1, seg.Rows, seg.Columns)

    def take(only: Only) -> tuple[np.ndarray, Geometry]:
        numbers = [each for each in seg.segment_numbers if _is_wanted(seg, each, only=only)]
        if not numbers:
            raise SpecimenError(f"the DICOM SEG has no segment {only}; give a mask that has")
        kept = [(group, marked) for group, frame in zip(groups, frames, strict=True)
                if (marked := _marked(seg, group, frame, numbers)) is not None]  # fmt: skip
        return _placed(kept or [(group, np.zeros(frames.shape[1:], bool)) for group in groups], step=step)

    names = {each: str(seg.get_segment_description(each).segment_label) for each in seg.segment_numbers if each > 0}
    return Segments(names=names, take=take)


@dataclass(frozen=True, kw_only=True)
class _Groups:
    """The functional groups of one frame."""

    own: Dataset
    shared: Dataset

    def value(self, group: str, name: str) -> Any:
        """An attribute of the frame's own group, or of the shared one; None where neither has it."""
        found = self.own.get(group) or self.shared.get(group) or [Dataset()]
        return found[0].get(name)

    def numbers(self, group: str, name: str) -> np.ndarray:
        """The same as numbers; SpecimenError when they are absent."""
        return np.array(self.value(group, name), float)


def _marked(seg: Any, group: _Groups, frame: np.ndarray, numbers: Collection[int]) -> np.ndarray | None:
    """What of a frame belongs to the segments of these numbers; None where the frame is of another segment."""
    if seg.SegmentationType == "LABELMAP":
        return np.isin(frame, list(numbers))
    if group.value("SegmentIdentificationSequence", "ReferencedSegmentNumber") not in numbers:
        return None
    full = seg.MaximumFractionalValue if seg.SegmentationType == "FRACTIONAL" else 1
    return np.asarray(frame >= _MARKED * full)


def _placed(frames: Sequence[tuple[_Groups, np.ndarray]], *, step: float) -> tuple[np.ndarray, Geometry]:
    first = frames[0][0]
    rows, columns = np.split(first.numbers("PlaneOrientationSequence", "ImageOrientationPatient"), 2)
    normal = np.cross(rows, columns)
    down, across = first.numbers("PixelMeasuresSequence", "PixelSpacing")
    corners = np.array([group.numbers("PlanePositionSequence", "ImagePositionPatient") for group, _ in frames])
    heights = corners @ normal
    apart = _apart(np.unique(heights.round(3)), first, step=step)
    cells = np.round((heights - heights.min()) / apart).astype(int)
    if cells.max() > MOST_PLACES * (len(frames) + 100):
        raise SpecimenError("the frames of the DICOM SEG lie too far apart; send it again")
    marked = np.zeros((int(cells.max()) + 1, *frames[0][1].shape), bool)
    for cell, (_, frame) in zip(cells, frames, strict=True):
        marked[cell] |= frame
    lps = np.eye(4)
    lps[:3, :3] = np.stack([rows * across, columns * down, normal * apart], axis=1)
    lps[:3, 3] = corners[heights.argmin()]
    z, y, x = marked.shape
    return marked, from_lps(lps, shape=(z, y, x))


def _apart(heights: np.ndarray, first: _Groups, *, step: float) -> float:
    """mm between slices: what the file says, else the least distance or the thickness on which all frames lie."""
    stated = first.value("PixelMeasuresSequence", "SpacingBetweenSlices")
    thick = float(first.value("PixelMeasuresSequence", "SliceThickness") or step)
    least = float(np.diff(heights).min()) if len(heights) > 1 else thick
    tried = [*([float(stated)] if stated else []), min(least, thick), step]
    tried = [each for each in tried if each > 0]
    off = [np.abs((heights - heights[0]) / each - np.round((heights - heights[0]) / each)).max() for each in tried]
    return tried[int(np.argmax(np.array(off) <= ON_GRID))] if min(off) <= ON_GRID else tried[int(np.argmin(off))]


def _is_wanted(seg: Any, number: int, *, only: Only) -> bool:
    if only != "liver":
        return number in only if only is not None else number > 0  # 0 is the background of a label map
    description = seg.get_segment_description(number)
    kind = description.segmented_property_type
    named = str(description.segment_label).strip().lower() == "liver"
    return named or (kind.value, kind.scheme_designator) in LIVER_CODES


_FLAT = 0.5  # ours: voxels along z by which the points of one contour may differ


def of_structures(source: Source, *, geometry: Geometry) -> Segments:
    """The regions of an RT Structure Set (PS3.3 A.19) on the grid of `geometry`, the volume's own.

    A voxel is marked where its centre lies within the closed planar contours of its slice: within an odd number of
    them, so that a contour inside another is a hole. A slice without contour, between two not further apart than the
    contours are from each other, has that of the nearest. SpecimenError where contours are not in the planes of the
    volume's slices.
    """
    with reading("the RTSTRUCT"), tolerant():
        dataset = read_dataset(source)
        names = {int(each.ROINumber): str(each.get("ROIName", "")) for each in dataset.StructureSetROISequence}
        livers = {number for number, name in names.items() if name.strip().lower() == "liver"} | _coded(dataset)
        outlines = {int(each.ReferencedROINumber): _outlines(each, geometry) for each in dataset.ROIContourSequence}

    def take(only: Only) -> tuple[np.ndarray, Geometry]:
        wanted = names if only is None else livers if only == "liver" else set(only) & set(names)
        if not wanted:
            raise SpecimenError(f"the RTSTRUCT has no region {only}; give a mask that has")
        marked = np.zeros(geometry.shape, bool)
        for number in wanted:
            marked |= _filled(outlines.get(number, []), geometry.shape)
        return marked, geometry

    return Segments(names=names, take=take)


def _coded(dataset: Any) -> set[int]:
    """Numbers of the regions whose code is that of the liver."""
    found = set()
    for each in dataset.get("RTROIObservationsSequence") or []:
        for code in each.get("RTROIIdentificationCodeSequence") or []:
            if (str(code.get("CodeValue")), str(code.get("CodingSchemeDesignator"))) in LIVER_CODES:
                found.add(int(each.ReferencedROINumber))
    return found


def _outlines(region: Any, geometry: Geometry) -> list[tuple[float, np.ndarray]]:
    """Place along z and points (n 2) along x and y of each closed contour, in voxels of the volume."""
    found = []
    to_index = np.linalg.inv(geometry.lps)
    for contour in region.get("ContourSequence") or []:
        if str(contour.ContourGeometricType) != "CLOSED_PLANAR":
            continue
        points = np.reshape(np.array(contour.ContourData, float), (-1, 3))
        index = points @ to_index[:3, :3].T + to_index[:3, 3]
        if np.ptp(index[:, 2]) > _FLAT:
            raise SpecimenError("the contours of the RTSTRUCT are not in the planes of the series; name its own series")
        found.append((float(index[:, 2].mean()), index[:, :2]))
    return found


def _filled(outlines: Sequence[tuple[float, np.ndarray]], shape: tuple[int, int, int]) -> np.ndarray:
    """(z y x) bool: what the contours enclose."""
    marked = np.zeros(shape, bool)
    places = np.unique(np.round([place for place, _ in outlines], 3))
    if not len(places):
        return marked
    apart = max(1.0, float(np.diff(places).min())) if len(places) > 1 else 1.0
    for k in range(shape[0]):
        nearest = places[np.abs(places - k).argmin()]
        if abs(nearest - k) <= apart / 2:
            for place, points in outlines:
                if abs(place - nearest) < 1e-3:
                    _turn_over(marked[k], points)
    return marked


def _turn_over(image: np.ndarray, points: np.ndarray) -> None:
    """Turn over the pixels (y x) whose centres lie within a contour, in place."""
    low = np.clip(np.floor(points.min(axis=0)).astype(int), 0, np.array(image.shape[::-1]))
    high = np.clip(np.ceil(points.max(axis=0)).astype(int) + 1, 0, np.array(image.shape[::-1]))
    x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    inside = Outline(points).contains_points(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    image[low[1] : high[1], low[0] : high[0]] ^= inside
