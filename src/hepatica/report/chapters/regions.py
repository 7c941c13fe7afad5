"""Regions: scores of single tiles, slices or images, by region, specimen and patient; intervals rest on patients."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from scipy.special import logit

from hepatica.cohort import EvaluationError
from hepatica.cohort.predictions import LESION
from hepatica.evaluate import Estimate, accuracy, auroc, average_precision, confusion, sensitivity, specificity
from hepatica.evaluate.by_task import EVEN_ODDS
from hepatica.report.figures import roc
from hepatica.report.figures.matrix import matrix
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import INDENT, METRICS, NONE, NOT_COMPUTABLE, by_phase, cell, outcomes, patients

LEVELS = {"region": ["patient_id", "specimen_id", "region"], "image": ["patient_id", "specimen_id"],
          "patient": ["patient_id"]}  # fmt: skip
"""Units of a score, and what identifies one; scores of an image and a patient are means over regions and images."""

SIZE = (3.5, 3.8)
"""Inches of a panel, three of which are side by side."""

Statistic = Callable[..., Estimate]

CURVES: Mapping[roc.Kind, tuple[Statistic, str]] = {
    "roc": (auroc, "ROC curves"),
    "pr": (average_precision, "Precision-recall curves"),
}


def at_level(regions: pd.DataFrame, level: str) -> pd.DataFrame:
    """One row a region, image or patient, with label and mean score."""
    for each in LEVELS:
        regions = regions.groupby(LEVELS[each], sort=False, as_index=False).agg({"score": "mean", "label": "first"})
        if each == level:
            break
    return regions


def level_figure(
    results: Results, regions: pd.DataFrame, gallery: Gallery, *, caption: str, called: Sequence[str], name: str
) -> Figure:
    """ROC and precision-recall curves at every level, and the confusion matrix of regions at 0.5.

    `regions` has the columns patient_id, specimen_id, region, score and label; `name` is what a region is called.
    """
    levels = {level: at_level(regions, level) for level in LEVELS} if regions["label"].nunique() == 2 else {}
    named = {name if level == "region" else level: table for level, table in levels.items()}
    panels = [
        gallery.draw(
            f"levels_{kind}_{results.key}",
            partial(roc.paint, curves=_curves(named, statistic), title=results.title, kind=kind),
            alt=f"{title} at {name}, image and patient level, {results.title}",
            size=SIZE,
        )
        for kind, (statistic, title) in CURVES.items()
    ]
    title = f"{results.title}\n{name}s at cut-off {EVEN_ODDS}"
    confusion_panel = gallery.draw(
        f"levels_confusion_{results.key}",
        partial(_confusion, regions=regions, called=called, title=title),
        alt=f"Confusion matrix of {name}s at 0.5, {results.title}",
        size=SIZE,
    )
    return Figure(caption=caption, panels=[*panels, confusion_panel], columns=3)


def _curves(tables: Mapping[str, pd.DataFrame], statistic: Statistic) -> list[roc.Curve]:
    return [
        roc.Curve(
            name=f"{name}: {statistic(own['label'], score=own['score'], group=own['patient_id'])}",
            label=own["label"],
            score=own["score"],
        )
        for name, own in tables.items()
    ]


def _confusion(figure: Drawing, *, regions: pd.DataFrame, called: Sequence[str], title: str) -> None:
    truth, high = regions["label"] == 1, regions["score"] >= EVEN_ODDS
    counts = np.array([[(each & call).sum() for call in (high, ~high)] for each in (truth, ~truth)])
    matrix(figure.subplots(), counts, truth=called, called=called, title=title)


def level_table(tables: Sequence[tuple[Results, pd.DataFrame]], *, caption: str, name: str) -> Table:
    """AUROC, average precision and accuracy at 0.5 by level and cohort."""
    rows = []
    for level in LEVELS:
        rows.append([f"{(name if level == 'region' else level).capitalize()} level"])
        parts = [at_level(table, level) for _, table in tables]
        rows += [[title, *(_value(statistic, each) for each in parts)] for title, statistic in STATISTICS.items()]
        rows.append(["Rows; patients", *(f"{len(each):,}; {each['patient_id'].nunique()}" for each in parts)])
    return Table(caption=caption, header=["", *(each.title for each, _ in tables)], rows=rows)


def _accuracy(label: Any, *, score: Any, group: Any) -> Estimate:
    return accuracy(confusion(label, score=score, cutoff=EVEN_ODDS, group=group))


STATISTICS: Mapping[str, Statistic] = {
    "AUROC": auroc,
    "Average precision (AUPR)": average_precision,
    "Accuracy at 0.5": _accuracy,
}


def _value(statistic: Statistic, own: pd.DataFrame) -> str:
    try:
        return str(statistic(own["label"], score=own["score"], group=own["patient_id"]))
    except EvaluationError:
        return NOT_COMPUTABLE


def marked_section(
    run: Run, gallery: Gallery, *, mark: str, score: str, at: float, network: str, paper: Mapping[str, str]
) -> Section | str:
    """Log odds `score` of single images against experts' marks (columns of regions.parquet; a mark is 1, 0 or missing).

    An image is flagged from probability `at` on; `paper` holds printed rates by metric, "" what they are of.
    """
    found = {each.title: _marked(each, mark, score) for each in run.cohorts}
    shown = {name: table for name, table in found.items() if table["mark"].nunique() == 2}
    if not shown:
        return f"No images of reported patients were marked by experts, with and without a {mark}."
    text = (
        f"Images of one patient are alike: ten images of one {mark} are not ten {mark}s. Intervals are therefore those"
        " of patients; intervals by images, which treat each image as a patient and are too narrow, are given for"
        f" comparison. An image is flagged from a probability of {at:g} on."
    )
    curves = [
        roc.Curve(
            name=f"{name}\n{rates(table, at=at)['auroc']}",
            label=table["mark"],
            score=table["odds"],
        )
        for name, table in shown.items()
    ]
    panel = gallery.draw(
        f"{mark}s_roc",
        partial(roc.paint, curves=curves, title=f"{network}, by image"),
        alt=f"ROC curves of {network} per image, {', '.join(shown)}",
    )
    caption = f"ROC curves of {network} per image, against experts' marks; areas with intervals by patient."
    blocks: list[Block] = [Text(text=text), Figure(caption=caption, panels=[panel])]
    blocks += [_marked_table(name, table, at, mark, network, paper) for name, table in shown.items()]
    return Section(anchor=f"{mark}s", title=f"{network} on single images", blocks=blocks)


def _marked(results: Results, mark: str, score: str) -> pd.DataFrame:
    """Images of the reported patients that an expert assessed: patient_id, mark, odds, and phase where it is known."""
    table = pd.read_parquet(results.folder / "regions.parquet").rename(columns={mark: "mark", score: "odds"})
    return table[table["patient_id"].isin(results.outcomes(results.targets[0]).index) & table["mark"].notna()]


def rates(table: pd.DataFrame, *, at: float, by_patient: bool = True) -> dict[str, Estimate]:
    """AUROC, sensitivity and specificity per image, flagged from probability `at` on.

    Columns: patient_id, mark (1 or 0), odds. Intervals rest on patients, or on images. EvaluationError on images of one
    class only.
    """
    group = table["patient_id"].to_numpy() if by_patient else None
    label, odds = table["mark"].to_numpy(), table["odds"].to_numpy(float)
    counted = confusion(label, score=odds, cutoff=float(logit(at)), group=group)
    area = auroc(label, score=odds, group=group)
    return {"auroc": area, "sensitivity": sensitivity(counted), "specificity": specificity(counted)}


def _marked_table(
    name: str, table: pd.DataFrame, at: float, mark: str, network: str, paper: Mapping[str, str]
) -> Table:
    names = ("auroc", "sensitivity", "specificity")
    parts: list[tuple[str, pd.DataFrame, bool]] = [("By patients", table, True), ("By images", table, False)]
    parts += [(f"{INDENT}{phase} phase, by patients", own, True) for phase, own in by_phase(table)]
    rows = []
    for part, own, by_patient in parts:
        found = rates(own, at=at, by_patient=by_patient) if own["mark"].nunique() == 2 else {}
        counts = f"{len(own)}, {int(own['mark'].sum())}, {patients(own['patient_id'].nunique())}"
        rows.append([part, counts, *(cell(found.get(each)) for each in names)])
    rows += [["Paper", paper[""], *(paper.get(each, NONE) for each in names)]] if paper else []
    return Table(
        caption=f"{network} per image, with 95% confidence intervals. {name}.",
        header=["", f"Images, with a {mark}, patients", *(METRICS[each] for each in names)],
        rows=rows,
        note="By patients: DeLong's variance clustered by patient (Obuchowski), Clopper and Pearson's limits at the"
        " effective number of images (Korn and Graubard).",
    )


def section(run: Run, gallery: Gallery) -> Section | str:
    """Scores of single regions of the reported patients against the outcome of their patient, at every level."""
    target, name = run.targets[0], run.region
    tables = [(each, _scored(each)) for each in run.cohorts]
    if not any(len(table) > table["specimen_id"].nunique() for _, table in tables):
        return f"There is one {name} of each specimen: there is no chapter on scores within specimens."
    text = f"Scores of single {name}s against the outcome of their patient; intervals are clustered by patient."
    caption = f"Curves by level, and {name}s at 0.5."
    figures = [
        level_figure(each, table, gallery, caption=f"{each.title}. {caption}", called=outcomes(target), name=name)
        for each, table in tables
    ]
    table = level_table(tables, caption=f"{text} 95% confidence intervals.", name=name)
    return Section(anchor="levels", title=f"Scores by {name}", blocks=[Text(text=text), *figures, table])


def _scored(results: Results) -> pd.DataFrame:
    table = pd.read_parquet(results.folder / "regions.parquet")
    label = results.outcomes(results.targets[0])["label"].dropna()
    own = table[table["patient_id"].isin(label.index)]
    if "lesion_id" in own:  # of which there may be several slices
        own = own.groupby(LESION, sort=False)[["score"]].mean().reset_index()
    return own.assign(label=own["patient_id"].map(label), region=np.arange(len(own)))
