"""Page: lays sections out as one self-contained HTML file, and writes their tables as CSV files for spreadsheets."""

import csv
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from hepatica.cohort.atomic import replacing
from hepatica.report.page.blocks import Section, Table
from hepatica.report.page.provenance import system_title
from hepatica.report.page.results import Run


def templates() -> Environment:
    """The templates of this room; whatever is put into one is escaped, and a missing value is an error."""
    return Environment(
        loader=PackageLoader("hepatica.report.page", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )


def write_page(run: Run, sections: Sequence[Section]) -> str:
    """The page of a run as text."""
    return render_page(
        sections,
        title=f"{system_title(run)} on {run.internal.cohort['name']}",
        kicker=f"hepatica report: {run.system.name}",
        lead=run.system.question,
        phantom=run.phantom,
    )


FIGURES = "the tables of the run folder; every figure lies in its folder figures as PNG and SVG"


def render_page(
    sections: Sequence[Section], *, title: str, kicker: str, lead: str, phantom: bool, source: str = FIGURES
) -> str:
    """A page as text: `kicker` above its title, `lead` below it, the banner on phantoms, and from what it was made."""
    style = files("hepatica.report.page").joinpath("page.css").read_text(encoding="utf-8")
    return (
        templates()
        .get_template("page.html.jinja")
        .render(
            title=title,
            kicker=kicker,
            lead=lead,
            phantom=phantom,
            sections=sections,
            source=source,
            titles={section.anchor: section.title for section in sections},
            style=Markup(style),  # our own file
            version=version("hepatica"),
        )
    )


def write_tables(sections: Sequence[Section], folder: Path) -> list[Path]:
    """Write each table as `<chapter>_<number>.csv`, and `captions.csv` with their captions and notes; the files.

    Subheadings become a first column `part`, so that every row has as many cells as the header.
    """
    written, captions = [], [["file", "caption", "note"]]
    for section in sections:
        tables = [block for block in section.blocks if isinstance(block, Table)]
        for number, table in enumerate(tables, start=1):
            path = folder / f"{section.anchor}_{number}.csv"
            captions.append([path.name, table.caption, table.note])
            written.append(_write_csv(path, _rectangle(table)))
    return [*written, _write_csv(folder / "captions.csv", captions)]


def _rectangle(table: Table) -> list[list[str]]:
    width = len(table.header)
    headed = any(len(row) == 1 < width for row in table.rows)
    named = [table.header[0] or "row", *table.header[1:]]
    rows, part = [["part", *named] if headed else named], ""
    for row in table.rows:
        if len(row) == 1 < width:
            part = row[0]
        else:
            rows.append([*([part] if headed else []), *row, *[""] * (width - len(row))])
    return rows


def _write_csv(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path
