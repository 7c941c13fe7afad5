"""Signatures: the network's own description of each tile or slice in a plane, to see whether outcomes separate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score

from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import HIGH, LOW, QUIET, SCALE, SERIES
from hepatica.report.page.wording import NONE, about, outcomes

LIMIT = 2000
"""Tiles drawn at most, over all cohorts."""

FEWEST = 30
"""Tiles below which no map is drawn."""

PERPLEXITY = 30.0
SEED = 0

SIZE = (3.5, 3.5)
"""Inches of a panel, three of which are side by side."""

FEWEST_OF_CLOUD = 8
"""Signatures of a cloud below which no map is drawn. Ours."""

PALE, PLAIN = 0.18, 0.95
"""Opacity in a cloud of patients whose status is not confirmed, and of the others."""

MEANING = (
    "Each dot is one {region}, placed by the network's description of it: close dots look alike to the network. If"
    " outcomes are separated, the network has found a feature associated with outcome; if cohorts are separated, it"
    " also recognises the hospital (its scanners, its preparation). Such maps are illustrations, not evidence."
)

DOT: Any = {"s": 7, "linewidths": 0, "rasterized": True}
"""How one tile is drawn; as pixels, because thousands of outlines would make a heavy page."""

COHORTS = SERIES[2:]
"""Colours that do not already mean an outcome."""


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """Tiles or slices (`region`) drawn, with the final status (1, 0, NaN) of their patients, and their cohort.

    `outcomes` is what statuses 1 and 0 are called.
    """

    signatures: np.ndarray
    score: np.ndarray
    label: np.ndarray
    cohort: np.ndarray
    names: tuple[str, ...]
    outcomes: tuple[str, str]
    region: str


@dataclass(frozen=True, kw_only=True)
class Map:
    """Places (n, 2) of tiles, what the method is called and what its axes are."""

    key: str
    name: str
    axis: str
    places: np.ndarray


def section(run: Run, gallery: Gallery) -> Section | str:
    """PCA and t-SNE of tiles of unseen patients, coloured by outcome, by tile score and by cohort."""
    tiles, target = gather(run, limit=LIMIT), run.targets[0]
    if len(tiles.signatures) < FEWEST:
        return f"Only {len(tiles.signatures)} {tiles.region}s of unseen patients: too few to map signatures."
    if alike(tiles.signatures):
        return f"All {len(tiles.signatures)} {tiles.region} signatures are the same: there is nothing to map."
    outcome = f"{target.happening} by the end of follow-up" if target.followed else about(target)
    blocks: list[Block] = [Text(text=MEANING.format(region=tiles.region))]
    for laid in maps(tiles.signatures):
        panels = [
            gallery.draw(
                f"signatures_{laid.key}_{by}",
                partial(_paint, laid=laid, tiles=tiles, by=by),
                alt=f"{laid.name} of {tiles.region}s by {by}",
                size=SIZE,
            )
            for by in (("outcome", "score", "cohort") if len(tiles.names) > 1 else ("outcome", "score"))
        ]
        caption = (
            f"{laid.name} of {len(tiles.signatures)} {tiles.region} signatures of patients the model was not trained"
            f" on. Outcome is {outcome}."
        )
        blocks.append(Figure(caption=caption, panels=panels, columns=3))
    return Section(anchor="signatures", title=f"{tiles.region.capitalize()} signatures", blocks=blocks)


def gather(run: Run, *, limit: int) -> Tiles:
    """At most `limit` tiles, as many of each cohort, drawn at random from patients the model has not seen."""
    parts = [unseen_tiles(each, run, limit=limit // len(run.cohorts)) for each in run.cohorts]
    tables = pd.concat([table for table, _ in parts], ignore_index=True)
    return Tiles(
        signatures=np.concatenate([signatures for _, signatures in parts]).astype(float),
        score=tables["score"].to_numpy(float),
        label=tables["label"].to_numpy(float),
        cohort=np.repeat(np.arange(len(parts)), [len(table) for table, _ in parts]),
        names=tuple(str(each.cohort["name"]) for each in run.cohorts),
        outcomes=outcomes(run.targets[0]),
        region=run.region,
    )


def unseen_tiles(results: Results, run: Run, *, limit: int) -> tuple[pd.DataFrame, np.ndarray]:
    """At most `limit` tiles of unseen patients, drawn at random, and their signatures; `label` is the final status."""
    table, signatures = results.regions()
    chosen = np.sort(by_lot(len(table))[:limit])
    binary = run.targets[0].task in ("binary", "survival")
    endpoint = results.endpoint(run.targets[0])
    status = endpoint.label(results.patients, horizon=None) if binary else pd.Series(dtype=float)
    label = status.reindex(table["patient_id"].iloc[chosen]).to_numpy(float)
    return table.iloc[chosen].assign(label=label), signatures[chosen]


def by_lot(count: int) -> np.ndarray:
    """The numbers below `count` in random order, the same each time."""
    return np.random.default_rng(SEED).permutation(count)


def outcome_colours(label: np.ndarray) -> np.ndarray:
    """Colours of final statuses 1, 0 and NaN."""
    return np.select([label == 1, label == 0], [HIGH, LOW], QUIET)


def alike(signatures: np.ndarray) -> bool:
    """Whether all are the same, as far as their standard deviations can be computed."""
    return not signatures.astype(float).std(axis=0).any()


def maps(signatures: np.ndarray) -> list[Map]:
    """The tiles laid out by PCA and by t-SNE, in one place where all are the same; the same signatures give the same
    maps.
    """
    if alike(signatures):
        one, names = np.zeros((len(signatures), 2)), {"pca": "PCA", "tsne": "t-SNE"}
        return [Map(key=key, name=f"{each} (all the same)", axis=each, places=one) for key, each in names.items()]
    signatures = signatures.astype(float)  # of single precision, what is nearly the same may be equal
    parts = PCA(n_components=2, random_state=SEED).fit(signatures)
    shares, places = parts.explained_variance_ratio_.sum(), parts.transform(signatures)
    neighbours = min(PERPLEXITY, (len(signatures) - 1) / 3)
    # Where scikit-learn's own start is not finite, it ends the process.
    start = (1e-4 * places / places[:, 0].std()).astype(np.float32)
    lie = TSNE(perplexity=neighbours, init=start, random_state=SEED, n_jobs=1).fit_transform(signatures)
    name = f"PCA (two components, {shares:.0%} of the variance)"
    return [
        Map(key="pca", name=name, axis="Component", places=places),
        Map(key="tsne", name="t-SNE", axis="t-SNE", places=lie),
    ]


def _paint(figure: Drawing, *, laid: Map, tiles: Tiles, by: str) -> None:
    """Dots in random order, or the last colour would hide the first; a key of outcomes and cohorts, a bar of scores."""
    axes, order = figure.subplots(), by_lot(len(laid.places))
    scale: Any = {}
    titles = {"outcome": "By outcome of the patient", "score": f"By {tiles.region} score", "cohort": "By cohort"}
    axes.set(title=titles[by], xlabel=f"{laid.axis} 1", ylabel=f"{laid.axis} 2", xticks=[], yticks=[])
    axes.margins(0.04)
    if by == "score":
        colours, scale = tiles.score, {"cmap": SCALE, "vmin": 0, "vmax": 1}
    elif by == "outcome":
        colours = outcome_colours(tiles.label)
        _key(axes, dict(zip(tiles.outcomes, (HIGH, LOW), strict=True)))
    else:
        colours = np.array(COHORTS)[tiles.cohort % len(COHORTS)]
        _key(axes, dict(zip(tiles.names, COHORTS, strict=False)))
    dots = axes.scatter(laid.places[order, 0], laid.places[order, 1], c=colours[order], **scale, **DOT)
    if by == "score":
        figure.colorbar(dots, ax=axes, location="bottom", shrink=0.6, pad=0.02, aspect=30, drawedges=False)


def _key(axes: Axes, names: Mapping[str, str]) -> None:
    _name_colours(axes, names)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.04, -0.06), ncols=len(names), handletextpad=0.1, columnspacing=1)


def _name_colours(axes: Axes, names: Mapping[str, str]) -> None:
    for name, colour in names.items():
        axes.plot([], [], "o", markersize=5, color=colour, label=name)


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Signatures (n, d) by one network (`name`), final status of their patients, and whether survival confirms it."""

    name: str
    signatures: np.ndarray
    label: np.ndarray
    confirmed: np.ndarray

    @property
    def everybody(self) -> float:
        """Silhouette of the outcomes, all patients."""
        return silhouette(self.signatures, label=self.label)

    @property
    def subset(self) -> float:
        """Silhouette of the outcomes, confirmed patients."""
        return silhouette(self.signatures[self.confirmed], label=self.label[self.confirmed])


