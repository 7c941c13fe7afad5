"""Fit picture: a spectrum with its fit, residual, baseline and components, drawn as the field draws them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hepatica.cohort.atomic import replacing
from hepatica.spectroscopy.fitting.signal_model import PIVOT_PPM, Parameters, SignalModel

Floats = NDArray[np.float64]

DATA, FITTED, BASELINE, RESIDUAL, COMPONENT = "#1f2933", "#d55e00", "#7b8794", "#7b8794", "#0072b2"

HEIGHTS = (1.2, 4.0)
"""Of the panels of the residual and of the data, as those of the components are 0.42 a component (ours)."""

ABOVE_LIPIDS_PPM, ENLARGED, LIFTED = 2.6, 0.45, 0.2
"""Left of there, metabolites are drawn once more, this share of the tallest peak high and lifted by that (ours)."""

SHOWN = 12
"""Components drawn one below the other: those with the largest peaks (ours)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnFit:
    """Real parts (w,) at `ppm` (w,), phased for absorption; `components` each without the baseline."""

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

    The residual is enlarged as its label says, so that what the fit left is seen beside a lipid of any height.
    """
    shown = sorted(fit.components, key=lambda name: -float(np.abs(fit.components[name]).max()))[:SHOWN]
    above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=[*HEIGHTS, 0.42 * max(len(shown), 1)])
    above.set_title(title, loc="left", fontsize=9)
    middle.plot(fit.ppm, fit.data, color=DATA, linewidth=0.8, label="data")
    middle.plot(fit.ppm, fit.fit, color=FITTED, linewidth=1.2, label="fit")
    middle.plot(fit.ppm, fit.baseline, color=BASELINE, linewidth=1, linestyle="--", label="baseline")
    paint_enlarged(middle, fit.ppm, fit.data, {DATA: fit.data, FITTED: fit.fit})
    middle.legend(fontsize=8, frameon=False, loc="upper left")
    _residual(above, fit, span=float(np.ptp(middle.get_ylim())))
    for axes in (above, middle):
        axes.set_yticks([])
    _components(below, fit, shown)
    for axes in (above, middle, below):
        axes.spines[["left", "right", "top"]].set_visible(False)
    below.set_xlim(float(fit.ppm.max()), float(fit.ppm.min()))
    below.set_xlabel("chemical shift, ppm")


def _residual(axes: Axes, fit: DrawnFit, *, span: float) -> None:
    """Over the whole height of its panel; its label gives the magnification over the data, whose panel spans `span`."""
    residual = fit.data - fit.fit
    axes.plot(fit.ppm, residual, color=RESIDUAL, linewidth=0.7)
    axes.axhline(0, color=DATA, linewidth=0.4)
    most = float(np.abs(residual).max())
    axes.set_ylim(-1.1 * (most or 1), 1.1 * (most or 1))
    times = f"\n{_times(span / HEIGHTS[1] / (2.2 * most / HEIGHTS[0]))}" if most else ""
    axes.set_ylabel(f"residual{times}", fontsize=8)


def paint_enlarged(axes: Axes, ppm: Floats, data: Floats, curves: Mapping[str, Floats]) -> None:
    """Curves (w,), by colour, left of the lipids once more, enlarged and lifted, where lipids make them a flat line."""
    small = ppm > ABOVE_LIPIDS_PPM
    top, level, height = float(data.max()), float(data[small].min()), float(np.ptp(data[small]))
    times = ENLARGED * top / height if height else 1.0
    if times < 2:
        return
    for colour, values in curves.items():
        axes.plot(ppm[small], LIFTED * top + times * (values[small] - level), color=colour, linewidth=0.9)
    axes.text(ABOVE_LIPIDS_PPM, LIFTED * top, f" {_times(times)}", fontsize=8)


def _times(factor: float) -> str:
    return f"\N{MULTIPLICATION SIGN} {factor:.0f}" if factor >= 10 else f"\N{MULTIPLICATION SIGN} {factor:.1f}"


def _components(axes: Axes, fit: DrawnFit, shown: list[str]) -> None:
    """Each in its own row at its own scale, given beside its name as a share of the largest."""
    peaks = {name: float(np.abs(fit.components[name]).max()) for name in shown}
    largest = max(peaks.values(), default=0.0) or 1.0
    for row, (name, most) in enumerate(peaks.items()):
        axes.plot(fit.ppm, 0.85 * fit.components[name] / (most or 1) - row, color=COMPONENT, linewidth=0.8)
    labels = [f"{name} {_share(most / largest)}" for name, most in peaks.items()]
    axes.set_yticks([-row for row in range(len(shown))], labels=labels, fontsize=7)
    axes.tick_params(left=False)
    axes.set_ylim(-len(shown) - 0.2, 1)


def _share(of: float) -> str:
    """100%, 1.3%: small ones with one more digit."""
    return f"{of:.0%}" if of >= 0.1 else f"{of:.1%}"


def draw_fit(fit: DrawnFit, *, path: Path, title: str, note: str = "") -> None:
    """Write the picture as PNG; `note` (such as "phantom") is printed at its foot."""
    figure = Figure(figsize=(7.2, 7.6), dpi=150, layout="constrained")
    paint_fit(figure, fit, title=title)
    if note:
        figure.supxlabel(note, x=0.99, ha="right", fontsize=8, color="#a4343a")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
