"""Robustness: what becomes of errors where spectra differ from those of the priors."""

from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.report.page.blocks import Figure, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.studies.bae_2025.chapters.found import COLOURS, MARKERS, NAMES, STYLES, methods, on_log_scale, swept

AS_TRAINED = "as trained"


def section(run: Run, gallery: Gallery) -> Section:
    """A panel a sweep, and the table of all levels."""
    table = relative(swept(run))
    told = (
        "The same concentrations again, one thing changed at a time: noise, linewidth, baseline, echo time, refocusing"
        " pulses; all else is as the networks were trained. Methods keep the model, the priors and the weights they"
        " have. The widest line, every other echo time and shaped pulses are outside of what the networks learnt from;"
        " echo times change how couplings evolve, not relaxation. Errors are means over targets of the mean |error|"
        " over that of least squares as trained."
    )
    sweeps = [name for name in dict.fromkeys(table["sweep"]) if name != AS_TRAINED]
    panels = [
        gallery.draw(
            f"robustness_{place}", partial(_paint, table=table, sweep=name),
            alt=f"Errors of each method against {name}",
        )
        for place, name in enumerate(sweeps)
    ]  # fmt: skip
    figure = Figure(
        caption="Errors in simulated spectra under other conditions; 1 is least squares as trained.",
        panels=panels,
        columns=3,
    )
    return Section(anchor="robustness", title="Robustness", blocks=[Text(text=told), figure, _table(table)])


def relative(table: pd.DataFrame) -> pd.DataFrame:
    """Mean over targets of mae over that of least squares as trained: a row a sweep, level and method, column error."""
    trained = table[(table["sweep"] == AS_TRAINED) & (table["method"] == "nls")].set_index("target")["mae"]
    ratio = table["mae"] / table["target"].map(trained)
    by = ["sweep", "level", "method"]
    return table.assign(error=ratio).groupby(by, sort=False, as_index=False)[["error"]].mean()


def _paint(figure: Drawing, *, table: pd.DataFrame, sweep: str) -> None:
    """Levels of one sweep, joined; before them, alone, the conditions of training."""
    axes = figure.subplots()
    for method in methods(table):
        own = table[table["method"] == method]
        trained, levels = own[own["sweep"] == AS_TRAINED], own[own["sweep"] == sweep]
        look: dict[str, Any] = {
            "color": COLOURS[method],
            "marker": MARKERS[method],
            "fillstyle": "none",
            "markersize": 7,
        }
        axes.plot(["trained"], trained["error"], **look)
        axes.plot(levels["level"], levels["error"], linestyle=STYLES[method], label=NAMES[method], **look)
    axes.set_ylabel("error, relative")
    axes.set_title(sweep, pad=22)
    on_log_scale(axes)
    axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(-0.02, 0.99), columnspacing=1, handlelength=1.6, borderpad=0)


def _table(table: pd.DataFrame) -> Table:
    names = methods(table)
    rows = []
    for (sweep, level), own in table.groupby(["sweep", "level"], sort=False):
        found = own.set_index("method")["error"]
        rows.append([f"{sweep} {level}".strip(), *(f"{found[name]:.2f}" for name in names)])
    return Table(
        caption="Mean over targets of mean |error| over that of least squares as trained, in simulated spectra.",
        header=["Condition", *(NAMES[name] for name in names)],
        rows=rows,
    )
