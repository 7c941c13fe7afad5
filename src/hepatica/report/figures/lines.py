"""Lines: estimates of several settings, such as subsets trained on, a line a group, with their intervals."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

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


def paint_folds(
    figure: Drawing,
    found: Mapping[str, Sequence[tuple[Estimate, Mapping[str, float]] | None]],
    *,
    names: Sequence[str],
    palette: Mapping[str, str],
    xlabel: str = "Denoised subset",
) -> None:
    """AUROC of each group in the settings called `names`: a bar is the mean over folds, a dot a fold; 0.5 is dotted."""
    axes = figure.subplots()
    for place, (group, settings) in enumerate(found.items()):
        for column, each in enumerate(settings):
            if each is None:
                continue
            mean, folds = each
            x, colour, label = column + (place - (len(found) - 1) / 2) * 0.1, palette[group], None if column else group
            axes.plot([x - 0.04, x + 0.04], [mean.value] * 2, color=colour, linewidth=2.4, label=label)
            axes.plot([x] * len(folds), list(folds.values()), "o", color=colour, markersize=2.4, alpha=0.55)
    axes.axhline(0.5, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set(xlabel=xlabel, ylabel="AUROC, held-out folds", ylim=(min(0.4, axes.get_ylim()[0]), 1.01))
    axes.set_xticks(range(len(names)), labels=names)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), handlelength=1.0)
