"""Deliver: a patient's result as DICOM files, to be sent to an archive beside the study they belong to."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from einops import repeat
from pydicom import Dataset

from hepatica.cohort import Specimen
from hepatica.cohort.errors import RunError, SpecimenError
from hepatica.cohort.seal import sealing
from hepatica.protocol import Inference, ModelIdentity
from hepatica.radiology.dicom.frames import tolerant
from hepatica.radiology.dicom.header import Kind
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.dicom.series import Series
from hepatica.radiology.dicom.sources import patients
from hepatica.radiology.phase.together import SERIES
from hepatica.radiology.picture import glowing, highest_slices
from hepatica.radiology.results.derived_images import parametric_map, secondary_capture, segmentation
from hepatica.radiology.results.evidence import Evidence, evidence_of
from hepatica.radiology.results.result import NotAssessable, Result
from hepatica.radiology.results.structured_report import structured_report
from hepatica.radiology.risk_score import Variant, as_share, from_share
from hepatica.radiology.slices import SliceStore
from hepatica.radiology.slicing import full_size

Pictures = Sequence[tuple[int, np.ndarray]]
"""Of some slices: the slice's index in the volume, and its picture (h w 3) uint8."""


FLAGGED = 0.85
"""Saliency, 0..1, from which on a place of a slice with a nodule belongs to the flagged region (ours)."""

MOST_MAPPED = 32
"""Slices of a study with a nodule that are mapped, the surest (ours): a map of 1,000 slices would weigh a gigabyte."""


def deliver_study(
    specimen: Specimen,
    *,
    material: SliceStore,
    inference: Inference,
    settings: Any,
    cutoffs: Mapping[str, float],
    saliency: Callable[[np.ndarray], np.ndarray],
    model: ModelIdentity,
    folder: Path,
) -> list[Path]:
    """Write a report, and for each series the flagged region, its saliency and pictures; the files, the report first.

    `settings` has the endpoint and the variant of the risk score, `cutoffs` the endpoint's cut-off in the predictions
    table, a share. The slices of the highest nodule probability are
    mapped; their places of saliency FLAGGED and more are the flagged region. No files for a specimen that is no DICOM
    study. `deliver` documents names of files and errors.
    """
    mine = (inference.regions["specimen_id"] == specimen.specimen_id).to_numpy()
    rows = inference.regions[mine].reset_index(drop=True)
    scans = find_scans(specimen.path, wanted=specimen.extra.get(SERIES, "")).scans
    read = {int(number): scans[number - 1].series for number in rows["series"].unique()}
    series = {number: each for number, each in read.items() if each is not None}
    if not series:
        return []
    slices = material.select(specimen_ids=[specimen.specimen_id])
    nodules = _surest_nodules(rows)
    pictured = highest_slices(rows)
    maps = _maps(slices, np.union1d(nodules, pictured), saliency)
    drawn = {number: _on_grid(each, rows.loc[nodules], maps, number) for number, each in series.items()}
    cutoff = cutoffs[settings.endpoint]
    return deliver(
        list(series.values()),
        result=_result(inference, specimen, images=len(rows), cutoff=cutoff, variant=settings.variant, model=model),
        flagged={series[number].key: volume >= FLAGGED for number, volume in drawn.items()},
        saliency={series[number].key: volume for number, volume in drawn.items() if volume.any()},
        pictures={each.key: _pictures(each, slices, rows.loc[pictured], maps, n) for n, each in series.items()},
        folder=folder,
    )


def decline_study(specimen: Specimen, *, reason: str, model: ModelIdentity, folder: Path) -> list[Path]:
    """Write a report that the study is not assessable, and why; no file where no series of it can be referred to."""
    try:
        kind: Kind = "mr" if specimen.modality == "mr" else "ct"
        scans = find_scans(specimen.path, wanted=specimen.extra.get(SERIES, ""), kind=kind).scans
        evidence = [evidence_of(each.series) for each in scans if each.series is not None]
    except SpecimenError:
        return []
    if not evidence:
        return []
    report = structured_report(NotAssessable(reason=reason, model=model), evidence=evidence)
    return write_objects({"sr.dcm": report}, folder)


def _result(
    inference: Inference, specimen: Specimen, *, images: int, cutoff: float, variant: Variant, model: ModelIdentity
) -> Result:
    """`images` are those read, of which a gate may have let none into the score."""
    found: Any = inference.specimens.set_index("specimen_id").loc[specimen.specimen_id]
    is_hcc = bool(as_share(found["risk"]) >= cutoff)  # as the predictions table has it
    return Result(
        risk_score=float(found["risk"]),
        low=float(found["low"]),
        high=float(found["high"]),
        level=0.95,
        variant=variant,
        cutoff=_limit(cutoff, risk=float(found["risk"]), is_hcc=is_hcc),
        is_hcc=is_hcc,
        images=images,
        model=model,
    )


def _limit(cutoff: float, *, risk: float, is_hcc: bool) -> float:
    """The cut-off, a share, as a finite risk score; where rounding would turn the call, the nearest that does not."""
    limit = float(from_share(min(cutoff, np.nextafter(1.0, 0.0))))
    if is_hcc:
        return min(limit, risk)
    return max(limit, float(np.nextafter(risk, np.inf)))


def _surest_nodules(rows: pd.DataFrame) -> np.ndarray:
    odds = rows["nodule_log_odds"].to_numpy()
    order = np.argsort(-odds, kind="stable")[:MOST_MAPPED]
    return np.sort(order[odds[order] >= 0])


def _maps(
    slices: SliceStore, wanted: np.ndarray, saliency: Callable[[np.ndarray], np.ndarray]
) -> dict[int, np.ndarray]:
    """Saliency (side side) by row."""
    return dict(zip(wanted.tolist(), saliency(slices.read(wanted)), strict=True))


def _on_grid(series: Series, rows: pd.DataFrame, maps: Mapping[int, np.ndarray], number: int) -> np.ndarray:
    """The maps of the rows of one series on its grid (z y x) float32, 0 on other slices."""
    volume = np.zeros(series.geometry.shape, np.float32)
    own = rows[rows["series"] == number]
    for row, place in zip(own.index.tolist(), own["slice"].tolist(), strict=True):
        volume[place] = full_size(maps[row], shape=series.geometry.shape[1:])
    return volume


def _pictures(
    series: Series, slices: SliceStore, rows: pd.DataFrame, maps: Mapping[int, np.ndarray], number: int
) -> Pictures:
    """The highest slices of one series with their saliency, as on screen, in the size of the series."""
    own = rows[rows["series"] == number]
    images = slices.read(own.index.to_numpy())
    shape = series.geometry.shape[1:]
    large = [(full_size(image[..., 0], shape=shape), full_size(maps[row], shape=shape)) for row, image in
             zip(own.index.tolist(), images, strict=True)]  # fmt: skip
    return [
        (place, glowing(repeat(grey, "y x -> y x 3"), seen))
        for place, (grey, seen) in zip(own["slice"].tolist(), large, strict=True)
    ]


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
    return write_objects({"sr.dcm": report} | made, folder)


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


def write_objects(made: Mapping[str, Dataset], folder: Path) -> list[Path]:
    """Write DICOM objects by the names of their files, and seal them; RunError when the folder has those of another
    delivery.
    """
    others = {path.name for path in folder.glob("*.dcm")} - set(made)
    if others:
        raise RunError(f"got a folder with {len(others)} other DICOM files; give an empty one, so that no results mix")
    with tolerant():
        for name, each in made.items():
            with sealing(folder / name) as temporary:
                each.save_as(temporary, enforce_file_format=True)
    return [folder / name for name in made]
