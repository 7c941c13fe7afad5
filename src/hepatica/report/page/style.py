"""Style: one look for every figure, legible in print, on a phone and to colour-blind readers."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from hepatica.evaluate import Estimate

INK = "#1f2933"
QUIET = "#7b8794"
FAINT = "#e4e7eb"
ALERT = "#a4343a"

HIGH = "#d55e00"
LOW = "#0072b2"
"""High and low risk, event and no event: Okabe and Ito's vermilion and blue, distinct to colour-blind readers."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Targets or cohorts in one panel: Okabe and Ito's palette without black and yellow."""

SCALE = "cividis"
"""Scores from 0 to 1: even in lightness, so that it survives a grey print."""

PANEL = (4.4, 4.0)
"""Inches of a square panel: on a phone its smallest print is still 3 mm high."""

RC: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.title_fontsize": 8.5,
    "lines.linewidth": 1.8,
    "savefig.dpi": 200,
    "svg.fonttype": "path",
    "svg.hashsalt": "hepatica",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": INK,
    "ytick.labelsize": 8.5,
}
"""Set for the time of one drawing only; text is drawn as outlines, so that a figure looks the same everywhere."""


def stamp_phantom(figure: Figure) -> None:
    """Write across the foot of a figure that its patients are synthetic."""
    text = "PHANTOM: synthetic patients, not clinical results"
    figure.supxlabel(text, color=ALERT, fontsize=7.5, fontweight="bold", x=0.99, ha="right")


def unit_square(axes: Axes, *, xlabel: str, ylabel: str) -> None:
    """Axes of two shares in 0..1, drawn square."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=xlabel, ylabel=ylabel, aspect="equal", box_aspect=1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "0.25", "0.5", "0.75", "1"])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "0.25", "0.5", "0.75", "1"])


def log_scale(axes: Axes) -> None:
    """A logarithmic y axis with plain numbers."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def whisker(axes: Axes, found: Estimate, *, x: float, colour: str) -> None:
    """Draw the interval of an estimate as an upright line; nothing where it has none."""
    if found.low is not None and found.high is not None:
        axes.vlines(x, found.low, found.high, color=colour, linewidth=1, alpha=0.6)


def say(axes: Axes, text: str) -> None:
    """Write into an empty panel why it is empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=QUIET, wrap=True)
