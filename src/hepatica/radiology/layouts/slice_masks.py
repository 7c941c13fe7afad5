"""Slice masks: a mask that is a folder of pictures or of DICOM slices, one for each slice of a series, as a volume."""

import re
from pathlib import Path

import numpy as np
import pydicom

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.geometry import Geometry, from_lps


def mask_of_slices(marks: Path, images: Path, *, values: tuple[int, int]) -> tuple[np.ndarray, Geometry]:
    """(z y x) uint8, 1 where a value lies within `values`, and where it lies by the positions of the DICOM `images`.

    Marks and images are paired in the order of their names, numbers by their size. SpecimenError where they are not as
    many, not of one matrix, or cannot be read.
    """
    with reading("the mask"), tolerant():
        paths = [_in_order(folder) for folder in (marks, images)]
        if len(paths[0]) != len(paths[1]) or len(paths[0]) < 2:
            raise SpecimenError(f"got {len(paths[0])} slices of the mask for {len(paths[1])} of the series")
        headers = [pydicom.dcmread(path, stop_before_pixels=True, force=True) for path in paths[1]]
        places = np.array([header.ImagePositionPatient for header in headers], float)
        rows, columns = np.split(np.array(headers[0].ImageOrientationPatient, float), 2)
        heights = places @ np.cross(rows, columns)
        order = np.argsort(heights)
        marked = np.stack([_pixels(paths[0][k]) for k in order])
    z, y, x = marked.shape
    lps = np.eye(4)
    down, across = (float(each) for each in headers[0].PixelSpacing)
    step = (places[order[-1]] - places[order[0]]) / (z - 1)
    lps[:3] = np.stack([rows * across, columns * down, step, places[order[0]]], axis=1)
    low, high = values
    return ((marked >= low) & (marked <= high)).astype(np.uint8), from_lps(lps, shape=(z, y, x))


def _in_order(folder: Path) -> list[Path]:
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    return sorted(
        files, key=lambda path: [int(each) if each.isdigit() else 0 for each in re.split(r"(\d+)", path.name)]
    )


def _pixels(path: Path) -> np.ndarray:
    if path.suffix.lower() == ".png":
        from PIL import Image

        with Image.open(path) as picture:
            return np.asarray(picture.convert("L"))
    return np.asarray(pydicom.dcmread(path, force=True).pixel_array)
