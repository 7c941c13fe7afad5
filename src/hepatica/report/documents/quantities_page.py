"""Quantities page: what `hepatica quantify` found, as one page with a table and the picture of each fit."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from hepatica.cohort.atomic import read_json, write_text
from hepatica.report.page import Block, Figure, Gallery, Section, Table, Text
from hepatica.report.page.page import render_page
from hepatica.runs.predict import MADE_FROM
from hepatica.runs.quantify import RATIOS

PICTURED = 40
"""Spectra whose pictures are taken into the page (ours): one weighs a tenth of a megabyte."""

LEAD = (
    "Concentrations with their standard deviation, of noise, model and scale, and their Cramér-Rao bound (CRLB), the"
    " least that the noise leaves to any unbiased method. What cannot be distinguished from nothing, or from the prior,"
    " is not printed as a number. Lines of choline compounds, or glutamine and glutamate, can rarely be separated: read"
    " their sums."
)

QUALITY = {
    "snr": ("SNR", "SNR {:.0f}"),
    "linewidth_hz": ("Linewidth, Hz", "linewidth {:.1f} Hz"),
    "water_residual": ("Residual water", "residual water {:.2f} of the highest peak"),
}
"""Columns of specimens.csv: the head of each in the overview, and as below a picture."""

REPORTED = {
    "f0_mhz": "Proton frequency, MHz", "sequence": "Localisation", "te_ms": "TE, ms", "tr_ms": "TR, ms",
    "bandwidth_hz": "Bandwidth, Hz", "points": "Points", "averages": "Transients", "water_te_ms": "TE of the water, ms",
}  # fmt: skip
"""Columns of specimens.csv for the table of MRSinMRS."""

PROVENANCE = {
    "hepatica": "hepatica, version", "method": "Method", "organ": "Organ", "model": "Digest of the model",
    "basis": "Digest of the basis file", "priors": "Digest of the priors", "pdff": "Fat fraction given",
    "header_overrides": "Given by the user",
}  # fmt: skip


def write_quantities_page(quantities: pd.DataFrame, specimens: pd.DataFrame, *, out: Path) -> Path:
    """Write `report.html` into `out`, where `runs.quantify` left its pictures; its path. The tables are that one's."""
    gallery, made_from = Gallery(out, phantom=False), read_json(out / MADE_FROM)
    rows = specimens.to_dict("records")
    found = {row: quantities[quantities["row"] == row] for row in quantities["row"].unique().tolist()}
    related = pd.read_csv(out / RATIOS, dtype={"unit": str}, keep_default_na=False)
    sections = [_section(row, found.get(int(row["row"])), related, gallery, out) for row in rows]
    text = render_page(
        [
            *([_overview(rows, found)] if len(rows) > 1 else []),
            *sections,
            *_reported(specimens),
            _provenance(made_from),
        ],
        title="1H-MR spectra quantified",
        kicker=f"hepatica quantify: {made_from['method']}; {made_from['note']}",
        lead=LEAD,
        phantom=False,
    )
    write_text(out / "report.html", text)
    return out / "report.html"


def _overview(rows: list[dict[Hashable, Any]], found: Mapping[int, pd.DataFrame]) -> Section:
    """A line a spectrum."""
    lines = []
    for row in rows:
        own = found.get(int(row["row"]))
        qualities = [f"{row[name]:.3g}" if pd.notna(row.get(name)) else "" for name in QUALITY]
        reported = "not used" if own is None else f"{own['value'].notna().sum()} of {len(own)}"
        lines.append([str(row["row"]), reported, *qualities, row["reason"] if own is None else own["flags"].iloc[0]])
    head = ["Spectrum", "Values reported", *(title for title, _ in QUALITY.values()), "Noticed"]
    table = Table(caption="All spectra, by the order of the files.", header=head, rows=lines)
    return Section(anchor="overview", title="Overview", blocks=[table])


