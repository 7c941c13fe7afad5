"""Quantities page: what `hepatica quantify` found, as one page with a table and the picture of each fit."""

from pathlib import Path

import pandas as pd

from hepatica.cohort.atomic import write_text
from hepatica.report.blocks import Block, Figure, Section, Table, Text
from hepatica.report.gallery import Gallery
from hepatica.report.page import render_page


def write_quantities_page(quantities: pd.DataFrame, spectra: pd.DataFrame, *, out: Path, method: str) -> Path:
    """Write `report.html` into the folder of the pictures; its path. The tables are those of `quantify_files`."""
    gallery = Gallery(out, phantom=False)
    sections = [
        _section(row, quantities[quantities["spectrum"] == row["spectrum"]], gallery, out) for row in _rows(spectra)
    ]
    told = (
        "Concentrations with their standard deviation and their Cramér-Rao bound (CRLB), the least that any unbiased"
        " method can reach. What cannot be told apart from nothing, or from what was believed beforehand, is not"
        " printed as a number. Split lines of choline, or glutamine from glutamate, are rarely sure: read the sums."
    )
    page = out / "report.html"
    text = render_page(
        sections, title="1H-MR spectra quantified", kicker=f"hepatica quantify: {method}", lead=told, phantom=False
    )
    write_text(page, text)
    return page


def _rows(spectra: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(name): value for name, value in row.items()} for row in spectra.fillna("").to_dict("records")]


def _section(row: dict[str, object], found: pd.DataFrame, gallery: Gallery, out: Path) -> Section:
    number = int(str(row["spectrum"]))
    blocks: list[Block] = []
    if row.get("error"):
        blocks.append(Text(text=f"Not used: {row['error']}", tone="warning"))
    else:
        picture = gallery.show(out / f"spectrum_{number:04d}_fit.png", alt=f"Fit of spectrum {number}")
        blocks += [_table(found, number), Figure(caption="Fit.", panels=[picture], columns=1), _quality(row)]
        flags = found["flags"].iloc[0]
        if flags:
            blocks.insert(0, Text(text=f"Noticed: {flags}.", tone="warning"))
    return Section(anchor=f"spectrum-{number}", title=f"Spectrum {number}", blocks=blocks)


def _table(found: pd.DataFrame, number: int) -> Table:
    rows = [
        [str(each["target"]), str(each["told"]), f"{each['crlb']:.2g}", _percent(each["crlb_percent"])]
        for each in found.to_dict("records")
    ]
    return Table(
        caption=f"Quantities of spectrum {number}.", header=["Target", "Found", "CRLB", "CRLB, % of value"], rows=rows
    )


def _percent(value: float) -> str:
    return f"{value:.0f}" if value < 1000 else "> 999"


def _quality(row: dict[str, object]) -> Text:
    names = {"snr": "SNR {:.0f}", "linewidth_hz": "linewidth {:.0f} Hz", "water_residual": "residual water {:.2f}"}
    told = [form.format(row[name]) for name, form in names.items() if isinstance(row.get(name), float)]
    return Text(text="; ".join([*told, str(row.get("notes", ""))]), tone="note")
