"""Fit picture: a spectrum with its fit, residual, baseline and components, drawn as the field draws them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hepatica.cohort.atomic import replacing
from hepatica.spectroscopy.signal_model import PIVOT_PPM, Parameters, SignalModel

Floats = NDArray[np.float64]

DATA, FITTED, BASELINE, RESIDUAL, COMPONENT = "#1f2933", "#d55e00", "#7b8794", "#7b8794", "#0072b2"

SHOWN = 12
"""Components drawn one below the other: those with the largest peaks (ours)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnFit:
    """Real parts (w,) at `ppm` (w,), phased so that peaks stand upright; `components` each without the baseline."""

    ppm: Floats
    data: Floats
    fit: Floats
    baseline: Floats
    components: Mapping[str, Floats]


def drawn_fits(vectors: Floats, values: NDArray[np.complexfloating], *, model: SignalModel) -> list[DrawnFit]:
    """What is drawn of each spectrum (n, w) and the parameters (n, p) found in it, its phases turned back."""
    peaks, parts = model.evaluate(vectors), model.components(vectors)
    baseline = model.baseline.smooth(values - peaks)
    found = Parameters.of(vectors)
    phase = found.phase0[:, None] + found.phase1[:, None] * (model.ppm - PIVOT_PPM)
    upright = np.exp(-1j * phase)
    return [
        DrawnFit(
            ppm=model.ppm,
            data=(values[row] * upright[row]).real,
            fit=((peaks + baseline)[row] * upright[row]).real,
            baseline=(baseline[row] * upright[row]).real,
            components=dict(zip(model.names, (parts[row] * upright[row]).real, strict=True)),
        )
        for row in range(len(vectors))
    ]


def paint_fit(figure: Figure, fit: DrawnFit, *, title: str) -> None:
    """Residual above, data with fit and baseline below it, the largest components under them; ppm from right to left.

    All share one scale of intensity, so that a residual is seen against the peak it is left from.
    """
    shown = sorted(fit.components, key=lambda name: -float(np.abs(fit.components[name]).max()))[:SHOWN]
    heights = [1.2, 4, 0.42 * max(len(shown), 1)]
    above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=heights)
    above.set_title(title, loc="left", fontsize=9)
    residual = fit.data - fit.fit
    above.plot(fit.ppm, residual, color=RESIDUAL, linewidth=0.7)
    above.axhline(0, color=DATA, linewidth=0.4)
    _same_scale(above, residual)
    above.set_ylabel("residual", fontsize=8)
    middle.plot(fit.ppm, fit.data, color=DATA, linewidth=0.8, label="data")
    middle.plot(fit.ppm, fit.fit, color=FITTED, linewidth=1.2, label="fit")
    middle.plot(fit.ppm, fit.baseline, color=BASELINE, linewidth=1, linestyle="--", label="baseline")
    middle.legend(fontsize=8, frameon=False, loc="upper left")
    _components(below, fit, shown)
    for axes in (above, middle, below):
        axes.set_yticks([])
        axes.spines[["left", "right", "top"]].set_visible(False)
    below.set_xlim(float(fit.ppm.max()), float(fit.ppm.min()))
    below.set_xlabel("chemical shift, ppm")


def _same_scale(axes: Axes, residual: Floats) -> None:
    most = float(np.abs(residual).max()) or 1.0
    axes.set_ylim(-1.1 * most, 1.1 * most)


def _components(axes: Axes, fit: DrawnFit, shown: list[str]) -> None:
    """Each in its own row at its own scale, which its name tells as a share of the largest."""
    largest = max((float(np.abs(fit.components[name]).max()) for name in shown), default=0.0) or 1.0
    for row, name in enumerate(shown):
        values = fit.components[name]
        most = float(np.abs(values).max()) or 1.0
        axes.plot(fit.ppm, 0.85 * values / most - row, color=COMPONENT, linewidth=0.8)
        axes.text(float(fit.ppm.max()), -row, f"{name} {most / largest:.0%} ", fontsize=7, ha="left", va="bottom")
    axes.set_ylim(-len(shown) - 0.2, 1)


def draw_fit(fit: DrawnFit, *, path: Path, title: str, note: str = "") -> None:
    """Write the picture as PNG; `note` (such as "phantom") stands at its foot."""
    figure = Figure(figsize=(7.2, 7.6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    paint_fit(figure, fit, title=title)
    if note:
        figure.supxlabel(note, x=0.99, ha="right", fontsize=8, color="#a4343a")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
