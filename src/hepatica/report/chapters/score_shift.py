"""Score shift: where the scores of each cohort lie, and how many patients are called high."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.report.page.groups import Group
from hepatica.report.page.results import Run
from hepatica.report.page.style import QUIET, say
from hepatica.report.page.wording import NONE, calls, share, when


def paint_scores(figure: Drawing, *, scores: Sequence[tuple[Group, pd.Series]], title: str, cutoff: float) -> None:
    """Share of the patients of each group with a score up to each value; the cut-off is dotted."""
    axes = figure.subplots()
    axes.set_title(title)
    shown = [(group, values) for group, values in scores if len(values)]
    if not shown:
        say(axes, "No patients with a score.")
        return
    for group, values in shown:
        axes.ecdf(values, color=group.colour, label=group.name)
    axes.axvline(cutoff, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="Score", ylabel="Share of patients with this score or less")
    axes.legend(loc="upper left")


def score_rows(run: Run, groups: Sequence[Group]) -> list[list[str]]:
    """Scores of each target: where they lie, and who is called high; none of patients the model learnt from."""
    rows = []
    for target in run.targets:
        tables = [None if each.learnt else each.outcomes(target) for each in groups]
        of = when(target) if not target.followed else when(target).lower()
        called = calls(target)[0] if not target.followed else "high risk"
        rows += [
            [f"Score {of}: median [interquartile range]", *map(_middle, tables)],
            [f"Score {of}: called {called}", *map(_high, tables)],
        ]
    return rows


def _middle(table: pd.DataFrame | None) -> str:
    if table is None or table.empty:
        return NONE
    low, middle, high = table["score"].quantile([0.25, 0.5, 0.75])
    return f"{middle:.2f} [{low:.2f} to {high:.2f}]"


def _high(table: pd.DataFrame | None) -> str:
    return NONE if table is None else share(int((table["group"] == "high").sum()), len(table))
