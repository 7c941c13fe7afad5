"""ROC: receiver operating characteristic and precision-recall curves, one painter for all chapters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from sklearn.metrics import precision_recall_curve, roc_curve

from hepatica.report.page.style import QUIET, SERIES, say, unit_square

Kind = Literal["roc", "pr"]
"""ROC, or precision against recall."""

ONE_KIND = "All patients have the same outcome:\nthere is nothing to discriminate."


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """Scores (n,) with their labels (n,), 1 or 0; `name` is the line of the key, `called` (n,) the calls of a ring,
    `weight` (n,) how many rows each represents.
    """

    name: str
    label: Any
    score: Any
    called: Any = None
    weight: Any = None

    @property
    def drawable(self) -> bool:
        """Whether there are rows of both kinds."""
        return bool(np.unique(np.asarray(self.label, float)).size == 2)


def paint(figure: Drawing, *, curves: Sequence[Curve], title: str, kind: Kind = "roc") -> None:
    """Curves of one panel over chance; a ring marks the rates of `called`."""
    axes = figure.subplots()
    axes.set_title(title)
    if draw_curves(axes, curves, kind=kind):
        key(axes)


def draw_curves(axes: Axes, curves: Sequence[Curve], *, kind: Kind = "roc") -> bool:
    """Draw every curve that has rows of both kinds, or say that there is none; whether any was drawn."""
    drawn = [(colour, each) for colour, each in zip(SERIES, curves, strict=False) if each.drawable]
    if not drawn:
        say(axes, ONE_KIND)
        return False
    for colour, each in drawn:
        (_roc if kind == "roc" else _precision_recall)(axes, each, colour)
    return True


def key(axes: Axes) -> None:
    """The names of the curves, below the panel."""
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.13), handlelength=1.2, labelspacing=0.25)


def _roc(axes: Axes, curve: Curve, colour: str) -> None:
    false_alarms, sensitivity, _ = roc_curve(
        curve.label, curve.score, sample_weight=curve.weight, drop_intermediate=False
    )
    axes.plot(false_alarms, sensitivity, color=colour, label=curve.name)
    if curve.called is not None:
        label, called = np.asarray(curve.label) == 1, np.asarray(curve.called)
        weight = np.ones(label.size) if curve.weight is None else curve.weight
        ring = [np.average(called[kind], weights=weight[kind]) for kind in (~label, label)]
        axes.plot(*ring, "o", color=colour, markersize=9, markerfacecolor="none")
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=":")
    unit_square(axes, xlabel="1 \N{MINUS SIGN} specificity", ylabel="Sensitivity")


def _precision_recall(axes: Axes, curve: Curve, colour: str) -> None:
    precision, recall, _ = precision_recall_curve(curve.label, curve.score, sample_weight=curve.weight)
    axes.step(recall, precision, where="post", color=colour, label=curve.name)
    axes.axhline(np.average(curve.label, weights=curve.weight), color=colour, linewidth=0.8, linestyle=":")
    unit_square(axes, xlabel="Recall (sensitivity)", ylabel="Precision (positive predictive value)")
