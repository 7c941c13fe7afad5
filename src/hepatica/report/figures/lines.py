"""Lines: estimates of several settings, such as subsets trained on, a line a group, with their intervals."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from hepatica.evaluate import Estimate
from hepatica.report.page.style import QUIET, SERIES, whisker


def paint_lines(
    axes: Axes,
    lines: Mapping[str, Sequence[Estimate | None]],
    *,
    names: Sequence[str],
    title: str,
    ylabel: str,
    xlabel: str = "Denoised subset",
) -> None:
    """A line a group over the settings called `names`, side by side where they would hide each other; 0.5 is dotted."""
    for place, (group, found) in enumerate(lines.items()):
        colour, aside = SERIES[place], 0.1 * (place - (len(lines) - 1) / 2)
        shown = [(x + aside, each) for x, each in enumerate(found) if each is not None]
        for x, each in shown:
            whisker(axes, each, x=x, colour=colour)
        axes.plot(
            [x for x, _ in shown], [each.value for _, each in shown], "o-", markersize=4, color=colour, label=group
        )
    axes.axhline(0.5, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.set_xticks(range(len(names)), labels=names)
    axes.legend(loc="lower left", handlelength=1.2)
