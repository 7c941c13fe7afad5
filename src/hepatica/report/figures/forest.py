"""Forest: estimates with their intervals, one line each; hazard ratios on a logarithmic scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import NullFormatter, NullLocator

from hepatica.evaluate import Estimate
from hepatica.report.page.style import HIGH, INK, QUIET, say

WIDEST = (0.05, 20.0)
"""Hazard ratios beyond are cut by the edge of the plot, their intervals ending in an arrow."""

_MARKS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A term with its hazard ratio alone and beside the other terms; None where there is none."""

    name: str
    alone: Estimate | None
    together: Estimate | None
    strong: bool = False


def forest(figure: Drawing, *, lines: Sequence[Line], title: str) -> None:
    """Open circles are each term alone, filled ones all terms together, if any; `strong` lines are coloured."""
    axes = figure.subplots()
    axes.set_title(title)
    if not any(line.alone or line.together for line in lines):
        say(axes, "No model could be fitted.")
        return
    both = any(line.together for line in lines)
    aside = 0.14 if both else 0
    for place, line in enumerate(lines):
        colour = HIGH if line.strong else INK
        _ratio(axes, line.alone, y=place - aside, colour=colour, filled=False)
        _ratio(axes, line.together, y=place + aside, colour=colour, filled=True)
    axes.axvline(1, color=QUIET, linewidth=0.8, zorder=0)
    name_rows(axes, [line.name for line in lines], xlabel="Hazard ratio (95% interval)")
    _scale(axes, lines)
    if both:
        _key(axes)


def estimate(axes: Axes, found: Estimate | None, *, y: float, colour: str, filled: bool = True) -> None:
    """Draw value and interval of an estimate at height `y`; nothing where it has none."""
    if found is None or not np.isfinite(found.value):
        return
    if found.low is not None and found.high is not None:
        axes.plot([found.low, found.high], [y, y], color=colour, linewidth=1.3)
    axes.plot(found.value, y, "o", color=colour, markersize=5, markerfacecolor=colour if filled else "white")


def dots(
    axes: Axes,
    found: Mapping[str, Estimate | None],
    *,
    xlabel: str,
    colours: Mapping[str, str],
    at: float | None = None,
) -> None:
    """An estimate of a share a line, in the colour of its name (INK where it has none); `at` is marked."""
    for y, (name, each) in enumerate(found.items()):
        estimate(axes, each, y=y, colour=colours.get(name, INK))
    name_rows(axes, list(found), xlabel=xlabel, at=at)
    axes.set_xlim(-0.02, 1.02)


def name_rows(axes: Axes, names: Sequence[str], *, xlabel: str, at: float | None = None) -> None:
    """A name for each line, the first on top; `at` is marked by a dotted line."""
    if at is not None and np.isfinite(at):
        axes.axvline(at, color=QUIET, linewidth=0.8, linestyle=":", zorder=0)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel=xlabel)
    axes.set_yticks(range(len(names)), labels=names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _ratio(axes: Axes, found: Estimate | None, *, y: float, colour: str, filled: bool) -> None:
    """A hazard ratio, cut at WIDEST."""
    if found is None or found.low is None or found.high is None:
        return
    low, high = np.clip([found.low, found.high], *WIDEST)
    for end, cut, mark in ((low, found.low < WIDEST[0], "<"), (high, found.high > WIDEST[1], ">")):
        if cut:
            axes.plot(end, y, mark, color=colour, markersize=4)
    value = found.value if WIDEST[0] <= found.value <= WIDEST[1] else np.nan
    axes.plot([low, high], [y, y], color=colour, linewidth=1.3)
    axes.plot(value, y, "o", color=colour, markersize=5, markerfacecolor=colour if filled else "white")


def _scale(axes: Axes, lines: Sequence[Line]) -> None:
    """A logarithmic axis as wide as the intervals, one at its middle mark at least."""
    found = [each for line in lines for each in (line.alone, line.together) if each is not None]
    low = min((each.low for each in found if each.low is not None), default=0.5)
    high = max((each.high for each in found if each.high is not None), default=2.0)
    low, high = max(min(low / 1.15, 0.45), WIDEST[0] / 1.1), min(max(high * 1.15, 2.2), WIDEST[1] * 1.1)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    marks = [mark for mark in _MARKS if low <= mark <= high]
    axes.set_xticks(marks, labels=[f"{mark:g}" for mark in marks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _key(axes: Axes) -> None:
    for name, face in (("alone", "white"), ("all together", INK)):
        axes.plot([], [], "o", color=INK, markersize=5, markerfacecolor=face, label=name)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13), ncols=2, handletextpad=0.1)
