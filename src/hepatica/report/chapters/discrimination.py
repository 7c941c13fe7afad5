"""Discrimination: how well scores tell patients with the event or disease from others, internal beside external."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from sklearn.metrics import precision_recall_curve, roc_curve

from hepatica.cohort import Target
from hepatica.evaluate.by_task import EVEN_ODDS
from hepatica.report.page.blocks import Block, Figure, Section, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.metric_table import metric_cell, metric_table
from hepatica.report.page.results import Results, Run
from hepatica.report.page.style import INK, QUIET, SERIES, say, unit_square
from hepatica.report.page.wording import METRICS, NONE, about, calls, estimate, event, heading, outcomes, when

AT_A_CUTOFF = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa")
WITHOUT_CUTOFF = ("auroc", "average_precision", "brier")


def section(run: Run, gallery: Gallery) -> Section:
    """ROC and precision-recall curves, metrics at both cut-offs, confusion matrices, and what the paper reports."""
    blocks: list[Block] = [
        _curves(run, gallery, kind="roc"),
        _curves(run, gallery, kind="pr"),
        _metrics(run),
        _at_cutoffs(run),
        _confusion(run, gallery),
        *_paper(run),
    ]
    return Section(anchor="discrimination", title="Discrimination", blocks=blocks)


def _curves(run: Run, gallery: Gallery, *, kind: str) -> Figure:
    paint, metric, caption = {
        "roc": (
            _roc,
            "auroc",
            "Receiver operating characteristic: sensitivity against the share of false alarms, over all cut-offs."
            " The diagonal is chance. Area under the curve (AUROC) with its 95% interval.",
        ),
        "pr": (
            _precision_recall,
            "average_precision",
            "Precision against recall, over all cut-offs. Dotted lines are chance: the share of patients with"
            f" {event(run.targets[0])}. Average precision (AUPR) with its 95% interval.",
        ),
    }[kind]
    panels = [
        gallery.draw(
            f"{kind}_{results.key}",
            partial(_panel, results=results, paint=paint, metric=metric),
            alt=f"{caption.split(':')[0].split(',')[0]}, {results.title}: {_in_words(results, metric)}",
        )
        for results in run.cohorts
    ]
    return Figure(caption=caption, panels=panels)


def _in_words(results: Results, metric: str) -> str:
    return "; ".join(f"{about(target)} {estimate(results.metric(metric, target))}" for target in results.targets)


def _panel(figure: Drawing, *, results: Results, paint: Callable[..., None], metric: str) -> None:
    axes = figure.subplots()
    drawn = 0
    for target, colour in zip(results.targets, SERIES, strict=False):
        known = results.outcomes(target).dropna(subset=["label"])
        if known["label"].nunique() == 2:
            drawn += 1
            paint(axes, known, label=_label(results, target, metric, known), colour=colour)
    axes.set_title(results.title)
    if not drawn:
        say(axes, "All patients have the same outcome:\nthere is nothing to tell apart.")
        return
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.13), handlelength=1.2, labelspacing=0.25)


def _label(results: Results, target: Target, metric: str, known: pd.DataFrame) -> str:
    return f"{when(target)}: {estimate(results.metric(metric, target))}, n = {len(known)}"


def _roc(axes: Axes, known: pd.DataFrame, *, label: str, colour: str) -> None:
    false_alarms, sensitivity, _ = roc_curve(known["label"], known["score"], drop_intermediate=False)
    axes.plot(false_alarms, sensitivity, color=colour, label=label)
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=":")
    unit_square(axes, xlabel="1 \N{MINUS SIGN} specificity", ylabel="Sensitivity")


def _precision_recall(axes: Axes, known: pd.DataFrame, *, label: str, colour: str) -> None:
    precision, recall, _ = precision_recall_curve(known["label"], known["score"])
    axes.step(recall, precision, where="post", color=colour, label=label)
    axes.axhline(known["label"].mean(), color=colour, linewidth=0.8, linestyle=":")
    unit_square(axes, xlabel="Recall (sensitivity)", ylabel="Precision (positive predictive value)")


def _metrics(run: Run) -> Table:
    return metric_table(
        run,
        WITHOUT_CUTOFF,
        caption="Discrimination over all cut-offs, with 95% confidence intervals.",
        note=_methods(run, WITHOUT_CUTOFF),
    )


def _at_cutoffs(run: Run) -> Table:
    rows: list[list[str]] = []
    for target in run.targets:
        rows.append([f"{heading(target)} (locked cut-off {run.cutoffs[target.key]:.3f})"])
        cutoffs = (EVEN_ODDS, run.cutoffs[target.key])
        rows += [
            [METRICS[name], *(estimate(e.metric(name, target, cutoff=at)) for e in run.cohorts for at in cutoffs)]
            for name in AT_A_CUTOFF
        ]
    return Table(
        caption="Classification at two cut-offs, with 95% confidence intervals.",
        header=["", *(f"{each.title}, at {at}" for each in run.cohorts for at in ("0.5", "the locked cut-off"))],
        rows=rows,
        note=f"Both cut-offs were fixed before any of these patients was looked at: 0.5, and"
        f" {run.cutoff_rule}. {_methods(run, AT_A_CUTOFF)}",
    )


def _methods(run: Run, names: Sequence[str]) -> str:
    """How each interval was made, as metrics.json tells it."""
    table = run.internal.metrics
    shown = table[table["metric"].isin(names) & table["value"].notna()]
    once = shown.drop_duplicates("metric")
    told = [f"{METRICS[name]}, {method}" for name, method in zip(once["metric"], once["method"], strict=True)]
    return f"Intervals: {'; '.join(told)}."


def _confusion(run: Run, gallery: Gallery) -> Figure:
    panels = [
        gallery.draw(
            f"confusion_{results.key}",
            partial(_matrices, run=run, results=results),
            alt=f"Confusion matrices of {results.title}, one a target and cut-off",
            size=(4.4, 1.9 * len(run.targets) + 0.6),
        )
        for results in run.cohorts
    ]
    caption = (
        "Confusion matrices: patients by the truth (rows) and by what the model called them (columns), left at 0.5 and"
        " right at the locked cut-off. Shade is the share of the row."
    )
    return Figure(caption=caption, panels=panels)


def _matrices(figure: Drawing, *, run: Run, results: Results) -> None:
    figure.suptitle(results.title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    grid = figure.subplots(len(run.targets), 2, squeeze=False)
    for row, target in zip(grid, run.targets, strict=True):
        for axes, cutoff in zip(row, (EVEN_ODDS, run.cutoffs[target.key]), strict=True):
            _matrix(axes, _counts(results, target, cutoff), target, title=f"cut-off {cutoff:.3g}")
        row[0].set_ylabel(when(target), fontweight="bold", fontsize=8.5)


def _matrix(axes: Axes, counts: np.ndarray, target: Target, *, title: str) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
    for (truth, called), count in np.ndenumerate(counts):
        dark = shares[truth, called] > 0.7
        axes.text(called, truth, str(count), ha="center", va="center", fontsize=11, color="white" if dark else INK)
    axes.set_title(title, fontsize=8.5, fontweight="normal")
    axes.set_xticks([0, 1], labels=[f"called {name}" for name in calls(target)])
    axes.set_yticks([0, 1], labels=outcomes(target))
    axes.tick_params(length=0, labelsize=7.5)
    axes.spines[:].set_visible(False)


def _counts(results: Results, target: Target, cutoff: float) -> np.ndarray:
    """Patients with and without the event or disease (rows), at or above the cut-off and below it (columns)."""
    known = results.outcomes(target).dropna(subset=["label"])
    event, high = known["label"] == 1, known["score"] >= cutoff
    return np.array([[(event & high).sum(), (event & ~high).sum()], [(~event & high).sum(), (~event & ~high).sum()]])


def _paper(run: Run) -> list[Block]:
    """What the paper says of its own patients, in columns of its own."""
    paper, known = run.system.paper, {target.key: target for target in run.targets}
    theirs: dict[tuple[str, str], dict[str, str]] = {}
    for name, value in paper.reported.items():
        where, metric, key = name.split(" ", 2)
        theirs.setdefault((metric, key), {})[where] = f"{value:.3f}"
    rows = []
    for (metric, key), reported in theirs.items():
        here = [metric_cell(run, each, metric, target=known[key]) if key in known else NONE for each in run.cohorts]
        of = about(known[key]) if key in known else key
        there = [reported.get(where, NONE) for where in ("internal", "external")]
        rows.append([f"{METRICS.get(metric, metric)}, {of}", *there, *here])
    note = (
        f"Reported: {paper.authors} {paper.title}. {paper.journal} ({paper.year}), doi {paper.doi}. Other"
        " patients, other specimens, other cut-offs: the columns stand side by side for orientation, and their"
        " difference tests nothing."
    )
    header = [
        "",
        "Paper, its internal patients",
        "Paper, its external patients",
        *(f"Here, {each.title}" for each in run.cohorts),
    ]
    caption = "Reported by the paper on its own patients, beside what was found here."
    return [Table(caption=caption, header=header, rows=rows, note=note)] if rows else []
