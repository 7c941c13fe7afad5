"""Mask: a segmentation of a patient, from any format, brought onto the voxels of a volume."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import read_dataset
from hepatica.radiology.dicom.sources import Source, find_sources
from hepatica.radiology.masks.frames import Only, Segments, of_seg, of_structures
from hepatica.radiology.masks.labels import of_nifti, of_nrrd

NIFTI, NRRD = (".nii", ".nii.gz"), (".nrrd",)

LABELS = {"liver": 1, "lesions": 2}
"""The label from which on a voxel is of each part: lesions lie in the liver. Also that of masks we write."""

_LESION = re.compile(r"lesion|tumou?r|mass|nodule|hcc", re.IGNORECASE)

_LIVER_SEGMENTS = tuple(f"liver_segment_{number}.nii.gz" for number in range(1, 9))

_IN_FOLDERS = {"liver": ("liver.nii.gz",), "lesions": ("liver_lesions.nii.gz", "liver_tumor.nii.gz")}
"""Files of TotalSegmentator's folders by what is wanted: tasks total and liver_segments; liver_lesions(_mr) and
liver_vessels."""


def read_mask(path: Path, *, geometry: Geometry, only: Only = None) -> np.ndarray:
    """What is marked, (z y x) bool on the grid of `geometry`, by the nearest voxel in the patient's axes.

    `path` is a file as `open_mask` reads it. All spacings and orientations go together as long as mask and volume share
    the frame of reference, which NIfTI and NRRD cannot say.

    `only` "liver" takes the segment whose type is coded so (`LIVER_CODES`) or whose name is liver. In a label map
    without names it is all that is marked where there is one label, or where most is labelled 1 (liver 1, its lesions 2
    and on, as LiTS has it), and otherwise label 5, as TotalSegmentator has it.

    SpecimenError when there is no mask or more than one, when it is damaged, has not what is wanted, or lies wholly
    beside the volume. A mask of zeros is a mask: nothing is marked.
    """
    with reading("the mask"):
        marked, own = open_mask(path, geometry=geometry, only=only).take(only)
    if not _meet(own, geometry):
        raise SpecimenError("the mask lies entirely outside the volume; give the mask of this patient and this study")
    return marked if own.agrees(geometry) else _resampled(marked, own, geometry)


def outlined(path: Path, *, geometry: Geometry) -> np.ndarray:
    """What is marked in a mask (`mask.open_mask`), (z y x) uint8 on `geometry` by the nearest voxel: 2 lesion, 1 other
    liver, 0 else.

    Liver is what `read_mask` takes for it. Lesions are the segments whose names say so (lesion, tumour, mass, nodule,
    HCC); where no segment is called liver, also those numbered 2 and on, as LiTS and our phantoms have them. Raises
    SpecimenError when the mask is damaged or absent.
    """
    with reading("the mask"):
        segments = open_mask(path, geometry=geometry)
        named = {number for number, name in segments.names.items() if _LESION.search(name)}
        tabled = any(name.strip().lower() == "liver" for name in segments.names.values())
        lesions = named if tabled else named | {number for number in segments.names if number > 1}
        found = np.zeros(geometry.shape, np.uint8)
        if set(segments.names) - named:
            found[_on(segments, "liver", geometry)] = LABELS["liver"]
        if lesions:
            found[_on(segments, sorted(lesions), geometry)] = LABELS["lesions"]
    return found


def open_mask(path: Path, *, geometry: Geometry, only: Only = None) -> Segments:
    """The mask decoded once; `only` is by what its file is found, `geometry` that of the volume.

    `path` is a NIfTI or NRRD file (3D Slicer's `.seg.nrrd`, nnInteractive's of either), a DICOM Segmentation or RT
    Structure Set, a zip archive with one of these two, or a folder with one of all, among whatever else. In a folder of
    TotalSegmentator `liver.nii.gz`, or the eight files of `liver_segments` together, are the liver, and
    `liver_lesions.nii.gz` (of `liver_lesions` and `liver_lesions_mr`) or `liver_tumor.nii.gz` what is marked otherwise.
    """
    sources = _find(path, only=only)
    return _opened(sources[0], geometry) if len(sources) == 1 else _together(sources)


def _opened(source: Source, geometry: Geometry) -> Segments:
    if _is_named(source, NIFTI):
        return of_nifti(source.path)
    if _is_named(source, NRRD):
        return of_nrrd(source.path)
    if _modality(source) == "RTSTRUCT":
        return of_structures(source, geometry=geometry)
    return of_seg(source, step=geometry.spacing[0])


def _together(sources: Sequence[Source]) -> Segments:
    """NIfTI files of one grid as one segment."""
    parts = [of_nifti(each.path).take(None) for each in sources]
    marked, geometry = np.logical_or.reduce([part for part, _ in parts]), parts[0][1]
    return Segments(names={1: "liver"}, take=lambda only: (marked, geometry))


def _find(path: Path, *, only: Only) -> list[Source]:
    """The label map, or the file or member of an archive that is DICOM SEG or RTSTRUCT; or the segments of a liver."""
    for name in _IN_FOLDERS["liver" if only == "liver" else "lesions"] if path.is_dir() else ():
        if (path / name).is_file():
            return [Source(path=path / name)]
    if only == "liver" and all((path / name).is_file() for name in _LIVER_SEGMENTS):
        return [Source(path=path / name) for name in _LIVER_SEGMENTS]
    files = find_sources(path)
    found = [each for each in files if _is_named(each, (*NIFTI, *NRRD))]
    found = found or [each for each in files if _modality(each) in ("SEG", "RTSTRUCT")]
    if len(found) != 1:
        raise SpecimenError(
            f"got {len(found)} masks (NIfTI and NRRD files, else DICOM SEG and RTSTRUCT), wanted one; give the path of"
            " the mask itself"
        )
    return found


def _is_named(source: Source, suffixes: tuple[str, ...]) -> bool:
    return source.member is None and source.path.name.lower().endswith(suffixes)


def _modality(source: Source) -> str:
    try:
        return str(read_dataset(source).get("Modality"))
    except SpecimenError:
        return ""


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


def _on(segments: Segments, only: Only, geometry: Geometry) -> np.ndarray:
    try:
        marked, own = segments.take(only)
    except SpecimenError:  # a mask of lesions alone
        return np.zeros(geometry.shape, bool)
    return marked if own.agrees(geometry) else _resampled(marked, own, geometry)
