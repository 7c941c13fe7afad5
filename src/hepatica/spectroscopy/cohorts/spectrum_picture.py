"""Spectrum picture: one spectrum, ppm from right to left, with what moves a network's score."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from hepatica.cohort import Specimen
from hepatica.cohort.atomic import replacing
from hepatica.spectroscopy.cohorts.spectra import SpectraStore
from hepatica.spectroscopy.fitting.fit_picture import paint_enlarged

LINE, LOOKED_AT, ENLARGED_LINE = "#1f2933", "#d55e00", "#0072b2"

PEAKS_PPM = {
    "Lip09": 0.90, "Lip13": 1.30, "Lip16": 1.59, "Lip21": 2.05, "Glx": 2.35, "Lip28": 2.77, "Cr": 3.03, "tCho": 3.21,
    "Glc, Tau": 3.42, "Glycg": 3.82,
}  # fmt: skip
"""Places of the labels (spec of the basis; sums where lines are not resolved)."""


def draw_spectrum(
    specimen: Specimen,
    *,
    material: SpectraStore,
    regions: pd.DataFrame,
    saliency: Callable[[np.ndarray], np.ndarray],
    stem: Path,
    note: str,
    meaning: str,
) -> list[Path]:
    """Write each spectrum of the specimen (`_saliency.png`, or `_saliency_2.png`, …) with what moves its score.

    `regions` are the specimen's rows, in the order of `material`; the names of the files begin with `stem`; `note`
    is printed on each picture, `meaning` says what is scored. Returns the files.
    """
    own = material.select(specimen_ids=[specimen.specimen_id])
    images = own.read(np.arange(len(own)))
    paths = []
    for number, (image, seen, score) in enumerate(
        zip(images, saliency(images), regions["score"], strict=True), start=1
    ):
        path = stem.with_name(f"{stem.name}_saliency{f'_{number}' if number > 1 else ''}.png")
        title = f"{meaning}: {score:.2f}"
        _draw(own.ppm, image[0, :, 0], seen[0], title=title, note=note, path=path)
        paths.append(path)
    return paths


def _draw(ppm: np.ndarray, real: np.ndarray, seen: np.ndarray, *, title: str, note: str, path: Path) -> None:
    figure = Figure(figsize=(7.2, 4.4), dpi=150, layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    _paint_spectrum(upper, ppm, real, seen)
    upper.set_title(title, loc="left", fontsize=9)
    lower.fill_between(ppm, seen, color=LOOKED_AT, linewidth=0, alpha=0.8)
    lower.set_ylim(0, 1.05)
    lower.set_ylabel("moves the\nscore, share", fontsize=8)
    lower.set_xlim(float(ppm[-1]), float(ppm[0]))
    lower.set_xlabel(
        f"chemical shift, ppm\nbelow: change of the score when a stretch is replaced by a straight line; {note}",
        fontsize=8,
    )
    for axes in (upper, lower):
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as temporary:
        figure.savefig(temporary)


def _paint_spectrum(axes: Axes, ppm: np.ndarray, real: np.ndarray, seen: np.ndarray) -> None:
    """The real part, thicker and coloured where it moves the score; the names of peaks above it."""
    axes.plot(ppm, real, color=LINE, linewidth=0.8)
    points = np.stack([ppm, real], axis=1)
    pieces = np.stack([points[:-1], points[1:]], axis=1)
    shown = (seen[:-1] + seen[1:]) / 2
    axes.add_collection(LineCollection(list(pieces), colors=LOOKED_AT, linewidths=2.5 * shown, alpha=0.8))
    top = float(real.max())
    for name, place in PEAKS_PPM.items():
        height = float(real[np.abs(ppm - place) < 0.05].max(initial=0))
        axes.annotate(
            name, (place, height), xytext=(0, 6), textcoords="offset points", rotation=90, fontsize=7, ha="center",
            va="bottom",
        )  # fmt: skip
    paint_enlarged(axes, ppm, real, {ENLARGED_LINE: real})
    axes.set_ylim(min(float(real.min()), 0) - 0.05 * top, 1.35 * top)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("real part", fontsize=8)
