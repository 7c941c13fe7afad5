"""Contours: RT Structure Sets, whose regions are outlined slice by slice, filled on the slices of a volume."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.path import Path as Outline

from hepatica.cohort.errors import SpecimenError, reading
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import read_dataset
from hepatica.radiology.dicom.sources import Source
from hepatica.radiology.masks.segments import LIVER_CODES, Only, Segments

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
