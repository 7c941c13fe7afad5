"""Mask: a segmentation of a patient, from NIfTI or DICOM SEG, brought onto the voxels of a volume."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
from pydicom import Dataset
from scipy import ndimage

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.dicom.header import read_dataset
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.dicom.sources import Source, find_sources
from hepatica.radiology.dicom.stack import MOST_PLACES, ON_GRID

Only = Literal["liver"] | Collection[int] | None
"""What of a mask is wanted: the organ of this name, the labels or segments of these numbers, or whatever is marked."""

Take = Callable[[Only], tuple[np.ndarray, Geometry]]
"""What of an opened mask is marked, (z y x) bool on the mask's own grid, and that grid."""

LIVER_CODES = frozenset({("10200004", "SCT"), ("T-62000", "SRT"), ("T-62000", "SNM3"), ("7197", "FMA")})
"""The liver as a segmented property type: SNOMED CT, SNOMED RT as DICOM used it before 2018, and FMA."""

_TOTAL_SEGMENTATOR_LIVER = 5  # label of its task `total`, versions 1 and 2 (Wasserthal 2023, doi 10.1148/ryai.230024)

_MARKED = 0.5  # ours: a fractional segment counts from here on


def read_mask(path: Path, *, geometry: Geometry, only: Only = None) -> np.ndarray:
    """What is marked, (z y x) bool on the grid of `geometry`, by the nearest voxel in the patient's axes.

    `path` is a NIfTI file, a DICOM Segmentation (PS3.3 A.51), a zip archive with one such Segmentation, or a folder
    with one of either, among whatever else; in a folder of TotalSegmentator, `liver.nii.gz` is the liver. Each frame of
    a Segmentation lies where it says.
    All spacings and orientations go together as long as mask and volume share the frame of reference, which NIfTI
    cannot say.

    `only` "liver" takes the segment whose type is coded so (`LIVER_CODES`) or whose name is liver. In NIfTI it is the
    label the file's own table calls liver; without table all that is marked where there is one label, or where most is
    labelled 1 (liver 1, its lesions 2 and on, as LiTS has it), and otherwise label 5, as TotalSegmentator has it.

    SpecimenError when there is no mask or more than one, when it is damaged, has not what is wanted, or lies wholly
    beside the volume. A mask of zeros is a mask: nothing is marked.
    """
    with reading("the mask"):
        marked, own = open_mask(path, step=geometry.spacing[0], only=only)(only)
    if not _meet(own, geometry):
        raise SpecimenError("the mask lies entirely outside the volume; give the mask of this patient and this study")
    return marked if own.agrees(geometry) else _resampled(marked, own, geometry)


def open_mask(path: Path, *, step: float, only: Only = None) -> Take:
    """The mask of `read_mask` decoded once, of which each call takes other labels; `only` is by what its file is found.

    `step`: mm between the slices of the volume, by which frames of a DICOM SEG are placed that do not say how far
    apart they are.
    """
    source = _find(path, only=only)
    return _of_nifti(source.path) if _is_nifti(source) else _of_seg(source, step=step)


def _find(path: Path, *, only: Only) -> Source:
    """The NIfTI file, or the file or member of an archive that is a DICOM SEG."""
    if path.is_dir() and only == "liver" and (path / "liver.nii.gz").is_file():
        return Source(path=path / "liver.nii.gz")
    files = find_sources(path)
    found = [each for each in files if _is_nifti(each)] or [each for each in files if _is_seg(each)]
    if len(found) != 1:
        raise SpecimenError(
            f"got {len(found)} masks (NIfTI files, else DICOM SEG), wanted one; give the path of the mask itself"
        )
    return found[0]


def _is_nifti(source: Source) -> bool:
    return source.member is None and source.path.name.lower().endswith((".nii", ".nii.gz"))


def _is_seg(source: Source) -> bool:
    try:
        return str(read_dataset(source).get("Modality")) == "SEG"
    except SpecimenError:
        return False


def _of_nifti(path: Path) -> Take:
    labels, geometry = read_nifti(path)

    def take(only: Only) -> tuple[np.ndarray, Geometry]:
        if only is None:
            return labels > 0, geometry
        wanted = _liver_labels(path, labels) if only == "liver" else only
        return np.isin(labels, list(wanted)), geometry

    return take


def _liver_labels(path: Path, labels: np.ndarray) -> Collection[float]:
    there, counts = np.unique(labels[labels > 0], return_counts=True)
    named = [key for key, name in _table(path) if name == "liver"]
    if named:
        return named
    if len(there) <= 1 or there[counts.argmax()] == 1:
        return list(map(float, there))
    if _TOTAL_SEGMENTATOR_LIVER in there:
        return [_TOTAL_SEGMENTATOR_LIVER]
    raise SpecimenError(f"got a mask of {len(there)} labels, none known to be the liver; mark the liver alone")


def _table(path: Path) -> list[tuple[int, str]]:
    """Numbers and names of the labels, where the file has a table of Caret's form, as TotalSegmentator writes it."""
    image: Any = nib.load(path)
    text = "".join(str(each.get_content()) for each in image.header.extensions)
    rows = re.findall(r'<Label Key="(\d+)"[^>]*>(?:<!\[CDATA\[)?([^\]<]*)', text)
    return [(int(key), name.strip().lower()) for key, name in rows]


def _of_seg(source: Source, *, step: float) -> Take:
    """The marked frames of a DICOM SEG, each at its own place on a regular grid, empty where there is no frame."""
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

    return take


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


def _meet(one: Geometry, other: Geometry) -> bool:
    """Whether the boxes around two grids, along the patient's axes, share a place."""
    (low, high), (lower, higher) = _box(one), _box(other)
    return bool((low <= higher).all() and (lower <= high).all())


def _box(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    z, y, x = (np.array([-0.5, side - 0.5]) for side in geometry.shape)
    corners = np.stack(np.meshgrid(x, y, z, [1.0]), axis=-1) @ geometry.lps.T
    places = corners[..., :3]
    return places.min(axis=(0, 1, 2, 3)), places.max(axis=(0, 1, 2, 3))


def _resampled(marked: np.ndarray, own: Geometry, geometry: Geometry) -> np.ndarray:
    step = (np.linalg.inv(own.lps) @ geometry.lps)[[2, 1, 0, 3]][:, [2, 1, 0, 3]]
    nearest = ndimage.affine_transform(
        marked.view(np.uint8), step, output_shape=geometry.shape, order=0, mode="grid-constant", cval=0
    )
    return np.asarray(nearest, bool)
