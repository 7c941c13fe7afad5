"""Deliver: what a system says of an ultrasound study, as a DICOM report for the archive."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hepatica.cohort import Specimen
from hepatica.cohort.errors import SpecimenError
from hepatica.protocol import Inference, ModelIdentity
from hepatica.radiology.lesions.deliver import finding_of_study
from hepatica.radiology.results.deliver import write_objects
from hepatica.radiology.results.evidence import FileEvidence, evidence_of_files
from hepatica.radiology.results.result import Findings, NotAssessable
from hepatica.radiology.results.structured_report import structured_report
from hepatica.radiology.ultrasound.clips import find_clips


def deliver_ultrasound(
    specimen: Specimen,
    *,
    material: Any,
    inference: Inference,
    settings: Any,
    cutoffs: Mapping[str, float],
    saliency: Callable[[np.ndarray], np.ndarray],
    model: ModelIdentity,
    folder: Path,
) -> list[Path]:
    """Write a report with the values of the study; no file for a specimen that is no DICOM."""
    evidence = _evidence(specimen)
    if evidence is None:
        return []
    findings = Findings(findings=(finding_of_study(specimen, inference, cutoffs),), model=model)
    remarks = [f"{note}." for note in evidence.notes]
    return write_objects({"sr.dcm": structured_report(findings, evidence=[evidence], remarks=remarks)}, folder)


def decline_ultrasound(specimen: Specimen, *, reason: str, model: ModelIdentity, folder: Path) -> list[Path]:
    """Write a report that the study is not assessable, and why; no file where there is no image to refer to."""
    try:
        evidence = _evidence(specimen)
    except SpecimenError:
        return []
    if evidence is None:
        return []
    report = structured_report(NotAssessable(reason=reason, model=model), evidence=[evidence])
    return write_objects({"sr.dcm": report}, folder)


def _evidence(specimen: Specimen) -> FileEvidence | None:
    datasets = [each.dataset for each in find_clips(specimen.path) if each.dataset is not None]
    return evidence_of_files(datasets) if datasets else None
