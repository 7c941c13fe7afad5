"""Study: one report of a study of Li 2025, its chapters in the order of the paper's Results."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from hepatica.cohort import RunError, read_predictions
from hepatica.cohort.atomic import read_json, write_text
from hepatica.protocol import from_plain
from hepatica.report.chapters import (
    baseline,
    calibration,
    checklist,
    discrimination,
    factors,
    flow,
    progression,
    shift,
    subgroups,
    summary,
    survival,
    treated,
    treatment_effect,
)
from hepatica.report.documents.card import write_card
from hepatica.report.page import provenance
from hepatica.report.page.blocks import Section, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.page import write_page
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.tables import write_tables
from hepatica.runs import RunFolder, read_settings
from hepatica.studies.li_2025.chapters import clusters, indicators, levels, modules, selection, strategies, thresholds
from hepatica.studies.li_2025.chapters.found import Study
from hepatica.studies.li_2025.settings import StudySettings
from hepatica.studies.li_2025.subsets import subset_folder

__all__ = ["Study", "read_study", "write_study_report"]

Chapter = Callable[[Study, Gallery], Section]


def _of_run(section: Callable[[Run, Gallery], Section]) -> Chapter:
    """A chapter of any report, about the chosen run."""
    return lambda study, gallery: section(study.run, gallery)


def _summary(study: Study, gallery: Gallery) -> Section:
    """The summary of any report, which says so where external patients helped to choose the subset."""
    section = summary.section(study.run, gallery)
    if study.settings["generalisation"] == "held_out":
        return section
    told = (
        "One thing was chosen with the help of external patients, as in the paper: the denoised subset"
        ' (generalisation = "external"). The results of their cohorts are optimistic.'
    )
    return replace(section, blocks=[section.blocks[0], Text(text=told, tone="warning"), *section.blocks[1:]])


CHAPTERS: tuple[Chapter, ...] = (
    _summary,
    _of_run(flow.section),
    _of_run(baseline.section),
    selection.section,
    levels.section,
    clusters.section,
    modules.section,
    thresholds.section,
    _of_run(discrimination.section),
    _of_run(progression.section),
    _of_run(survival.section),
    strategies.section,
    indicators.section,
    _of_run(factors.section),
    _of_run(subgroups.section),
    _of_run(treated.section),
    _of_run(treatment_effect.section),
    _of_run(shift.section),
    _of_run(calibration.section),
    _of_run(provenance.section),
    _of_run(checklist.section),
)
"""The paper's order: selection, seeing, prognosis, clinical indicators, sorafenib; then what it leaves out."""

FOUND = ("choice.json", "cells.parquet", "out_of_fold.parquet", "end_to_end/predictions.parquet", "seeing/seeing.json")


def read_study(folder: Path) -> Study:
    """Read a study's folder; RunError when it is unfinished or a run of it was altered."""
    head = read_settings(RunFolder(folder))
    missing = [name for name in FOUND if not (folder / name).is_file()]
    if missing:
        raise RunError(f"{folder} lacks {', '.join(missing)}; finish hepatica study there first")
    settings: StudySettings = from_plain(StudySettings(), head["settings"])
    subsets = {str(ratio): _run(subset_folder(folder, ratio)) for ratio in settings.ratios}
    choice = read_json(folder / "choice.json")
    return Study(
        folder=folder,
        settings=head["settings"],
        run=subsets[choice["ratio"]],
        subsets=subsets,
        cells=pd.read_parquet(folder / "cells.parquet"),
        choice=choice,
        out_of_fold=read_predictions(folder / "out_of_fold.parquet"),
        end_to_end=read_predictions(folder / "end_to_end" / "predictions.parquet"),
        end_to_end_cutoffs=read_json(folder / "end_to_end" / "cutoffs.json"),
    )


def _run(folder: Path) -> Run:
    return read_run(folder, external=sorted(path.parent for path in folder.glob("external/*/metrics.json")))


def write_study_report(folder: Path) -> Path:
    """Write `report.html`, `card.md`, `figures/` and `tables/` of a study; its page.

    A page newer than everything the study found is left as it is. RunError as `read_study`.
    """
    page = folder / "report.html"
    if page.exists() and page.stat().st_mtime >= _latest(folder):
        return page
    study = read_study(folder)
    gallery = Gallery(folder / "figures", phantom=study.run.phantom)
    sections: Sequence[Section] = [chapter(study, gallery) for chapter in CHAPTERS]
    write_tables(sections, folder / "tables")
    write_text(folder / "card.md", write_card(study.run))
    write_text(page, write_page(study.run, sections))
    return page


def _latest(folder: Path) -> float:
    """When the last result was written."""
    found = [*(folder / name for name in FOUND), *folder.glob("subsets/*/**/metrics.json")]
    return max((path.stat().st_mtime for path in found if path.exists()), default=float("inf"))
