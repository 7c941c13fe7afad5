"""Report: figures, tables, one HTML page and a model card from what a run and its validations found."""

from collections.abc import Callable, Sequence
from pathlib import Path

from hepatica.cohort.atomic import write_text
from hepatica.report.chapters import (
    baseline,
    calibration,
    checklist,
    diagnosis_subgroups,
    discrimination,
    factors,
    flow,
    heatmaps,
    progression,
    shift,
    signatures,
    subgroups,
    summary,
    survival,
    treated,
    treatment_effect,
)
from hepatica.report.documents.card import write_card
from hepatica.report.page import provenance
from hepatica.report.page.blocks import Section
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.page import write_page
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.tables import write_tables

__all__ = ["write_report"]

SECTIONS: tuple[Callable[[Run, Gallery], Section], ...] = (
    summary.section,
    flow.section,
    baseline.section,
    discrimination.section,
    survival.section,
    progression.section,
    factors.section,
    subgroups.section,
    shift.section,
    calibration.section,
    treated.section,
    treatment_effect.section,
    signatures.section,
    heatmaps.section,
    provenance.section,
    checklist.section,
)
"""Chapters in the order of a paper's Results; each reads the run and draws what it shows."""

OF_DIAGNOSIS: tuple[Callable[[Run, Gallery], Section], ...] = (
    summary.section,
    flow.section,
    baseline.section,
    discrimination.section,
    diagnosis_subgroups.section,
    shift.section,
    calibration.section,
    signatures.section,
    heatmaps.section,
    provenance.section,
    checklist.section,
)
"""The same where the primary score is a diagnosis: without follow-up there is no survival and nobody to set aside."""


def write_report(run: Path, *, external: Sequence[Path] = ()) -> Path:
    """Write `report.html`, `card.md`, `figures/` and `tables/` into a run folder; the path of the page.

    `external` are the folders of validations, each a column beside the internal test. The same run gives the same
    files. RunError when the run or a validation is unfinished, was altered, or belongs to another model.
    """
    read = read_run(run, external=external)
    gallery = Gallery(run / "figures", phantom=read.phantom)
    sections = [section(read, gallery) for section in (OF_DIAGNOSIS if read.is_diagnosis else SECTIONS)]
    write_text(run / "card.md", write_card(read))
    write_tables(sections, run / "tables")
    page = run / "report.html"
    write_text(page, write_page(read, sections))
    return page
