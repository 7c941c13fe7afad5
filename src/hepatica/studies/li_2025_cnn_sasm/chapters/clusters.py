"""Clusters: tile and image signatures of each subset's network in a plane, and how far outcomes separate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from sklearn.metrics import silhouette_score

from hepatica.protocol import from_plain
from hepatica.report.chapters.signatures import DOT, Map, by_lot, maps, outcome_colours, unseen_tiles
from hepatica.report.page import Block, Figure, Gallery, Panel, Run, Section, Table, Text
from hepatica.report.page.style import HIGH, LOW
from hepatica.report.page.wording import NONE
from hepatica.studies.li_2025_cnn_sasm.chapters.found import Study, confirmed_patients

LIMIT = 600
"""Tiles of a subset drawn at most, and images. Ours."""

FEWEST = 8
"""Signatures below which no map is drawn. Ours."""

PALE, PLAIN = 0.18, 0.95
"""Opacity of patients that the ratio leaves out, and of the others."""

MEANING = (
    "Each small map is of the network trained on one denoised subset, and all show the same patients, on none of whom"
    " any of the networks was trained. Solid dots are patients whose survival confirms their final status at that"
    " ratio, on whom alone the paper draws its maps; pale dots are the others. The number is the silhouette of the two"
    " outcomes among the signatures themselves, not in the map: 1 is perfect separation, about 0 is none, below 0 is"
    " nearer to the other outcome. It is given for all patients and for the confirmed ones, to show how much of a clear"
    " boundary comes from the choice of patients. It has no interval, and tiles of one patient are not"
    " independent."
)


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """Signatures (n, d) with the final status of their patients, and whether survival confirms it at this ratio."""

    ratio: str
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


def section(study: Study, gallery: Gallery) -> Section:
    """PCA and t-SNE by subset, of tiles and of images, and a table of silhouettes."""
    blocks: list[Block] = [Text(text=MEANING)]
    found = {level: clouds(study, level=level) for level in LEVELS}
    blocks += [_figure(of_ratio, level, gallery) for level, of_ratio in found.items()]
    blocks.append(_table(study, found))
    return Section(anchor="clusters", title="Signatures by subset", blocks=blocks)


def _figure(of_ratio: Sequence[Cloud], level: str, gallery: Gallery) -> Block:
    fewest = min(len(cloud.signatures) for cloud in of_ratio)
    if fewest < FEWEST:
        few = f"Only {fewest} {level}s of patients the networks were not trained on: too few to draw a map."
        return Text(text=few, tone="note")
    caption = (
        f"{level.capitalize()} signatures of patients the networks were not trained on, by ratio of the denoised"
        f" subset; at most {LIMIT} {level}s a map. Below each map: silhouette of all, and of confirmed patients."
    )
    return Figure(caption=caption, panels=_panels(of_ratio, level, gallery))


def clouds(study: Study, *, level: str) -> list[Cloud]:
    """The signatures of each subset's network; `level` is "tile" or "image"."""
    return [_cloud(run, ratio, level) for ratio, run in study.subsets.items()]


def silhouette(signatures: np.ndarray, *, label: np.ndarray) -> float:
    """Mean silhouette of outcomes 1 and 0 among signatures (n, d), Euclidean; NaN where an outcome has under two.

    Rousseeuw PJ. J Comput Appl Math 1987;20:53. doi 10.1016/0377-0427(87)90125-7
    """
    counts = [int((label == outcome).sum()) for outcome in (0, 1)]
    if min(counts) < 2:
        return float("nan")
    known = np.isin(label, (0, 1))
    return float(silhouette_score(signatures[known], label[known]))


def _cloud(run: Run, ratio: str, level: str) -> Cloud:
    table, signatures = LEVELS[level](run)
    chosen = np.sort(by_lot(len(table))[:LIMIT])
    table, signatures = table.iloc[chosen], signatures[chosen]
    confirmed = table["patient_id"].isin(_confirmed(run, Fraction(ratio))).to_numpy()
    return Cloud(ratio=ratio, signatures=signatures, label=table["label"].to_numpy(float), confirmed=confirmed)


