"""Frames: DICOM Segmentations, whose frames lie where each of them says."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom import Dataset

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.dicom.sources import Source
from hepatica.radiology.dicom.stack import MOST_PLACES, ON_GRID
from hepatica.radiology.masks.segments import LIVER_CODES, Only, Segments

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
