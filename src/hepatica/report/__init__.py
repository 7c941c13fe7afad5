"""Report: figures, tables, one HTML page and a model card from what a run and its validations found."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hepatica.cohort.atomic import write_text
from hepatica.report.chapters.by_task import Chapter, chapters_of
from hepatica.report.documents.card import write_card
from hepatica.report.page import Gallery, Run, Section, Text, read_run
from hepatica.report.page.page import write_page, write_tables

__all__ = ["Chapter", "write_pages", "write_report"]


def write_report(run: Path, *, external: Sequence[Path] | None = None) -> Path:
    """Write `report.html`, `card.md`, `figures/` and `tables/` into a run folder; the path of the page.

    `external` are the folders of validations, each a column beside the internal test; where it is None, all that the
    run has in `external/`. The same run gives the same files. RunError when the run or a validation is unfinished, was
    altered, or belongs to another model.
    """
    read = read_run(run, external=external).by_horizon
    return write_pages(run, run=read, chapters=chapters_of(read))


def write_pages(folder: Path, *, run: Run, chapters: Sequence[Chapter]) -> Path:
    """Write the page of these chapters, its card, figures and tables into `folder`; the path of the page.

    A chapter whose table is absent is left out, and its sentence ends the chapter `flow`; without a word where the
    system has no such thing.
    """
    gallery = Gallery(folder / "figures", phantom=run.phantom)
    made = [chapter(run, gallery) for chapter in chapters]
    absent = [Text(text=each, tone="note") for each in made if isinstance(each, str) and each]
    sections = [each for each in made if isinstance(each, Section)]
    sections = [replace(each, blocks=[*each.blocks, *absent]) if each.anchor == "flow" else each for each in sections]
    write_text(folder / "card.md", write_card(run))
    write_tables(sections, folder / "tables")
    page = folder / "report.html"
    write_text(page, write_page(run, sections))
    return page
