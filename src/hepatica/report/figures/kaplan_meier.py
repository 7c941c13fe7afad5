"""Kaplan-Meier: event-free survival of groups of patients, with intervals and numbers at risk."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import kaplan_meier, log_rank_p
from hepatica.report.page.style import HIGH, LOW, QUIET, say

GROUPS = {"high": ("High risk", HIGH), "low": ("Low risk", LOW)}
"""Values of the column `group`, with their name and colour."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One curve: its name, colour and patients (columns time, in months, and event)."""

    name: str
    colour: str
    patients: pd.DataFrame


def arms(outcomes: pd.DataFrame) -> list[Arm]:
    """High and low risk by the locked cut-off; a group without patients has no curve."""
    return [
        Arm(name=name, colour=colour, patients=outcomes[outcomes["group"] == group])
        for group, (name, colour) in GROUPS.items()
        if (outcomes["group"] == group).any()
    ]


def log_rank(*tables: pd.DataFrame) -> float:
    """P that the patients of these tables (columns time and event) have the same course."""
    every = pd.concat(tables, keys=range(len(tables)))
    return log_rank_p(every["time"], event=every["event"], group=every.index.get_level_values(0)).value


def paint(
    figure: Drawing, *, drawn: Sequence[Arm], title: str, note: str, ylabel: str, horizon: float | None = None
) -> None:
    """Curves over numbers at risk; `note` is written into the panel, `horizon` (months) is marked by a thin line.

    A group without patients has no curve.
    """
    drawn = [arm for arm in drawn if len(arm.patients)]
    axes, below = figure.subplots(2, 1, height_ratios=[5, 0.45 * max(len(drawn), 1) + 0.25])
    figure.suptitle(title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    below.set_axis_off()
    if not drawn:
        say(axes, "No patients to follow.")
        return
    end = max(1.0, *(float(arm.patients["time"].max()) for arm in drawn))  # an axis needs a length
    months = ticks(end)
    for arm in drawn:
        _curve(axes, arm)
    if horizon is not None and horizon < end:
        axes.axvline(horizon, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, end * 1.01), ylim=(0, 1.02), xlabel="Months", ylabel=ylabel, xticks=months)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "0.25", "0.5", "0.75", "1"])
    axes.legend(loc="lower left", bbox_to_anchor=(-0.03, 0.98), title=note, alignment="left", handlelength=1.2)
    _numbers_at_risk(below, drawn, months=months, end=end)


def _curve(axes: Axes, arm: Arm) -> None:
    curve = kaplan_meier(arm.patients["time"].to_numpy(), event=arm.patients["event"].to_numpy())
    label = f"{arm.name}: {int(arm.patients['event'].sum())} events in {len(arm.patients)}"
    axes.fill_between(curve.time, curve.low, curve.high, step="post", color=arm.colour, alpha=0.13, linewidth=0)
    axes.step(curve.time, curve.survival, where="post", color=arm.colour, label=label)
    censored = arm.patients.loc[arm.patients["event"] == 0, "time"].to_numpy()
    height = curve.survival[np.searchsorted(curve.time, censored, side="right") - 1]
    axes.plot(censored, height, "|", color=arm.colour, markersize=4.5, markeredgewidth=0.8)


def ticks(end: float) -> list[float]:
    """Months to mark on an axis that ends at `end`: whole quarters, half-years, years or decades, six at most."""
    decades = 120 * ceil(end / (6 * 120))
    step = next((each for each in (3, 6, 12, 24, 36, 60) if end / each <= 6), decades)
    return [float(month) for month in np.arange(0, end, step)]


def _numbers_at_risk(axes: Axes, drawn: Sequence[Arm], *, months: Sequence[float], end: float) -> None:
    axes.set(xlim=(0, end * 1.01), ylim=(-len(drawn), 0.4))
    axes.text(0, 0.35, "Number at risk", fontsize=7.5, color=QUIET, va="center")
    for row, arm in enumerate(drawn):
        beside = axes.get_yaxis_transform()
        short = arm.name.removesuffix(" risk")
        axes.text(-0.05, -row - 0.5, short, transform=beside, ha="right", va="center", fontsize=8, color=arm.colour)
        for month in months:
            at_risk = int((arm.patients["time"] >= month).sum())
            axes.text(month, -row - 0.5, str(at_risk), ha="center", va="center", fontsize=8, color=arm.colour)
