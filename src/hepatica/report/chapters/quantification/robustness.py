"""Robustness: errors of each method under conditions other than those of training."""

from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.report.chapters.quantification.compared import Compared
from hepatica.report.page import Figure, Gallery, Run, Section, Table, Text
from hepatica.report.page.style import log_scale

AS_TRAINED = "as trained"
"""The sweep of the conditions of training."""


def section(run: Run, gallery: Gallery, *, compared: Compared) -> Section:
    """A panel a sweep, and the table of all levels."""
    table = relative(pd.read_parquet(run.folder / "robustness.parquet"), reference=compared.reference)
    sweeps = [name for name in dict.fromkeys(table["sweep"]) if name != AS_TRAINED]
    panels = [
        gallery.draw(
            f"robustness_{place}",
            partial(paint_sweep, table=table, sweep=name, compared=compared),
            alt=f"Errors of each method against {name}",
        )
        for place, name in enumerate(sweeps)
    ]
    reference = f"{compared.methods[compared.reference].name} as trained"
    figure = Figure(
        caption=f"Errors in simulated spectra under other conditions; 1 is {reference}.", panels=panels, columns=3
    )
    rows = []
    for (sweep, level), own in table.groupby(["sweep", "level"], sort=False):
        found = own.set_index("method")["error"]
        rows.append([f"{sweep} {level}".strip(), *(f"{found[name]:.2f}" for name in compared.among(table))])
    every = Table(
        caption=f"Mean over targets of mean |error| over that of {reference}, in simulated spectra.",
        header=["Condition", *compared.heads(table)],
        rows=rows,
    )
    return Section(anchor="robustness", title="Robustness", blocks=[Text(text=compared.sweeps), figure, every])


def relative(table: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """Mean over targets of mae over that of the reference as trained: a row a sweep, level and method, column error."""
    trained = table[(table["sweep"] == AS_TRAINED) & (table["method"] == reference)].set_index("target")["mae"]
    by = ["sweep", "level", "method"]
    ratio = table["mae"] / table["target"].map(trained)
    return table.assign(error=ratio).groupby(by, sort=False, as_index=False)[["error"]].mean()


def paint_sweep(figure: Drawing, *, table: pd.DataFrame, sweep: str, compared: Compared) -> None:
    """Levels of one sweep, joined; before them, alone, the conditions of training."""
    axes = figure.subplots()
    for method in compared.among(table):
        own, look = table[table["method"] == method], compared.methods[method]
        trained, levels = own[own["sweep"] == AS_TRAINED], own[own["sweep"] == sweep]
        drawn: dict[str, Any] = {"color": look.colour, "marker": look.marker, "fillstyle": "none", "markersize": 7}
        axes.plot(["trained"], trained["error"], **drawn)
        axes.plot(levels["level"], levels["error"], linestyle=look.line, label=look.name, **drawn)
    axes.set_ylabel("error, relative")
    axes.set_title(sweep, pad=22)
    log_scale(axes)
    axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 0.99), columnspacing=1, handlelength=1.6, borderpad=0)
