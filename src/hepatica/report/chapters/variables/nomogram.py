"""Nomogram: the locked model of a system that has one, as scales of points to be read with a ruler."""

from collections.abc import Mapping
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from hepatica.evaluate import Nomogram
from hepatica.report.page import Figure, Gallery, Run, Section
from hepatica.report.page.style import INK, QUIET
from hepatica.report.page.wording import column

NOTE = (
    "Read off the points of each variable, add them, and read the probability below their total. It is the locked"
    " model, fitted to training patients; calibration is not implied."
)


def section(run: Run, gallery: Gallery) -> Section | str:
    """The picture; an empty sentence for a system without."""
    scales = run.model["training"].get("nomogram")
    if scales is None:
        return ""
    model = Nomogram(**scales)
    paint = partial(paint_nomogram, model=model, title=run.targets[0].label.capitalize())
    panel = gallery.draw("nomogram", paint, alt="Nomogram of the locked model", size=(7.0, height(model)))
    return Section(anchor="nomogram", title="Nomogram", blocks=[Figure(caption=NOTE, panels=[panel], columns=1)])


_TICK, _APART = 0.12, 0.045
"""Height of a tick in rows, and the least distance of two labels in widths of the figure."""


def height(model: Nomogram) -> float:
    """Inches that it needs."""
    return 0.8 + 0.5 * (2 + len(model.scales) + len(model.outcomes))


def paint_nomogram(figure: Drawing, *, model: Nomogram, title: str) -> None:
    """Points on top, a row a variable, their total, and the axes of probability below."""
    axes = figure.subplots()
    rows: dict[str, tuple[Mapping[str, float], float]] = {"Points": ({str(at): at for at in range(0, 101, 10)}, 100)}
    rows |= {name: (marks, 100) for name, marks in model.points.items()}
    most = sum(max(each.values()) for each in model.points.values())
    step = next(each for each in (10, 20, 25, 50, 100) if most / each <= 12 or each == 100)
    rows["Total points"] = ({str(at): at for at in range(0, int(most) + 1, step)}, most)
    rows |= {name: (marks, most) for name, marks in model.totals.items()}
    for place, (marks, whole) in enumerate(rows.values()):
        _scale(axes, {mark: at / whole for mark, at in marks.items()}, y=place)
    axes.axhline(len(model.scales) + 0.62, color=QUIET, linewidth=0.6)
    axes.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.4, -0.7), title=title)
    axes.set_xticks([])
    axes.set_yticks(range(len(rows)), labels=[column(name) for name in rows])
    axes.tick_params(axis="y", length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _scale(axes: Axes, places: Mapping[str, float], *, y: float) -> None:
    """A line with a tick a mark, and its label where it does not touch the last."""
    if not places:
        axes.text(0, y, "beyond the scale", color=QUIET, fontsize=7.5, va="center")
        return
    axes.plot([min(places.values()), max(places.values())], [y, y], color=INK, linewidth=0.9)
    last = -1.0
    for mark, x in sorted(places.items(), key=lambda each: each[1]):
        axes.plot([x, x], [y, y - _TICK], color=INK, linewidth=0.9)
        if x - last >= _APART:
            axes.text(x, y + 0.08, mark, ha="center", va="top", fontsize=7.5)
            last = x
