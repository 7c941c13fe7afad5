"""Bae 2025: the chapters of its report: quantities in simulation, then classification of patients."""

from functools import partial

from hepatica.report import Chapter
from hepatica.report.chapters import (
    baseline,
    calibration,
    checklist,
    discrimination,
    flow,
    published,
    shift,
    summary,
)
from hepatica.report.chapters.quantification import bounds, errors, robustness
from hepatica.report.page import provenance
from hepatica.studies.bae_2025_qcnn.chapters import spectra
from hepatica.studies.bae_2025_qcnn.chapters.compared import COMPARED, classification

__all__ = ["CHAPTERS"]

CHAPTERS: tuple[Chapter, ...] = (
    summary.section,
    flow.section,
    baseline.section,
    published.section,
    partial(errors.section, compared=COMPARED),
    partial(bounds.section, compared=COMPARED),
    partial(robustness.section, compared=COMPARED),
    classification,
    spectra.section,
    discrimination.section,
    shift.section,
    calibration.section,
    provenance.section,
    checklist.section,
)
