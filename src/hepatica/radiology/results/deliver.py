"""Deliver: a patient's result as DICOM files, to be sent to an archive beside the study they belong to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydicom import Dataset

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import RunError, SpecimenError
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.patients import patients
from hepatica.radiology.dicom.series import Series
from hepatica.radiology.results.derived_images import parametric_map, secondary_capture, segmentation
from hepatica.radiology.results.evidence import Evidence, evidence_of
from hepatica.radiology.results.structured_report import Result, structured_report

Pictures = Sequence[tuple[int, np.ndarray]]
"""Of some slices: the slice's index in the volume, and its picture (h w 3) uint8."""


def deliver(
    read: Sequence[Series],
    *,
    result: Result,
    flagged: Mapping[str, np.ndarray],
    saliency: Mapping[str, np.ndarray],
    pictures: Mapping[str, Pictures],
    folder: Path,
) -> list[Path]:
    """Write the result of the series `read`, all of one patient, into `folder` and return the files, the report first.

    `flagged` (z y x) bool, `saliency` (z y x) float of 0 to 1 and `pictures` go by `Series.key` and lie on that series'
    grid; a series may have none. With n the place of the series in `read`, from 1: sr.dcm, seg_n.dcm,
    saliency_map_n.dcm and capture_n_001.dcm on. Patient, study and frame of reference are those of the series; the same
    inputs give the same bytes. Where a region is empty, or the header was incomplete, the report says so.

    SpecimenError when there is no series, they are of several patients, a key is none of theirs or an array does not
    lie on its grid; RunError when the folder has files of another delivery. Nothing is written before all is made.
    """
    _check(read, flagged, saliency, pictures)
    evidence = [evidence_of(series) for series in read]
    made: dict[str, Dataset] = {}
    remarks = []
    for number, own in enumerate(evidence, start=1):
        made |= _objects(own, number, result, flagged=flagged, saliency=saliency, pictures=pictures)
        remarks += [f"Series {number}: {note}." for note in own.notes]
        if f"seg_{number}.dcm" not in made:
            remarks.append(f"Series {number}: no region is flagged, there is no segmentation.")
    report = structured_report(result, evidence=evidence, remarks=remarks)
    return _write({"sr.dcm": report} | made, folder)


def _objects(
    own: Evidence,
    number: int,
    result: Result,
    *,
    flagged: Mapping[str, np.ndarray],
    saliency: Mapping[str, np.ndarray],
    pictures: Mapping[str, Pictures],
) -> dict[str, Dataset]:
    """The files of one series by name."""
    key, model = own.series.key, result.model
    region = segmentation(flagged[key], evidence=own, model=model) if key in flagged else None
    drawn = parametric_map(saliency[key], evidence=own, model=model) if key in saliency else None
    made = {f"seg_{number}.dcm": region, f"saliency_map_{number}.dcm": drawn}
    for place, (index, picture) in enumerate(pictures.get(key, ()), start=1):
        capture = secondary_capture(picture, index=index, number=place, evidence=own, model=model)
        made[f"capture_{number}_{place:03d}.dcm"] = capture
    return {name: each for name, each in made.items() if each is not None}


def _check(
    read: Sequence[Series],
    flagged: Mapping[str, np.ndarray],
    saliency: Mapping[str, np.ndarray],
    pictures: Mapping[str, Pictures],
) -> None:
    who = set(patients({series.headers[0].patient for series in read}).values())
    if len(who) != 1:
        raise SpecimenError(
            f"got {len(read)} series of {len(who)} patients; wanted those of one patient: deliver patients one by one"
        )
    shapes = {series.key: series.geometry.shape for series in read}
    for key in {*flagged, *saliency, *pictures} - set(shapes):
        raise SpecimenError(f"got something for a series {key!r}, wanted the keys of the series read")
    for name, given in (("flagged region", flagged), ("saliency map", saliency)):
        for key, values in given.items():
            if values.shape != shapes[key] or (name == "flagged region" and values.dtype != bool):
                raise SpecimenError(
                    f"got a {name} {values.shape} of {values.dtype}, wanted {shapes[key]} of "
                    f"{'bool' if name == 'flagged region' else 'float'}, on the grid of its series"
                )


def _write(made: Mapping[str, Dataset], folder: Path) -> list[Path]:
    others = {path.name for path in folder.glob("*.dcm")} - set(made)
    if others:
        raise RunError(f"got a folder with {len(others)} other DICOM files; give an empty one, so that no results mix")
    with tolerant():
        for name, each in made.items():
            with replacing(folder / name) as temporary:
                each.save_as(temporary, enforce_file_format=True)
    return [folder / name for name in made]
