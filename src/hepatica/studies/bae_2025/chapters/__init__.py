"""Bae 2025: one report of a study of that paper: quantities in simulation, then patients told apart."""

from collections.abc import Callable
from pathlib import Path

from hepatica.cohort.atomic import write_text
from hepatica.report.chapters import baseline, calibration, checklist, discrimination, flow, shift, summary
from hepatica.report.documents.card import write_card
from hepatica.report.page import provenance
from hepatica.report.page.blocks import Section
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.page import write_page
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.tables import write_tables
from hepatica.studies.bae_2025.chapters import bounds, classification, errors, robustness, spectra

__all__ = ["write_study_report"]

CHAPTERS: tuple[Callable[[Run, Gallery], Section], ...] = (
    summary.section,
    flow.section,
    baseline.section,
    errors.section,
    bounds.section,
    robustness.section,
    classification.section,
    spectra.section,
    discrimination.section,
    shift.section,
    calibration.section,
    provenance.section,
    checklist.section,
)


def write_study_report(folder: Path) -> Path:
    """Write `report.html`, `card.md`, `figures/` and `tables/` of a study; its page.

    The folder is that of the cCNNs' locked run, with the qCNNs' in `quantifier`, validations in `external/<name>` of
    both, and the tables that the study wrote. RunError as `read_run`.
    """
    run = read_run(folder, external=sorted(path.parent for path in folder.glob("external/*/metrics.json")))
    gallery = Gallery(folder / "figures", phantom=run.phantom)
    sections = [chapter(run, gallery) for chapter in CHAPTERS]
    write_tables(sections, folder / "tables")
    write_text(folder / "card.md", write_card(run))
    page = folder / "report.html"
    write_text(page, write_page(run, sections))
    return page
