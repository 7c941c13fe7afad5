"""Deliver: what a system says of a study and of each of its lesions, as DICOM files for the archive."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydicom import Dataset
from scipy import ndimage

from hepatica.cohort import Specimen, Target
from hepatica.cohort.predictions import targets
from hepatica.protocol import Inference, ModelIdentity
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.series import Series
from hepatica.radiology.lesions.crops import steps
from hepatica.radiology.lesions.store import LesionStore
from hepatica.radiology.phase.together import SERIES
from hepatica.radiology.results.deliver import write_objects
from hepatica.radiology.results.derived_images import parametric_map
from hepatica.radiology.results.evidence import evidence_of
from hepatica.radiology.results.result import Finding, Findings
from hepatica.radiology.results.structured_report import structured_report

_NAMES = {
    "binary": "probability of {}",
    "multi_class": "probability of {}",
    "survival": "risk of {}",
    "segmentation": "volume of {}, mL",
}


def deliver_lesions(
    specimen: Specimen,
    *,
    material: LesionStore,
    inference: Inference,
    settings: Any,
    cutoffs: Mapping[str, float],
    saliency: Callable[[np.ndarray], np.ndarray],
    model: ModelIdentity,
    folder: Path,
) -> list[Path]:
    """Write a report with the values of the study and of each lesion at its centre, and the saliency of the lesions on
    the slices of the series that they were cut from; the files, the report first.

    `cutoffs` are those of the predictions table, by target. No files for a specimen that is no DICOM study.
    """
    own = material.select(specimen_ids=[specimen.specimen_id])
    series = series_of(specimen, own.specimens.iloc[0])
    if not series:
        return []
    evidence = [evidence_of(each) for each in series]
    findings = Findings(
        findings=(finding_of_study(specimen, inference, cutoffs), *_of_lesions(own, inference)), model=model
    )
    remarks = [f"Series {number}: {note}." for number, each in enumerate(evidence, start=1) for note in each.notes]
    made: dict[str, Dataset] = {"sr.dcm": structured_report(findings, evidence=evidence, remarks=remarks)}
    every = np.arange(len(own))
    seen = on_grid(saliency(own.read(every)), own.geometries(every), series[0].geometry)
    if (drawn := parametric_map(seen, evidence=evidence[0], model=model)) is not None:
        made["saliency_map_1.dcm"] = drawn
    return write_objects(made, folder)


def series_of(specimen: Specimen, study: pd.Series) -> list[Series]:
    """The series whose volumes were read, by the keys and units in the row of a store's `specimens`, that which gave
    the axes first; none where a file is no DICOM.
    """
    wanted = str(study["series"]).split()
    kind: Kind = "mr" if study["units"] == "signal" else "ct"
    scans = find_scans(specimen.path, wanted=specimen.extra.get(SERIES, ""), kind=kind).scans
    known = {each.key: each.series for each in scans if each.series is not None}
    return [known[key] for key in wanted] if set(wanted) <= set(known) else []


def finding_of_study(specimen: Specimen, inference: Inference, cutoffs: Mapping[str, float]) -> Finding:
    """The values of a whole study, called by the locked `cutoffs`."""
    rows = inference.specimens[inference.specimens["specimen_id"] == specimen.specimen_id]
    return Finding(name="Study", values=values_of(rows), called=_called(rows, cutoffs))


def _of_lesions(own: LesionStore, inference: Inference) -> Iterator[Finding]:
    """One a lesion, in the order of the store."""
    assert inference.lesions is not None
    said = inference.lesions.groupby(["specimen_id", "lesion_id"], sort=False)
    for (specimen, lesion), crops in own.index.groupby(["specimen_id", "lesion_id"], sort=False):
        rows = said.get_group((specimen, lesion))
        x, y, z = (float(crops[f"{axis}_mm"].iloc[0]) for axis in "xyz")
        yield Finding(
            name=f"Lesion {lesion}",
            values=values_of(rows),
            called=_called(rows, {}),
            centre_mm=(x, y, z),
            diameter_mm=float(crops["diameter_mm"].iloc[0]),
        )


def values_of(rows: pd.DataFrame) -> dict[str, float]:
    """Each score by what it is of; of a survival, by its event."""
    about = rows["class_or_quantity"].fillna(rows["endpoint"].map(lambda name: Target(endpoint=name).happening))
    names = [_NAMES.get(task, "{}").format(of) for task, of in zip(rows["task"], about, strict=True)]
    return dict(zip(names, rows["score"].astype(float), strict=True))


def _called(rows: pd.DataFrame, cutoffs: Mapping[str, float]) -> str | None:
    """The likeliest class of the first task; or whether its score reaches the locked cut-off, where there is one."""
    rows = rows[rows["task"] == rows["task"].iloc[0]]
    if rows["task"].iloc[0] == "multi_class":
        return str(rows.loc[rows["score"].idxmax(), "class_or_quantity"])
    cutoff = cutoffs.get(targets(rows)[0].key)
    return None if cutoff is None else "high" if rows["score"].iloc[0] >= cutoff else "low"


def on_grid(maps: np.ndarray, places: Sequence[Geometry], geometry: Geometry) -> np.ndarray:
    """Saliency of crops (b z y x), or of single slices (b y x), that lie at `places`, on the grid of a series (z y x),
    the highest of each voxel; 0 outside the crops.
    """
    volume = np.zeros(geometry.shape, np.float32)
    for seen, place in zip(maps, places, strict=True):
        where = _box(place, geometry)
        matrix, offset = steps(place, geometry)
        start = np.array([each.start for each in where])
        size = [each.stop - each.start for each in where]
        if min(size) < 1:
            continue
        inside = ndimage.affine_transform(
            seen.reshape(place.shape), matrix, offset + matrix @ start, output_shape=size, order=1, mode="grid-constant"
        )
        volume[where] = np.maximum(volume[where], np.clip(inside, 0, 1))
    return volume


def _box(crop: Geometry, geometry: Geometry) -> tuple[slice, ...]:
    """Where of a grid a crop lies."""
    matrix, offset = steps(geometry, crop)
    corners = np.array(np.meshgrid(*((-0.5, side - 0.5) for side in crop.shape))).reshape(3, -1)
    places = matrix @ corners + offset[:, None]
    low, high = np.ceil(places.min(axis=1)).astype(int), np.floor(places.max(axis=1)).astype(int) + 1
    ends: Sequence[tuple[int, int]] = list(
        zip(np.clip(low, 0, geometry.shape), np.clip(high, 0, geometry.shape), strict=True)
    )
    return tuple(slice(int(a), int(b)) for a, b in ends)