def silhouette(signatures: np.ndarray, *, label: np.ndarray) -> float:
    """Mean silhouette of outcomes 1 and 0 among signatures (n, d), Euclidean; NaN where an outcome has under two.

    Rousseeuw PJ. J Comput Appl Math 1987;20:53. doi 10.1016/0377-0427(87)90125-7
    """
    if min((label == outcome).sum() for outcome in (0, 1)) < 2:
        return float("nan")
    known = np.isin(label, (0, 1))
    return float(silhouette_score(signatures[known], label[known]))


def cloud_figure(clouds: Sequence[Cloud], level: str, gallery: Gallery, *, caption: str) -> Block:
    """Small PCA and t-SNE maps of the same specimens by several networks; a note where they are too few."""
    fewest = min(len(cloud.signatures) for cloud in clouds)
    if fewest < FEWEST_OF_CLOUD:
        few = f"Only {fewest} {level}s of patients the networks were not trained on: too few to draw a map."
        return Text(text=few, tone="note")
    laid = [maps(cloud.signatures) for cloud in clouds]
    panels = [
        gallery.draw(
            f"clusters_{level}_{key}",
            partial(_paint_clouds, clouds=clouds, laid=method, title=f"{name} of {level}s"),
            alt=f"{name} of {level} signatures by subset",
            size=(4.6, 1.9 * -(-len(clouds) // 3) + 0.6),
        )
        for key, name, method in zip(("pca", "tsne"), ("PCA", "t-SNE"), zip(*laid, strict=True), strict=True)
    ]
    return Figure(caption=caption, panels=panels)


def _paint_clouds(figure: Drawing, *, clouds: Sequence[Cloud], laid: Sequence[Map], title: str) -> None:
    panels = figure.subplots(-(-len(clouds) // 3), 3, squeeze=False).ravel()
    for axes in panels[len(clouds) :]:
        axes.set_axis_off()
    for axes, cloud, each in zip(panels, clouds, laid, strict=False):
        order = by_lot(len(each.places))  # or the last colour would hide the first
        opacity = np.where(cloud.confirmed, PLAIN, PALE)[order]
        colours = outcome_colours(cloud.label)[order]
        axes.scatter(each.places[order, 0], each.places[order, 1], c=colours, alpha=opacity, **DOT)
        axes.set(title=cloud.name, xticks=[], yticks=[])
        axes.set_xlabel(f"all {_signed(cloud.everybody)}\nconfirmed {_signed(cloud.subset)}", fontsize=7.5)
        axes.margins(0.06)
    _name_colours(panels[0], {"event": HIGH, "no event": LOW})
    figure.suptitle(title, fontsize=10, fontweight="bold", x=0.01, ha="left")
    figure.legend(loc="outside upper right", ncols=2, handletextpad=0.1, columnspacing=1)


def _signed(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:+.2f}"


def cloud_table(found: Mapping[str, Sequence[Cloud]], *, head: str, note: str) -> Table:
    """Silhouettes of clouds (`found` by level), all patients and confirmed ones, a row a network."""
    rows = [
        [own[0].name, *(_signed(value) for each in own for value in (each.everybody, each.subset))]
        for own in zip(*found.values(), strict=True)
    ]
    return Table(
        caption="Silhouette of event against no event among signatures of patients the networks were not trained on.",
        header=[head, *(f"{level.capitalize()}s, {who}" for level in found for who in ("all", "confirmed"))],
        rows=rows,
        note=note,
    )
