"""Boxes: groups of values as boxes with every patient over them; follow-up times of two groups and their test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import GroupComparison, compare_groups
from hepatica.evaluate.models.stacking import mean_limits
from hepatica.report.figures.forest import name_rows
from hepatica.report.figures.kaplan_meier import Arm
from hepatica.report.page.style import INK, QUIET, say
from hepatica.report.page.wording import attempt, cell, equals, p_value

SEED = 0
"""Of the horizontal places of the dots, which are arbitrary."""


def compared(first: Arm, second: Arm) -> GroupComparison | str:
    """The paper's test between the times of two groups, or the reason why there is none."""
    names = first.name.lower(), second.name.lower()
    times, others = (arm.patients["time"].to_numpy() for arm in (first, second))
    return attempt(lambda: compare_groups(times, second=others, names=names))


def paint(figure: Drawing, *, drawn: tuple[Arm, Arm], title: str) -> None:
    """A box a group: quartiles, whiskers to the farthest patient within 1.5 interquartile ranges; dots are patients."""
    axes = figure.subplots()
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    if all(arm.patients.empty for arm in drawn):
        say(axes, "No patients to compare.")
        return
    for place, arm in enumerate(drawn):
        _group(axes, arm, place=place)
    axes.set_xticks([0, 1], labels=[f"{arm.name}\nn = {len(arm.patients)}" for arm in drawn])
    axes.tick_params(axis="x", length=0)
    axes.set(xlim=(-0.6, 1.6), ylabel="Months to event or censoring")
    axes.set_ylim(bottom=0)
    axes.set_title(line_of(compared(*drawn)), fontsize=8.5, fontweight="normal")
    for name, face in (("event", INK), ("censored", "white")):
        axes.plot([], [], "o", color=INK, markersize=4, markerfacecolor=face, markeredgewidth=0.8, label=name)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.03, -0.13), ncols=2, handletextpad=0.1)


def _group(axes: Axes, arm: Arm, *, place: int) -> None:
    time, event = arm.patients["time"].to_numpy(float), arm.patients["event"].to_numpy() == 1
    box(axes, time, place=place, colour=arm.colour)
    aside = sideways(time.size, place=place)
    for shown, face in ((event, arm.colour), (~event, "white")):
        axes.scatter(aside[shown], time[shown], s=11, c=face, edgecolors=arm.colour, linewidths=0.7, zorder=3)


def box(axes: Axes, values: np.ndarray, *, place: int, colour: str) -> None:
    """Quartiles and whiskers of values (n,); nothing where there are none."""
    if not values.size:
        return
    line = {"color": colour, "linewidth": 1.2}
    axes.boxplot(
        values,
        positions=[place],
        widths=0.55,
        showfliers=False,
        manage_ticks=False,
        boxprops=line,
        whiskerprops=line,
        capprops=line,
        medianprops=line | {"linewidth": 2.2},
    )


def over_folds(axes: Axes, folds: pd.DataFrame, *, colours: Mapping[str, str], xlabel: str) -> None:
    """A horizontal box a column over its folds (rows, shares): quartiles, and the interval of the mean as whiskers."""
    quiet = {"color": QUIET}
    axes.bxp(
        [fold_box(folds[name]) for name in folds],
        positions=range(len(folds.columns)),
        orientation="horizontal",
        widths=0.5,
        showfliers=False,
        medianprops={"color": INK, "linewidth": 1.6},
        boxprops=quiet,
        whiskerprops=quiet,
        capprops=quiet,
    )
    for place, name in enumerate(folds):
        axes.plot(folds[name], [place] * len(folds), "o", color=colours.get(str(name), INK), markersize=3.5, alpha=0.8)
    name_rows(axes, [str(name) for name in folds], xlabel=xlabel, at=0.5)
    axes.set_xlim(-0.02, 1.02)


def fold_box(values: pd.Series) -> dict[str, Any]:
    """Median, interquartile range and 95 % interval of the mean over folds (t distribution, kept within 0 and 1)."""
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    start, end = mean_limits(values)
    return {"q1": low, "med": middle, "q3": high, "whislo": start, "whishi": end, "label": ""}


def sideways(count: int, *, place: int) -> np.ndarray:
    """Places of the dots of a box on the x axis, at random."""
    return place + np.random.default_rng(SEED).uniform(-0.2, 0.2, count)


def line_of(found: GroupComparison | str) -> str:
    """Test and P in one line, as a figure prints it."""
    if isinstance(found, str):
        return "No test: too few patients, or all times equal"
    return f"{found.test[:1].upper()}{found.test[1:]}: P {equals(p_value(found.p))}"


def rows(found: Sequence[GroupComparison | str], *, of: str) -> list[list[str]]:
    """Rows of a table, a cell for each comparison after the name of the row; `of` names the groups: high vs. low."""
    return [
        [f"Median months, {of}", *(_cell(each, "{0.medians[0]:.1f} vs. {0.medians[1]:.1f}") for each in found)],
        [
            "Difference in months",
            *(each if isinstance(each, str) else cell(each.difference, digits=1) for each in found),
        ],
        ["P", *("" if isinstance(each, str) else p_value(each.p) for each in found)],
        ["Test", *(_cell(each, "{0.test}") for each in found)],
        ["How it was chosen", *("" if isinstance(each, str) else " ".join(each.trace) for each in found)],
    ]


def _cell(found: GroupComparison | str, form: str) -> str:
    return "" if isinstance(found, str) else form.format(found)
