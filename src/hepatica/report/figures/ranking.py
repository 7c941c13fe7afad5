"""Ranking: parts of a network, such as channels, by how much they weigh in its answer."""

import pandas as pd
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Patch

from hepatica.report.page.style import HIGH, INK, LOW, QUIET

EACH_END = 10
"""Parts drawn at each end of the ranking."""


def paint_ends(figure: Drawing, *, table: pd.DataFrame, part: str, answer: str) -> None:
    """Bars of the highest and the lowest parts of a ranked `table`: its columns are the `part`, rank, importance, low,
    high, and direction, above 0 where the part speaks for the `answer`.
    """
    count = min(EACH_END, len(table) // 2)
    shown = pd.concat([table.iloc[:count], table.iloc[len(table) - count :]])
    place = [float(rank + (rank >= count)) for rank in range(2 * count)]
    axes = figure.subplots()
    error = [shown["importance"] - shown["low"], shown["high"] - shown["importance"]]
    colours = [HIGH if direction > 0 else LOW for direction in shown["direction"]]
    axes.barh(place, shown["importance"], color=colours, xerr=error, error_kw={"elinewidth": 0.9, "ecolor": INK})
    axes.set_yticks(place, labels=[str(each) for each in shown[part]], fontsize=7.5)
    axes.axhline(count, color=QUIET, linestyle=":", linewidth=1)
    axes.invert_yaxis()
    axes.locator_params(axis="x", nbins=5)
    title = f"Top {count} and bottom {count}"
    axes.set(xlabel=f"Weight in the {answer} logit", ylabel=part.capitalize(), title=title)
    keys = [Patch(color=HIGH, label=f"speaks for {answer}"), Patch(color=LOW, label="speaks against")]
    axes.legend(handles=keys, loc="lower right")


def paint_ranked(figure: Drawing, *, table: pd.DataFrame, part: str, answer: str) -> None:
    """The weight of every part by its rank, with its interval."""
    axes = figure.subplots()
    axes.fill_between(table["rank"], table["low"], table["high"], color=QUIET, alpha=0.35, linewidth=0)
    axes.plot(table["rank"], table["importance"], color=INK)
    axes.set(xlabel=f"Rank of the {part}", ylabel=f"Weight in the {answer} logit", title=f"All {part}s")
    axes.set_ylim(bottom=0)