def _tiles(run: Run) -> tuple[pd.DataFrame, np.ndarray]:
    table, signatures = unseen_tiles(run.internal, run, limit=LIMIT)
    return table, signatures.astype(float)


def _images(run: Run) -> tuple[pd.DataFrame, np.ndarray]:
    """Image signatures: the mean of each specimen's tile signatures."""
    table, signatures = unseen_tiles(run.internal, run, limit=len(run.internal.regions()[0]))
    means = pd.DataFrame(signatures.astype(float)).groupby(table["specimen_id"].to_numpy(), sort=False).mean()
    return table.drop_duplicates("specimen_id"), means.to_numpy()


LEVELS: dict[str, Callable[[Run], tuple[pd.DataFrame, np.ndarray]]] = {"tile": _tiles, "image": _images}


def _confirmed(run: Run, ratio: Fraction) -> tuple[str, ...]:
    """Unseen patients in the denoised subset; none where an outcome is missing among them."""
    results, settings = run.internal, from_plain(run.system.settings, run.settings["settings"])
    unseen = results.patients.loc[results.regions()[0]["patient_id"].unique()]
    status = results.endpoint(run.targets[0]).label(unseen, horizon=None)
    return confirmed_patients(results, status, settings, ratio=ratio)


def _panels(of_ratio: Sequence[Cloud], level: str, gallery: Gallery) -> list[Panel]:
    laid = [maps(cloud.signatures) for cloud in of_ratio]
    rows = -(-len(of_ratio) // 3)
    return [
        gallery.draw(
            f"clusters_{level}_{key}",
            partial(_paint, of_ratio=of_ratio, laid=method, title=f"{name} of {level}s"),
            alt=f"{name} of {level} signatures by subset",
            size=(4.6, 1.9 * rows + 0.6),
        )
        for key, name, method in zip(("pca", "tsne"), ("PCA", "t-SNE"), zip(*laid, strict=True), strict=True)
    ]


def _paint(figure: Drawing, *, of_ratio: Sequence[Cloud], laid: Sequence[Map], title: str) -> None:
    panels = figure.subplots(-(-len(of_ratio) // 3), 3, squeeze=False).ravel()
    for axes in panels[len(of_ratio) :]:
        axes.set_axis_off()
    for axes, cloud, each in zip(panels, of_ratio, laid, strict=False):
        order = by_lot(len(each.places))  # or the last colour would hide the first
        opacity = np.where(cloud.confirmed, PLAIN, PALE)[order]
        colours = outcome_colours(cloud.label)[order]
        axes.scatter(each.places[order, 0], each.places[order, 1], c=colours, alpha=opacity, **DOT)
        axes.set(title=cloud.ratio, xticks=[], yticks=[])
        axes.set_xlabel(f"all {_signed(cloud.everybody)}\nconfirmed {_signed(cloud.subset)}", fontsize=7.5)
        axes.margins(0.06)
    for name, colour in {"event": HIGH, "no event": LOW}.items():
        panels[0].plot([], [], "o", markersize=5, color=colour, label=name)
    figure.suptitle(title, fontsize=10, fontweight="bold", x=0.01, ha="left")
    figure.legend(loc="outside upper right", ncols=2, handletextpad=0.1, columnspacing=1)


def _signed(value: float) -> str:
    return NONE if np.isnan(value) else f"{value:+.2f}"


def _table(study: Study, found: dict[str, list[Cloud]]) -> Table:
    rows = [
        [ratio, *(_signed(value) for level in found for value in (found[level][n].everybody, found[level][n].subset))]
        for n, ratio in enumerate(study.subsets)
    ]
    header = ["Ratio", *(f"{level.capitalize()}s, {who}" for level in found for who in ("all", "confirmed"))]
    return Table(
        caption="Silhouette of event against no event among signatures of patients the networks were not trained on.",
        header=header,
        rows=rows,
        note="Confirmed: patients whose survival agrees with their final status at that ratio.",
    )