def _section(
    row: dict[Hashable, Any], found: pd.DataFrame | None, related: pd.DataFrame, gallery: Gallery, out: Path
) -> Section:
    number, blocks = int(row["row"]), list[Block]()
    if found is None:
        blocks.append(Text(text=f"Not used: {row['reason']}.", tone="warning"))
    else:
        if flags := found["flags"].iloc[0]:
            blocks.append(Text(text=f"Noticed: {flags}.", tone="warning"))
        ratios = related[related["row"] == number]
        blocks += [_table(found, number), *_ratios(ratios, number), _picture(number, gallery, out), _remarks(row)]
    return Section(anchor=f"spectrum-{number}", title=f"Spectrum {number}", blocks=blocks)


def _picture(number: int, gallery: Gallery, out: Path) -> Block:
    name = f"specimen_{number:04d}_fit.png"
    if number > PICTURED:
        return Text(text=f"Its picture is {name}.", tone="note")
    caption = (
        "Residual, data with fit and baseline, largest components at a scale of their own; ppm from right to left."
    )
    panel = gallery.show(out / name, alt=f"Fit of spectrum {number}")
    return Figure(caption=caption, panels=[panel], columns=1)


def _table(found: pd.DataFrame, number: int) -> Table:
    rows = [
        [str(each["target"]), str(each["reported"]), f"{each['crlb']:.2g}", _percent(each["crlb_percent"])]
        for each in found.to_dict("records")
    ]
    head = ["Target", "Found", f"CRLB, {found['unit'].iloc[0]}", "CRLB, % of value"]
    return Table(caption=f"Quantities of spectrum {number}.", header=head, rows=rows)


def _ratios(found: pd.DataFrame, number: int) -> list[Table]:
    rows = [
        [each["target"], f"{each['value']:.3g} ({each['low']:.3g} to {each['high']:.3g}) {each['unit']}".strip()]
        for each in found.to_dict("records")
    ]
    head = ["Ratio", "Found (95% interval)"]
    return [Table(caption=f"Ratios of what is reported of spectrum {number}.", header=head, rows=rows)] if rows else []


def _percent(value: float) -> str:
    return f"{value:.0f}" if value < 1000 else "> 999"


def _remarks(row: dict[Hashable, Any]) -> Text:
    qualities = [form.format(row[name]) for name, (_, form) in QUALITY.items() if pd.notna(row.get(name))]
    return Text(text="; ".join([*qualities, *([row["notes"]] if row.get("notes") else [])]) + ".", tone="note")


def _reported(specimens: pd.DataFrame) -> list[Section]:
    """What MRSinMRS (Lin et al. 2021, doi 10.1002/nbm.4484) asks of the acquisition, as far as files say it."""
    if "f0_mhz" not in specimens:
        return []  # LCModel's output has no acquisition
    used = specimens.dropna(subset="f0_mhz")
    counts = used.groupby(list(REPORTED), dropna=False).size().reset_index(name="spectra").astype(object)
    rows = [["" if pd.isna(each) else f"{each:g}" if isinstance(each, float) else str(each) for each in row]
            for row in counts.to_numpy()]  # fmt: skip
    table = Table(
        caption="Acquisition, for the minimum reporting standard MRSinMRS: what the files say, corrected by the user.",
        header=[*REPORTED.values(), "Spectra"],
        rows=rows,
        note="To be added by hand: scanner, coils, position and size of the voxel, shimming, water suppression, and"
        " what was excluded. Quality is in the overview; method, basis and priors are below.",
    )
    return [Section(anchor="acquisition", title="Acquisition", blocks=[table])]


def _provenance(made_from: dict[str, Any]) -> Section:
    overrides = ", ".join(f"{name} {value}" for name, value in made_from["header_overrides"].items())
    values = {**made_from, "header_overrides": overrides}
    rows = [[title, str(values[name])] for name, title in PROVENANCE.items() if values[name]]
    table = Table(
        caption="What made these numbers; the spectra's own digests are in the file.", header=["", ""], rows=rows
    )
    return Section(anchor="made-from", title="Made from", blocks=[table])
