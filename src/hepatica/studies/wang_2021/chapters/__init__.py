"""Wang 2021: one report of a study of that paper, its chapters in the order of the paper's Results."""

from collections.abc import Callable
from pathlib import Path

from hepatica.cohort.atomic import write_text
from hepatica.report.chapters import (
    baseline,
    calibration,
    checklist,
    diagnosis_subgroups,
    discrimination,
    flow,
    shift,
    signatures,
    summary,
)
from hepatica.report.documents.card import write_card
from hepatica.report.page import provenance
from hepatica.report.page.blocks import Section
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.page import write_page
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.tables import write_tables
from hepatica.studies.wang_2021.chapters import (
    against_readers,
    nodules,
    pathology,
    performance,
    roc,
    saliency,
    variants,
    with_help,
)

__all__ = ["write_study_report"]

CHAPTERS: tuple[Callable[[Run, Gallery], Section], ...] = (
    summary.section,
    flow.section,
    baseline.section,
    performance.section,
    roc.section,
    nodules.section,
    pathology.section,
    against_readers.section,
    with_help.section,
    saliency.section,
    variants.section,
    discrimination.section,
    diagnosis_subgroups.section,
    shift.section,
    calibration.section,
    signatures.section,
    provenance.section,
    checklist.section,
)


def write_study_report(folder: Path) -> Path:
    """Write `report.html`, `card.md`, `figures/` and `tables/` of a study; its page.

    The folder is that of the locked run, with validations in `external/<name>`. Beside the results of each cohort may
    lie readers.csv, saliency.parquet and explained/; a chapter tells what it lacks. RunError as `read_run`.
    """
    run = read_run(folder, external=sorted(path.parent for path in folder.glob("external/*/metrics.json")))
    gallery = Gallery(folder / "figures", phantom=run.phantom)
    sections = [chapter(run, gallery) for chapter in CHAPTERS]
    write_tables(sections, folder / "tables")
    write_text(folder / "card.md", write_card(run))
    page = folder / "report.html"
    write_text(page, write_page(run, sections))
    return page
