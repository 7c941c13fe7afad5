"""Levels: the denoised recurrence score of the chosen network on patients locked away, by tile, image and patient."""

from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from sklearn.metrics import precision_recall_curve, roc_curve

from hepatica.cohort import CohortError, EvaluationError, TimeToEvent, confident_patients
from hepatica.evaluate import Estimate, accuracy, auroc, average_precision, confusion
from hepatica.evaluate.by_task import EVEN_ODDS
from hepatica.protocol import from_plain
from hepatica.report.page.blocks import Block, Figure, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results
from hepatica.report.page.style import INK, QUIET, SERIES, say, unit_square, whisker
from hepatica.studies.li_2025.chapters.found import Study
from hepatica.studies.li_2025.settings import StudySettings

LEVELS = {
    "tile": ["patient_id", "specimen_id", "tile"],
    "image": ["patient_id", "specimen_id"],
    "patient": ["patient_id"],
}
"""What one score is of, and what tells it from another."""

SIZE = (3.5, 3.8)
"""Inches of a panel, three of which stand side by side."""

STRICT = "1/4"
"""The ratio of the paper's generalisation test: 7 patients of each class."""

FEW = "No patients of both classes."

UNCONFIRMED = "{} tells no overall survival, by which denoised patients are found: none are shown of it."

CHOSEN_BY = {
    "held_out": "Nothing was chosen by these curves.",
    "external": "The settings let the strictly denoised patients of the other hospitals help to choose the subset.",
}
"""What these curves decided, by the setting `generalisation`."""


def section(study: Study, gallery: Gallery) -> Section:
    """ROC, precision-recall and confusion at tile level as in Figure 2D to F, and a table of all levels and cohorts."""
    chosen = str(study.choice["ratio"])
    denoised = {each.key: scored(study, each, ratio=chosen) for each in study.run.cohorts}
    everybody = {each.key: scored(study, each, ratio=None) for each in study.run.cohorts}
    unconfirmed = [each.title for each in study.run.cohorts if _survival(study, each) is None]
    blocks: list[Block] = [
        Text(
            text="The score of a tile is the network's probability that its patient relapses (denoised recurrence"
            " score); scores of an image and a patient are means over their tiles and images. The outcome is the status"
            " at the end of follow-up. No patient here was trained on."
        ),
        *(Text(text=UNCONFIRMED.format(title), tone="note") for title in unconfirmed),
        *(_figure(each, denoised[each.key], gallery) for each in study.run.cohorts),
        _subsets(study, gallery),
        _table(study, denoised, who="Patients whose survival confirms their status, as the paper tests"),
        _table(study, everybody, who="All patients"),
    ]
    return Section(anchor="levels", title="The chosen network, tile by tile", blocks=blocks)


def scored(study: Study, results: Results, *, ratio: str | None) -> pd.DataFrame:
    """Tiles of the reported patients of a cohort with score and final status; with a `ratio`, of the denoised ones."""
    table, _ = results.regions()
    table = table[table["patient_id"].isin(results.patients.index[results.patients["fold"] == results.fold])]
    settings: StudySettings = from_plain(StudySettings(), study.settings)
    status = results.patients[results.cohort["endpoints"][settings.endpoint]["event"]].astype(float)
    table = table.assign(label=table["patient_id"].map(status), tile=np.arange(len(table)))
    if ratio is None:
        return table
    survival = _survival(study, results)
    if survival is None:
        return table.iloc[:0]
    own = table["patient_id"].unique()
    try:
        chosen = confident_patients(
            status.loc[own],
            patients=results.patients,
            survival=survival,
            ratio=Fraction(ratio),
            variant=settings.confidence,
        )
    except CohortError:  # one of the classes has nobody
        return table.iloc[:0]
    return table[table["patient_id"].isin(chosen)]


def _survival(study: Study, results: Results) -> TimeToEvent | None:
    """Overall survival as the cohort codes it; external cohorts need not."""
    name = from_plain(StudySettings(), study.settings).survival
    told = results.cohort["endpoints"].get(name)
    return None if told is None else TimeToEvent(name=name, **told)


def at_level(tiles: pd.DataFrame, level: str) -> pd.DataFrame:
    """One row a tile, image or patient, with label and mean score."""
    for each in LEVELS:
        tiles = tiles.groupby(LEVELS[each], sort=False, as_index=False).agg({"score": "mean", "label": "first"})
        if each == level:
            break
    return tiles


def _figure(results: Results, tiles: pd.DataFrame, gallery: Gallery) -> Figure:
    panels = [
        gallery.draw(
            f"levels_{kind}_{results.key}",
            partial(paint, tiles=tiles, title=results.title),
            alt=f"{alt}, {results.title}",
            size=SIZE,
        )
        for kind, paint, alt in (
            ("roc", _roc, "ROC curves at tile, image and patient level"),
            ("pr", _precision_recall, "Precision-recall curves at tile, image and patient level"),
            ("confusion", _confusion, "Confusion matrix of tiles at 0.5"),
        )
    ]
    caption = (
        f"Figure 2D to F of the paper. {results.title}: the denoised recurrence score on denoised patients. The"
        " confusion matrix counts tiles at 0.5."
    )
    return Figure(caption=caption, panels=panels, columns=3)


