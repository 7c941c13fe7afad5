"""Margin: how wide ablative margins are, how surely that is known, and what the registration is worth."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate.mean import mean_of
from hepatica.evaluate.patients import patients_of
from hepatica.report.page import Gallery, Results, Run, Section, Table
from hepatica.report.page.style import LOW, QUIET
from hepatica.report.page.wording import cell

SAFE_MM = 5.0
"""What guidelines and papers ask for."""

ROWS = {
    "score": "least margin, mm",
    "share_below_5_mm": "share of the tumour's surface below 5 mm",
    "width": "width of the 90% interval, mm",
    "rigid_landmark_error_mm": "distance of landmarks after rigid registration, mm",
    "landmark_error_mm": "distance of landmarks after the network, mm",
    "folded_share": "share of folded voxels",
}


def section(run: Run, gallery: Gallery) -> Section | str:
    """Margins with their intervals, ordered, and a table of means with intervals."""
    found = {each.title: _pairs(each) for each in run.cohorts}
    tables = {title: table for title, table in found.items() if table is not None}
    if not tables:
        return "The results have no surface of the tumour: margins are given as numbers alone."
    figure = gallery.by_cohort(
        "margins",
        run.cohorts,
        _paint,
        alt="Least margin of each patient with its interval, ordered",
        caption="Least ablative margin of each patient and its 90% interval from the error of the registration, in"
        f" order; the line is {SAFE_MM:g} mm.",
    )
    below = [f"{(table['score'] < SAFE_MM).sum()} of {len(table)}" for table in tables.values()]
    rows = [[name, *(_mean(table, column) for table in tables.values())] for column, name in ROWS.items()]
    means = Table(
        caption="Margins and registration, means with 95% confidence intervals.",
        header=["", *tables],
        rows=[[f"patients with a least margin below {SAFE_MM:g} mm", *below], *rows],
    )
    return Section(anchor="margins", title="Ablative margins", blocks=[figure, means])


def _pairs(results: Results) -> pd.DataFrame | None:
    table, _ = results.regions()
    own = table[table["patient_id"].isin(results.reported.index)]
    if "margin_low_mm" not in own:
        return None
    return own.assign(width=own["margin_high_mm"] - own["margin_low_mm"])


def _mean(table: pd.DataFrame, column: str) -> str:
    known = table.dropna(subset=[column])
    if known.empty:
        return "none known"
    found = mean_of(known[column].to_numpy(float), patients_of(known["patient_id"].to_numpy(), rows=len(known)))
    return cell(found)


def _paint(figure: Drawing, *, results: Results) -> None:
    axes, table = figure.subplots(), _pairs(results)
    assert table is not None
    table = table.sort_values("score")
    place = np.arange(len(table))
    axes.vlines(place, table["margin_low_mm"], table["margin_high_mm"], color=QUIET, linewidth=1)
    axes.plot(place, table["score"], "o", color=LOW, markersize=4)
    axes.axhline(SAFE_MM, color=QUIET, linestyle=":")
    axes.set(title=results.title, xlabel="Patients, by margin", ylabel="Least margin, mm")
