"""Results: masks beside outlines, for a reader, and for the archive."""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
from pydicom import Dataset
from scipy import ndimage

from hepatica.cohort import Cohort, Specimen
from hepatica.evaluate import detections, mask_pair, measure_case
from hepatica.protocol import Inference, ModelIdentity
from hepatica.radiology import measures as of_ct
from hepatica.radiology.lesions.deliver import series_of, values_of
from hepatica.radiology.masks.mask import LABELS, outlined
from hepatica.radiology.mr import measures as of_mr
from hepatica.radiology.picture import draw_highest, highest_slices
from hepatica.radiology.results.deliver import write_objects
from hepatica.radiology.results.derived_images import segmentation
from hepatica.radiology.results.evidence import evidence_of
from hepatica.radiology.results.result import Finding, Findings
from hepatica.radiology.results.structured_report import structured_report
from hepatica.radiology.segmentation.store import VolumeStore

TOLERANCES = {**of_mr.TOLERANCES, **of_ct.TOLERANCES}
"""How far studies of another hospital may lie beyond those of training."""

TOLERANCE_MM = 2.0
"""Distance up to which surfaces agree, in surface Dice (ours)."""

COLOURS = {"liver": "cyan", "lesions": "orange"}
"""Of contours."""


def measure(store: VolumeStore) -> pd.DataFrame:
    """One row a study, by specimen_id, as `radiology.measures` and, of MR, `mr.measures` have it."""
    found = of_ct.measure(store)  # type: ignore[arg-type]
    of_signal = store.specimens.set_index("specimen_id").reindex(columns=list(of_mr.TOLERANCES))
    known = of_signal.dropna(axis="columns", how="all")
    return found.dropna(axis="columns", how="all").join(known)


def labels_of(inference: Inference, specimen_id: str) -> np.ndarray:
    """The predicted labels of a specimen, (z y x) uint8 on its scan's own grid."""
    rows = _masks(inference, specimen_id)
    image: Any = nib.Nifti1Image.from_bytes(gzip.decompress(inference.files[str(rows["path"].iloc[0])]))
    return np.ascontiguousarray(np.asanyarray(image.dataobj).transpose(2, 1, 0))


def _masks(inference: Inference, specimen_id: str) -> pd.DataFrame:
    """The rows of a specimen that name a mask, one a class."""
    rows = inference.specimens
    return rows[(rows["specimen_id"] == specimen_id) & rows["path"].notna()]


def cases(material: VolumeStore, inference: Inference, cohort: Cohort) -> pd.DataFrame:
    """Predicted against outlined, a row a specimen and class: patient_id, specimen_id, class_or_quantity, what
    `measure_case` gives, and of lesions `lesion_scores` (of each outlined one the highest probability of a part that
    hits it, -inf where none does) and `false_positives` (of each part that touches none). Outlines are read anew, on
    the scan's own grid.
    """
    endpoint = inference.specimens.loc[inference.specimens["path"].notna(), "endpoint"]
    column = cohort.endpoint(str(endpoint.iloc[0])).declared["mask"]
    rows = []
    for specimen in cohort.specimens:
        own = _masks(inference, specimen.specimen_id)
        if own.empty or column not in specimen.attachments:
            continue
        geometry = material.own_grid(specimen.specimen_id)
        truth = outlined(specimen.attachments[column], geometry=geometry)
        found = labels_of(inference, specimen.specimen_id)
        for name in own["class_or_quantity"]:
            masks = truth >= LABELS[name], found >= LABELS[name]
            pair = mask_pair(masks[0], predicted=masks[1], spacing=geometry.spacing)
            row = {"patient_id": specimen.patient_id, "specimen_id": specimen.specimen_id, "class_or_quantity": name}
            rows.append(row | measure_case(pair, tolerance=TOLERANCE_MM) | _hits(name, *masks, inference, specimen))
    return pd.DataFrame(rows)


