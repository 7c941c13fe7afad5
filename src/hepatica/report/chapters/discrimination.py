"""Discrimination: how well scores separate patients with the event or disease from others, internal and external."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import Target
from hepatica.evaluate import Estimate, risk_capture
from hepatica.evaluate.by_task import EVEN_ODDS, known_outcome
from hepatica.evaluate.observed import observed
from hepatica.report.figures import roc
from hepatica.report.figures.matrix import matrix
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table
from hepatica.report.page.metric_table import metric_rows, target_table
from hepatica.report.page.wording import METRICS, about, attempt, calls, cell, estimate, events, heading, outcomes, when

AT_A_CUTOFF = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa")
WITHOUT_CUTOFF = ("auroc", "average_precision", "brier")

CAPTURED = 0.8
"""Share of the patients with the event whom the risk capture is to reach, as in Ioannou 2020 (doi
10.1001/jamanetworkopen.2020.15626)."""

CURVES: dict[roc.Kind, tuple[str, str]] = {
    "roc": (
        "auroc",
        "Receiver operating characteristic: sensitivity against the false-positive rate, over all cut-offs. The"
        " diagonal is chance, a ring the locked cut-off. Area under the curve (AUROC) with its 95% interval.",
    ),
    "pr": (
        "average_precision",
        "Precision against recall, over all cut-offs. Dotted lines are chance: the share of patients with {event}."
        " Average precision (AUPR) with its 95% interval.",
    ),
}
"""The metric in the key of each kind of curve, and its caption."""


def section(run: Run, gallery: Gallery) -> Section:
    """ROC and precision-recall curves, risk capture, metrics at both cut-offs, confusion matrices."""
    table = target_table(
        run,
        partial(_over_all, run),
        caption="Discrimination over all cut-offs, with 95% confidence intervals.",
        note=f"{_methods(run, WITHOUT_CUTOFF)} Risk capture: the smallest share of patients, from the highest score"
        f" down, with {CAPTURED:.0%} of those with {events(run.targets)}, by bootstrap of patients; a score without"
        f" information needs {CAPTURED:.0%} of the patients.",
    )
    weighed = " Rates at a horizon also weigh for patients censored before it." if run.targets[0].followed else ""
    confusion = gallery.by_cohort(
        "confusion",
        run.cohorts,
        partial(_matrices, run=run),
        alt="Confusion matrices, one a target and cut-off",
        caption="Confusion matrices: patients of known outcome by the truth (rows) and by the model's call (columns),"
        f" left at 0.5 and right at the locked cut-off. Shade is the share of the row.{weighed}",
        size=(4.4, 1.9 * len(run.targets) + 0.6),
    )
    blocks: list[Block] = [*(_curves(run, gallery, kind=kind) for kind in CURVES), table, _at_cutoffs(run), confusion]
    return Section(anchor="discrimination", title="Discrimination", blocks=blocks)


def _over_all(run: Run, target: Target) -> list[list[str]]:
    needed = [cell(attempt(partial(_needed, each, target))) for each in run.cohorts]
    return [
        *metric_rows(run, WITHOUT_CUTOFF, target=target),
        [f"Risk capture, {CAPTURED:.0%} of those with {events([target])}", *needed],
    ]


def _needed(results: Results, target: Target) -> Estimate:
    known, outcome = known_outcome(results.outcomes(target), target)
    return risk_capture(outcome, score=known["score"]).needed(CAPTURED)


def _curves(run: Run, gallery: Gallery, *, kind: roc.Kind) -> Figure:
    metric, caption = CURVES[kind]

    def paint(figure: Drawing, *, results: Results) -> None:
        roc.paint(figure, curves=_known(results, metric), title=results.title, kind=kind)

    def alt(results: Results) -> str:
        found = "; ".join(f"{about(target)} {estimate(results.metric(metric, target))}" for target in results.targets)
        return f"{caption.split(':')[0].split(',')[0]}, {results.title}: {found}"

    return gallery.by_cohort(kind, run.cohorts, paint, alt=alt, caption=caption.format(event=events(run.targets)))


def _known(results: Results, metric: str) -> list[roc.Curve]:
    curves = []
    for target in results.targets:
        found = attempt(partial(_curve, results, target, metric))
        curves += [] if isinstance(found, str) else [found]
    return curves


def _curve(results: Results, target: Target, metric: str) -> roc.Curve:
    known, outcome = known_outcome(results.outcomes(target), target)
    outcome = observed(outcome)
    name = f"{when(target)}: {estimate(results.metric(metric, target))}, n = {len(known)}"
    called = known["group"] == "high"
    return roc.Curve(name=name, label=outcome.event, score=known["score"], called=called, weight=outcome.weight)


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
        note=f"Both cut-offs were fixed before any of these patients was examined: 0.5, and {run.cutoff_rule}."
        f" {_methods(run, AT_A_CUTOFF)}",
    )


def _methods(run: Run, names: Sequence[str]) -> str:
    """How each interval was made, as metrics.json says."""
    table = run.internal.metrics
    shown = table[table["metric"].isin(names) & table["value"].notna()].drop_duplicates("metric")
    methods = [f"{METRICS[name]}, {method}" for name, method in zip(shown["metric"], shown["method"], strict=True)]
    return f"Intervals: {'; '.join(methods)}."


def _matrices(figure: Drawing, *, run: Run, results: Results) -> None:
    figure.suptitle(results.title, x=0.01, ha="left", fontsize=10, fontweight="bold")
    grid = figure.subplots(len(run.targets), 2, squeeze=False)
    for row, target in zip(grid, run.targets, strict=True):
        for axes, cutoff in zip(row, (EVEN_ODDS, run.cutoffs[target.key]), strict=True):
            counts = _counts(results, target, cutoff)
            matrix(axes, counts, truth=outcomes(target), called=calls(target), title=f"cut-off {cutoff:.3g}")
        row[0].set_ylabel(when(target), fontweight="bold", fontsize=8.5)


def _counts(results: Results, target: Target, cutoff: float) -> np.ndarray:
    """Patients with and without the event or disease (rows), at or above the cut-off and below it (columns)."""
    known = results.outcomes(target).dropna(subset=["label"])
    event, high = known["label"] == 1, known["score"] >= cutoff
    return np.array([[(event & high).sum(), (event & ~high).sum()], [(~event & high).sum(), (~event & ~high).sum()]])
