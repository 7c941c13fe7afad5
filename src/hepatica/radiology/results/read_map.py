"""Read map: a saliency map (DICOM Parametric Map) on the voxels of the volume that it was made from."""

from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import read_dataset
from hepatica.radiology.dicom.sources import Source


def images_of(path: Path) -> frozenset[str]:
    """SOPInstanceUIDs of the images that a Segmentation or Parametric Map was made from."""
    with reading("the result"), tolerant():
        series = read_dataset(Source(path=path)).ReferencedSeriesSequence
        return frozenset(
            str(image.ReferencedSOPInstanceUID) for each in series for image in each.ReferencedInstanceSequence
        )


def read_map(path: Path, *, geometry: Geometry) -> np.ndarray:
    """(z y x) float32 of 0 to 1 on `geometry`, 0 where no frame is; SpecimenError where a frame lies beside it."""
    with reading("the saliency map"), tolerant():
        dataset = dcmread(path)
        frames = np.frombuffer(dataset.FloatPixelData, np.float32).reshape(-1, dataset.Rows, dataset.Columns)
        shared, groups = dataset.SharedFunctionalGroupsSequence[0], dataset.PerFrameFunctionalGroupsSequence
        found = np.zeros(geometry.shape, np.float32)
        for frame, own in zip(frames, groups, strict=True):
            x, y, z = _places(frame.shape, own, shared, geometry)
            found[z, y, x] = frame
    return found


def _places(shape: tuple[int, ...], own: Dataset, shared: Dataset, geometry: Geometry) -> np.ndarray:
    """(3 rows columns): x, y and z of the voxel in which the centre of each pixel of a frame lies."""
    plane = (own.get("PlaneOrientationSequence") or shared.PlaneOrientationSequence)[0]
    along, down = np.split(np.array(plane.ImageOrientationPatient, float), 2)
    rows, columns = map(float, (own.get("PixelMeasuresSequence") or shared.PixelMeasuresSequence)[0].PixelSpacing)
    corner = np.array(own.PlanePositionSequence[0].ImagePositionPatient, float)
    row, column = np.mgrid[: shape[0], : shape[1]]
    points = corner[:, None, None] + along[:, None, None] * column * columns + down[:, None, None] * row * rows
    index = np.einsum("ij,jrc->irc", np.linalg.inv(geometry.lps)[:3], np.concatenate([points, [np.ones(shape)]]))
    nearest = np.rint(index).astype(int)
    if (nearest < 0).any() or (nearest >= np.array(geometry.shape[::-1])[:, None, None]).any():
        raise SpecimenError("the saliency map lies beside the volume; it is of another series")
    return np.asarray(nearest)