def _hits(name: str, truth: np.ndarray, found: np.ndarray, inference: Inference, specimen: Specimen) -> dict[str, Any]:
    if name != "lesions":
        return {}
    every = inference.lesions
    own: Any = [] if every is None else every.loc[every["specimen_id"] == specimen.specimen_id, "probability"]
    numbers, _ = ndimage.label(found, np.ones((3, 3, 3)))  # the same order as that of `lesions`
    seen = detections(truth, predicted=found, score=np.array([0.0, *own])[numbers])
    return {"lesion_scores": seen.lesions.tolist(), "false_positives": seen.false_positives.tolist()}


def draw_masks(
    specimen: Specimen,
    *,
    material: VolumeStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write the slices of the highest scores with the contours of the mask, `_contours.png`, and below the probability
    of the last class. Contours are those of the mask file, where it lies beside the pictures or one folder above.
    """
    own = material.select(specimen_ids=[specimen.specimen_id])
    rows = regions.reset_index(drop=True).rename(columns={"place": "slice"})
    chosen = highest_slices(rows)
    images = own.read(chosen)
    seen = saliency(images)
    if material.solid:
        images, seen = images[:, images.shape[1] // 2], seen[:, seen.shape[1] // 2]
    grid, name = material.grid(specimen.specimen_id), str(rows["path"].iloc[0])
    labels = next((outlined(each, geometry=grid) for folder in (stem.parent, stem.parent.parent)
                   if (each := folder / name).is_file()), np.zeros(grid.shape))  # fmt: skip
    contours = [{COLOURS[part]: labels[k] >= LABELS[part] for part in COLOURS} for k in rows.loc[chosen, "slice"]]
    path = stem.with_name(f"{stem.name}_contours.png")
    grey = np.rint(255 * images[..., images.shape[-1] // 2]).astype(np.uint8)
    draw_highest(rows.loc[chosen], np.stack([grey] * 3, axis=-1), seen, path=path, note=note, contours=contours,
                 meaning=f"{meaning} ({', '.join(f'{part} {COLOURS[part]}' for part in COLOURS)})",
                 aspect=grid.spacing[1] / grid.spacing[2])  # fmt: skip
    return [path]


def deliver_masks(
    specimen: Specimen,
    *,
    material: VolumeStore,
    inference: Inference,
    settings: Any,
    cutoffs: Mapping[str, float],
    saliency: Callable[[np.ndarray], np.ndarray],
    model: ModelIdentity,
    folder: Path,
) -> list[Path]:
    """Write a report with the volume of each class and every lesion, and a segmentation with a segment a class, on the
    slices of the series that was read; the files, the report first. None for a specimen that is no DICOM study.
    """
    study: Any = material.specimens.set_index("specimen_id").loc[specimen.specimen_id]
    series = series_of(specimen, study)
    if not series:
        return []
    evidence, labels = evidence_of(series[0]), labels_of(inference, specimen.specimen_id)
    rows = inference.specimens[inference.specimens["specimen_id"] == specimen.specimen_id]
    findings = (Finding(name="Study", values=values_of(rows)), *_found(inference, specimen))
    remarks = [f"Series 1: {note}." for note in evidence.notes]
    parts = {name: labels >= LABELS[name] for name in rows["class_or_quantity"].dropna()}
    said = Findings(findings=findings, model=model)
    made: dict[str, Dataset] = {"sr.dcm": structured_report(said, evidence=[evidence], remarks=remarks)}
    if (drawn := segmentation(parts, evidence=evidence, model=model)) is not None:
        made["seg_1.dcm"] = drawn
    return write_objects(made, folder)


def _found(inference: Inference, specimen: Specimen) -> list[Finding]:
    """One a lesion."""
    if inference.lesions is None:
        return []
    own = inference.lesions[inference.lesions["specimen_id"] == specimen.specimen_id]
    return [
        Finding(
            name=f"Lesion {row['lesion_id']}",
            values={"volume, mL": float(row["score"]), "highest probability": float(row["probability"])},
            centre_mm=(float(row["x_mm"]), float(row["y_mm"]), float(row["z_mm"])),
            diameter_mm=float(row["diameter_mm"]),
        )
        for row in own.to_dict("records")
    ]
