"""Labels: label maps of NIfTI and NRRD, those of TotalSegmentator, nnInteractive and 3D Slicer among them."""

import re
from collections.abc import Mapping
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from scipy import ndimage

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry, from_lps
from hepatica.radiology.dicom.nifti import LARGEST, read_nifti
from hepatica.radiology.masks.frames import Only, Segments

_TOTAL_SEGMENTATOR_LIVER = 5  # label of its task `total`, versions 1 and 2 (Wasserthal 2023, doi 10.1148/ryai.230024)

_MOST_LABELS = 65535

Place = tuple[int, float]
"""Layer and label of a segment."""


def of_nifti(path: Path) -> Segments:
    """The labels of a NIfTI file, named by its own table of Caret's form, where it has one, as TotalSegmentator writes
    it; a single one without table by the file.
    """
    labels, geometry = read_nifti(path)
    image: Any = nib.load(path)
    text = "".join(str(each.get_content()) for each in image.header.extensions)
    rows = re.findall(r'<Label Key="(\d+)"[^>]*>(?:<!\[CDATA\[)?([^\]<]*)', text)
    names = {int(key): name.strip() for key, name in rows if int(key)}
    there = _present(labels)
    if not names and len(there) == 1:
        names = {there[0]: path.name.partition(".")[0]}
    return _labelled(labels[None], geometry, names=names, places={each: (0, float(each)) for each in there})


def of_nrrd(path: Path) -> Segments:
    """The labels of a NRRD file; of 3D Slicer's `.seg.nrrd` its segments, which may overlap, with their names.

    A segment's number is its label value where these differ, else its place in the file, from 1.
    """
    import SimpleITK  # takes long to import

    image: Any = SimpleITK.ReadImage(str(path))
    if image.GetDimension() != 3 or image.GetNumberOfPixels() > LARGEST:
        raise SpecimenError(f"got a NRRD mask of {image.GetSize()} voxels, wanted 3 axes and {LARGEST} at most")
    values = SimpleITK.GetArrayFromImage(image)
    layers = np.moveaxis(values, 3, 0) if values.ndim == 4 else values[None]
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    z, y, x = layers.shape[1:]
    places, names = _slicer(image)
    places = places or {each: (0, float(each)) for each in _present(layers[0])}
    return _labelled(layers, from_lps(matrix, shape=(z, y, x)), names=names, places=places)


def _slicer(image: Any) -> tuple[dict[int, Place], dict[int, str]]:
    """Places and names of the segments that 3D Slicer's header lists, by number; none in another NRRD file."""

    def value(k: int, name: str, default: str) -> str:
        key = f"Segment{k}_{name}"
        return str(image.GetMetaData(key)) if image.HasMetaDataKey(key) else default

    listed = list(takewhile(lambda k: image.HasMetaDataKey(f"Segment{k}_ID"), count()))
    labels = [int(value(k, "LabelValue", "1")) for k in listed]
    numbers = labels if len(set(labels)) == len(labels) else [k + 1 for k in listed]
    places = {n: (int(value(k, "Layer", "0")), float(labels[k])) for n, k in zip(numbers, listed, strict=True)}
    return places, {n: value(k, "Name", "") for n, k in zip(numbers, listed, strict=True)}


def _labelled(
    layers: np.ndarray, geometry: Geometry, *, names: Mapping[int, str], places: Mapping[int, Place]
) -> Segments:
    """`layers` (n z y x) of labels; `names` and `places` of the segments by number."""

    def take(only: Only) -> tuple[np.ndarray, Geometry]:
        if only is None:
            return np.asarray((layers > 0).any(axis=0)), geometry
        wanted = _liver(layers[0], names) if only == "liver" else only
        marked = np.zeros(layers.shape[1:], bool)
        for layer, label in (places[each] for each in wanted if each in places):
            marked |= layers[layer] == label
        return marked, geometry

    return Segments(names={each: names.get(each, "") for each in places}, take=take)


def _present(labels: np.ndarray) -> list[int]:
    """The whole numbers from 1 on that occur."""
    if labels.max(initial=0) > _MOST_LABELS:
        return [int(each) for each in np.unique(labels) if each > 0]
    boxes = ndimage.find_objects(labels.astype(np.int32, copy=False))  # several times as fast
    return [number for number, box in enumerate(boxes, start=1) if box]


def _liver(labels: np.ndarray, names: Mapping[int, str]) -> list[int]:
    named = [key for key, name in names.items() if name.lower() == "liver"]
    there, counts = np.unique(labels[labels > 0], return_counts=True)
    if named:
        return named
    if len(there) <= 1 or there[counts.argmax()] == 1:
        return [int(each) for each in there]
    if _TOTAL_SEGMENTATOR_LIVER in there:
        return [_TOTAL_SEGMENTATOR_LIVER]
    raise SpecimenError(f"got a mask of {len(there)} labels, none known to be the liver; mark the liver alone")