def _subsets(study: Study, gallery: Gallery) -> Figure:
    panels = [
        gallery.draw(
            f"levels_subsets_{results.key}",
            partial(_paint_subsets, study=study, place=place, title=results.title),
            alt=f"AUROC by subset, {results.title}",
        )
        for place, results in enumerate(study.run.cohorts)
    ]
    caption = (
        "Generalisation by subset, tile level, final status: networks trained on each subset, on patients locked away"
        f" and in other hospitals. Strictly denoised patients are those of ratio {STRICT}, as in the paper's Figure 2C;"
        f" intervals are clustered by patient. {CHOSEN_BY[study.settings['generalisation']]}"
    )
    return Figure(caption=caption, panels=panels)


def _paint_subsets(figure: Drawing, *, study: Study, place: int, title: str) -> None:
    axes = figure.subplots()
    for label, ratio, colour, shift in (
        ("strictly denoised", STRICT, SERIES[0], -0.06),
        ("all", None, SERIES[1], 0.06),
    ):
        found = [_area(scored(study, run.cohorts[place], ratio=ratio)) for run in study.subsets.values()]
        shown = [(x + shift, each) for x, each in enumerate(found) if each is not None]
        for x, each in shown:
            whisker(axes, each, x=x, colour=colour)
        axes.plot(
            [x for x, _ in shown], [each.value for _, each in shown], "o-", markersize=4, color=colour, label=label
        )
    axes.axhline(0.5, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set(title=title, xlabel="Denoised subset trained on", ylabel="AUROC")
    axes.set_xticks(range(len(study.subsets)), labels=list(study.subsets))
    axes.legend(loc="lower left", handlelength=1.2)


def _area(tiles: pd.DataFrame) -> Estimate | None:
    if tiles["label"].nunique() < 2:
        return None
    return auroc(tiles["label"], score=tiles["score"], group=tiles["patient_id"])


def _roc(figure: Drawing, *, tiles: pd.DataFrame, title: str) -> None:
    axes = figure.subplots()
    axes.set_title(title)
    if tiles["label"].nunique() < 2:
        say(axes, FEW)
        return
    for level, colour in zip(LEVELS, SERIES, strict=False):
        own = at_level(tiles, level)
        false_alarms, sensitivity, _ = roc_curve(own["label"], own["score"])
        found = auroc(own["label"], score=own["score"], group=own["patient_id"])
        axes.plot(false_alarms, sensitivity, color=colour, label=f"{level}: {found}")
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=":")
    unit_square(axes, xlabel="1 \N{MINUS SIGN} specificity", ylabel="Sensitivity")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.13), handlelength=1.2, labelspacing=0.25)


def _precision_recall(figure: Drawing, *, tiles: pd.DataFrame, title: str) -> None:
    axes = figure.subplots()
    axes.set_title(title)
    if tiles["label"].nunique() < 2:
        say(axes, FEW)
        return
    for level, colour in zip(LEVELS, SERIES, strict=False):
        own = at_level(tiles, level)
        precision, recall, _ = precision_recall_curve(own["label"], own["score"])
        found = average_precision(own["label"], score=own["score"], group=own["patient_id"])
        axes.step(recall, precision, where="post", color=colour, label=f"{level}: {found}")
    axes.axhline(tiles["label"].mean(), color=QUIET, linewidth=0.8, linestyle=":")
    unit_square(axes, xlabel="Recall", ylabel="Precision")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.13), handlelength=1.2, labelspacing=0.25)


def _confusion(figure: Drawing, *, tiles: pd.DataFrame, title: str) -> None:
    axes = figure.subplots()
    axes.set_title(f"{title}\ntiles at cut-off {EVEN_ODDS}")
    relapsed, high = tiles["label"] == 1, tiles["score"] >= EVEN_ODDS
    counts = np.array([[(truth & call).sum() for call in (high, ~high)] for truth in (relapsed, ~relapsed)])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.25)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.7 else INK
        axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=12, color=colour)
    axes.set_xticks([0, 1], labels=["called relapse", "called free"])
    axes.set_yticks([0, 1], labels=["relapsed", "relapse-free"])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _table(study: Study, tiles: dict[str, pd.DataFrame], *, who: str) -> Table:
    rows = []
    for level in LEVELS:
        rows.append([f"{level.capitalize()} level"])
        parts = {each.key: at_level(tiles[each.key], level) for each in study.run.cohorts}
        for name, statistic in (
            ("AUROC", auroc),
            ("Average precision (AUPR)", average_precision),
            ("Accuracy at 0.5", _accuracy),
        ):
            rows.append([name, *(_told(statistic, parts[each.key]) for each in study.run.cohorts)])
        rows.append(["Rows; patients", *(_count(parts[each.key]) for each in study.run.cohorts)])
    return Table(
        caption=f"{who}: final status by the denoised recurrence score, with 95% intervals clustered by patient.",
        header=["", *(each.title for each in study.run.cohorts)],
        rows=rows,
    )


def _accuracy(label: Any, *, score: Any, group: Any) -> Any:
    return accuracy(confusion(label, score=score, cutoff=EVEN_ODDS, group=group))


def _told(statistic: Any, own: pd.DataFrame) -> str:
    try:
        return str(statistic(own["label"], score=own["score"], group=own["patient_id"]))
    except EvaluationError:
        return "not computable"


def _count(own: pd.DataFrame) -> str:
    return f"{len(own):,}; {own['patient_id'].nunique()}"
