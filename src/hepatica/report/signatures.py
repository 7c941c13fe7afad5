"""Signatures: the network's own description of each tile laid out flat, to see whether outcomes part."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from hepatica.report.blocks import Block, Figure, Section, Text
from hepatica.report.gallery import Gallery
from hepatica.report.results import Results, Run
from hepatica.report.style import HIGH, LOW, QUIET, SCALE, SERIES

LIMIT = 2000
"""Tiles drawn at most, over all cohorts."""

FEWEST = 30
"""Tiles below which no map is drawn."""

PERPLEXITY = 30.0
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """Tiles drawn, with the final status (1, 0, NaN) of their patients, and the cohort they come from."""

    signatures: np.ndarray
    score: np.ndarray
    label: np.ndarray
    cohort: np.ndarray
    names: tuple[str, ...]


def section(run: Run, gallery: Gallery) -> Section:
    """PCA and t-SNE of tiles of unseen patients, coloured by outcome, by tile score and by cohort."""
    title = "Tile signatures"
    tiles = _gather(run)
    if len(tiles.signatures) < FEWEST:
        few = f"Only {len(tiles.signatures)} tiles of patients the model has not seen: too few to draw a map."
        return Section(anchor="signatures", title=title, blocks=[Text(text=few, tone="note")])
    blocks: list[Block] = [
        Text(
            text="Each dot is one tile, placed by the network's description of it: near dots look alike to the network."
            " If outcomes lie apart, the network has found something that goes with outcome; if cohorts lie apart, it"
            " also sees the hospital (stain, scanner). Such maps illustrate; they prove nothing."
        )
    ]
    for method, (name, places, axis) in _maps(tiles.signatures).items():
        panels = [
            gallery.draw(f"signatures_{method}_{by}", partial(paint, places=places, tiles=tiles, axis=axis), alt=alt)
            for by, paint, alt in _colourings(tiles, name=name)
        ]
        caption = f"{name} of {len(tiles.signatures)} tile signatures of patients the model was not trained on."
        blocks.append(Figure(caption=caption, panels=panels, columns=len(panels)))
    return Section(anchor="signatures", title=title, blocks=blocks)


def _gather(run: Run) -> Tiles:
    parts = [_of_cohort(each, run, limit=LIMIT // len(run.cohorts)) for each in run.cohorts]
    tables = pd.concat([table for table, _ in parts], ignore_index=True)
    return Tiles(
        signatures=np.concatenate([signatures for _, signatures in parts]).astype(float),
        score=tables["score"].to_numpy(float),
        label=tables["label"].to_numpy(float),
        cohort=np.repeat(np.arange(len(parts)), [len(table) for table, _ in parts]),
        names=tuple(str(each.cohort["name"]) for each in run.cohorts),
    )


def _of_cohort(results: Results, run: Run, *, limit: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Tiles drawn by lot, the same by the same data."""
    table, signatures = results.regions()
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(table))[:limit])
    endpoint = results.endpoint(run.targets[0])
    status = results.patients[endpoint.event].reindex(table["patient_id"].iloc[chosen]).to_numpy(float)
    return table.iloc[chosen].assign(label=status), signatures[chosen]


def _maps(signatures: np.ndarray) -> dict[str, tuple[str, np.ndarray, str]]:
    """Places (n, 2) by each method, with its name and what its axes are called."""
    parts = PCA(n_components=2, random_state=SEED).fit(signatures)
    shares = parts.explained_variance_ratio_.sum()
    neighbours = min(PERPLEXITY, (len(signatures) - 1) / 3)
    lie = TSNE(perplexity=neighbours, init="pca", random_state=SEED, n_jobs=1).fit_transform(signatures)
    name = f"PCA (the two components hold {shares:.0%} of the variance)"
    return {"pca": (name, parts.transform(signatures), "Component"), "tsne": ("t-SNE", lie, "t-SNE")}


def _colourings(tiles: Tiles, *, name: str) -> list[tuple[str, "partial[None] | object", str]]:
    found = [
        ("outcome", _by_outcome, f"{name} of tiles coloured by the final outcome of their patient"),
        ("score", _by_score, f"{name} of tiles coloured by tile score"),
    ]
    return found + ([("cohort", _by_cohort, f"{name} of tiles by cohort")] if len(tiles.names) > 1 else [])


def _scatter(figure: Drawing, places: np.ndarray, *, axis: str, title: str, colours: object, **more: object) -> Axes:
    axes = figure.subplots()
    order = np.random.default_rng(SEED).permutation(len(places))
    dots = axes.scatter(*places[order].T, c=np.asarray(colours)[order], s=7, linewidths=0, rasterized=True, **more)
    axes.set(title=title, xlabel=f"{axis} 1", ylabel=f"{axis} 2", xticks=[], yticks=[])
    axes.margins(0.04)
    if more:
        figure.colorbar(dots, ax=axes, shrink=0.7, pad=0.02, label="Tile score").outline.set_visible(False)
    return axes


def _key(axes: Axes, names: dict[str, str]) -> None:
    for name, colour in names.items():
        axes.plot([], [], "o", markersize=5, color=colour, label=name)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.06), ncols=len(names), handletextpad=0.1, columnspacing=1)


def _by_outcome(figure: Drawing, *, places: np.ndarray, tiles: Tiles, axis: str) -> None:
    colours = np.select([tiles.label == 1, tiles.label == 0], [HIGH, LOW], QUIET)
    axes = _scatter(figure, places, axis=axis, title="By outcome of the patient", colours=colours)
    _key(axes, {"event": HIGH, "no event by end of follow-up": LOW})


def _by_score(figure: Drawing, *, places: np.ndarray, tiles: Tiles, axis: str) -> None:
    _scatter(figure, places, axis=axis, title="By tile score", colours=tiles.score, cmap=SCALE, vmin=0, vmax=1)


def _by_cohort(figure: Drawing, *, places: np.ndarray, tiles: Tiles, axis: str) -> None:
    colours = np.array(SERIES)[tiles.cohort % len(SERIES)]
    axes = _scatter(figure, places, axis=axis, title="By cohort", colours=colours)
    _key(axes, dict(zip(tiles.names, SERIES, strict=False)))
