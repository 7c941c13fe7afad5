"""Stain shift: how differently the slides of each cohort were stained and scanned, before normalisation."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from hepatica.report.chapters.baseline import arrowed, unlike
from hepatica.report.page import Block, Figure, Gallery, Table, Text
from hepatica.report.page.style import INK

Slides = tuple[str, str, pd.DataFrame]
"""A group of slides: name, colour, and their stains (columns haematoxylin_r … eosin_peak)."""

STAINS = {"haematoxylin": "o", "eosin": "^"}

COLUMNS = {"r": "red component", "g": "green component", "b": "blue component", "peak": "peak concentration"}

HALF = 0.5
"""Share of the peak concentration at which the colour of a stain is shown. Ours."""


def stain_blocks(groups: Sequence[Slides], gallery: Gallery) -> list[Block]:
    """Stain vectors of every slide by group, their colours, and differences from the first group."""
    known = [(name, colour, slides) for name, colour, slides in groups if len(slides) and len(slides.columns)]
    if len(known) < 2 or known[0][0] != groups[0][0]:
        text = "No stains were estimated in two groups of slides."
        return [Text(text=text, tone="note")]
    names = ", ".join(name for name, _, _ in known)
    panels = [
        gallery.draw("stain_vectors", partial(_vectors, groups=known), alt=f"Stain vectors of the slides of {names}"),
        gallery.draw("stain_colours", partial(_colours, groups=known), alt=f"Stain colours of the slides of {names}"),
    ]
    caption = (
        "Stains as they were on the slides. Left: the red and the blue component of each stain's vector of length 1, a"
        " mark a slide. Right: the colours themselves at half of each slide's peak concentration, a stripe a slide,"
        " ordered by their red component. Where the system normalises stains, this figure shows the difference before"
        " that, and normalisation does not remove large differences entirely."
    )
    return [Figure(caption=caption, panels=panels), _table(known)]


def _vectors(figure: Drawing, *, groups: Sequence[Slides]) -> None:
    axes = figure.subplots()
    axes.set_title("Stain vectors")
    for _, colour, slides in groups:
        for stain, mark in STAINS.items():
            red, blue = slides[f"{stain}_r"], slides[f"{stain}_b"]
            axes.plot(red, blue, mark, color=colour, markersize=4, markeredgewidth=0, alpha=0.55)
    axes.set(xlabel="Red component of the vector", ylabel="Blue component")
    key = [Line2D([], [], marker="s", linestyle="", color=colour, label=name) for name, colour, _ in groups]
    key += [
        Line2D([], [], marker=mark, linestyle="", color=INK, markerfacecolor="white", label=stain.capitalize())
        for stain, mark in STAINS.items()
    ]
    axes.legend(handles=key, loc="upper left", bbox_to_anchor=(-0.1, -0.14), ncols=3, handletextpad=0.1)


def _colours(figure: Drawing, *, groups: Sequence[Slides]) -> None:
    panels = figure.subplots(len(groups), 2, squeeze=False)
    for row, (name, colour, slides) in zip(panels, groups, strict=True):
        for axes, stain in zip(row, STAINS, strict=True):
            axes.imshow(stain_colours(slides, stain)[None], aspect="auto", interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        row[0].set_title(f"{name}, {len(slides)} slides", fontsize=8.5, color=colour)
    for axes, stain in zip(panels[-1], STAINS, strict=True):
        axes.set_xlabel(stain.capitalize())


def stain_colours(slides: pd.DataFrame, stain: str) -> np.ndarray:
    """Colour of a stain on each slide (n, 3), 0 to 1, by Beer and Lambert's law; ordered by red."""
    vectors = slides[[f"{stain}_{each}" for each in "rgb"]].to_numpy(float)
    light: np.ndarray = np.exp(-HALF * slides[[f"{stain}_peak"]].to_numpy(float) * vectors)
    return light[np.argsort(light[:, 0])]


def _table(groups: Sequence[Slides]) -> Table:
    first = groups[0][2]
    rows = []
    for stain in STAINS:
        for part, words in COLUMNS.items():
            name = f"{stain}_{part}"
            middles = [f"{slides[name].median():.2f}" for _, _, slides in groups]
            apart = [arrowed(unlike(first[name], slides[name])) for _, _, slides in groups[1:]]
            rows.append([f"{stain.capitalize()}: {words}", *middles, *apart])
    header = ["", *(f"{name} ({len(slides)} slides)" for name, _, slides in groups)]
    return Table(
        caption="Stains of the slides before normalisation: median.",
        header=[*header, *(f"Difference, {name}" for name, _, _ in groups[1:])],
        rows=rows,
        note="Difference: standardised difference from the slides of the training patients. Slides of one patient are"
        " similar, so that there are fewer independent patients than slides.",
    )
