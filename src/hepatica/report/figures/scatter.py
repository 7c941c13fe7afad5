"""Scatter: a measurement against another, a dot a patient, with the straight line through them and its band."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import Line, linear
from hepatica.report.page.style import HIGH, INK, LOW, QUIET, say
from hepatica.report.page.wording import attempt


def fitted(outcomes: pd.DataFrame, *, x: str) -> Line | str:
    """Least squares of months on the column `x`, or the reason why there is no line."""
    return attempt(lambda: linear(outcomes["time"].to_numpy(), x=outcomes[x].to_numpy(float)))


def paint(figure: Drawing, *, outcomes: pd.DataFrame, x: str, xlabel: str, title: str, note: str) -> None:
    """Months against the column `x`: filled dots are events, hollow ones censored; colours are risk groups."""
    axes = figure.subplots()
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    if outcomes.empty:
        say(axes, "No patients to show.")
        return
    colour = [HIGH if group == "high" else LOW for group in outcomes["group"]]
    face = [own if event else "white" for own, event in zip(colour, outcomes["event"], strict=True)]
    axes.scatter(outcomes[x], outcomes["time"], s=15, c=face, edgecolors=colour, linewidths=0.8, zorder=3)
    line = fitted(outcomes, x=x)
    if not isinstance(line, str):
        places = np.linspace(outcomes[x].min(), outcomes[x].max(), 60)
        middle, low, high = line.at(places)
        axes.fill_between(places, low, high, color=INK, alpha=0.1, linewidth=0)
        axes.plot(places, middle, color=INK, linewidth=1.4)
    axes.set(xlabel=xlabel, ylabel="Months to event or censoring")
    axes.set_ylim(0, outcomes["time"].max() * 1.06)
    axes.set_title(note, fontsize=8.5, fontweight="normal")
    _key(axes)


def _key(axes: Axes) -> None:
    for name, edge, face in (("high risk", HIGH, HIGH), ("low risk", LOW, LOW), ("censored", QUIET, "white")):
        axes.plot([], [], "o", color=edge, markersize=4, markerfacecolor=face, markeredgewidth=0.8, label=name)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.03, -0.19), ncols=3, handletextpad=0.1, columnspacing=1)
