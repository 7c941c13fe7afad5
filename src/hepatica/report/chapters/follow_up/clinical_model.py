"""Clinical model: the score's risk beside clinical indicators alone, all together, and joined with it.

Needs risks of training patients by networks that were not trained on them (a predictions table whose fold is that in
which a patient was held out).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Drawing

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import Comparison, Estimate, Outcome, Risk, auroc, c_index, compare_auroc, compare_c_index
from hepatica.evaluate.by_task import known_outcome
from hepatica.evaluate.estimate import undefined
from hepatica.evaluate.models.stacking import (
    cross_fitted,
    fold_aurocs,
    mean_limits,
    ranked_within_folds,
    stacked_risks,
)
from hepatica.report.chapters.follow_up.indicators import (
    INTEGRATED,
    SIGNATURE,
    TOGETHER,
    Known,
    candidates,
    coverage_notes,
    new_patients,
    recorded,
    training,
)
from hepatica.report.figures.boxes import over_folds
from hepatica.report.figures.forest import dots
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.style import HIGH, LOW, SERIES, say
from hepatica.report.page.wording import NONE, between, p_value, quartiles, when

COLOURS = {SIGNATURE: HIGH, TOGETHER: LOW, INTEGRATED: SERIES[2]}

METHOD = (
    "Each indicator alone, all of them together (LR), and all of them with the signature's risk (LR) are logistic"
    " regressions, fitted to training patients and applied to patients they were not fitted to; the signature's risk is"
    " taken as it is. Within the training patients, a fold is judged by regressions of the other folds; the signature's"
    " risk of every patient, also where it enters a regression, is that of a network which was not trained on them"
    " (cross-fitted stacking: those networks did see the patients of the fold being judged, through which a trace of"
    " their outcomes may reach the one weight of the signature). The internal test and other cohorts are judged by"
    " regressions of all training patients."
)

CODING = (
    "The paper specifies its regression only as LR; ours has scikit-learn's ridge penalty, standardised numbers (skewed"
    " ones as logarithms), a term a category, and gaps filled with the training patients' median or most common value."
    " Hazard ratios of the same indicators, alone and all together, are in the chapter on clinical factors."
)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A candidate in one group of patients: a statistic, and how much higher that of the signature is."""

    name: str
    value: Estimate
    ahead: Comparison | None

    @property
    def difference(self) -> list[str]:
        """By how much the signature is ahead, and P."""
        return [NONE, NONE] if self.ahead is None else [str(self.ahead.difference), p_value(self.ahead.p)]


def section(run: Run, gallery: Gallery, *, out_of_fold: pd.DataFrame, indicators: Sequence[str]) -> Section:
    """Box plots over folds, AUROC and C-index with paired tests; the first target in full, the others in short."""
    known = Known(run=run, out_of_fold=out_of_fold, indicators=indicators)
    blocks: list[Block] = [Text(text=METHOD), Text(text=CODING, tone="note"), *coverage_notes(known)]
    for target in run.targets:
        try:
            blocks += _of_target(known, target, gallery, in_full=target == run.targets[0])
        except EvaluationError as error:
            blocks.append(Text(text=f"{target.label.capitalize()}: not compared. {error}.", tone="warning"))
    return Section(anchor="indicators", title="The signature beside clinical indicators", blocks=blocks)


def _of_target(known: Known, target: Target, gallery: Gallery, *, in_full: bool) -> list[Block]:
    """Everything of one target; in short, the figure and one table of all groups."""
    table = training(known, target)
    cross = cross_fitted(table, candidates=candidates(recorded(known.indicators, table)), score=SIGNATURE)
    folds, pooled = fold_aurocs(table, cross), _by_auroc(ranked_within_folds(table, cross), table["label"].to_numpy())
    scored = {each.key: _scored(known, each, target) for each in known.run.cohorts}
    areas = {key: _areas(own, target) for key, own in scored.items()}
    caption = (
        f"AUROC of each risk for {target.label}. Cross-validation: held-out folds of the training patients, a dot a"
        " fold; lines are medians, boxes interquartile ranges, whiskers 95% intervals of the mean (t distribution), as"
        " in the paper; they are too narrow, because folds share training patients. Other panels: AUROC with 95%"
        " intervals."
    )
    figure = _figure(known.run, target, areas, gallery, statistic="AUROC", caption=caption)
    boxes = gallery.draw(
        f"indicators_folds_{target.key}",
        partial(_boxes, folds=folds, title=f"Cross-validation\n{when(target)}"),
        alt=f"Box plots over folds of the AUROC of each risk for {target.label}",
        size=_size(pooled),
    )
    figure, inside = replace(figure, panels=[boxes, *figure.panels]), _cross_validated(folds, pooled, target)
    if not in_full:
        return [figure, _short(known.run, target, inside, areas)]
    ranks = {key: _by_c_index(own) for key, own in scored.items()}
    blocks: list[Block] = [figure, inside]
    for each in known.run.cohorts:
        blocks += [_table(each, areas[each.key], ranks[each.key], target), *_verdict(each, areas[each.key])]
    caption = (
        f"C-index of each risk for {target.label} over the whole of follow-up, with 95% intervals. The dotted line is"
        " chance."
    )
    return [*blocks, _figure(known.run, target, ranks, gallery, statistic="C-index", caption=caption)]


def _scored(known: Known, results: Results, target: Target) -> pd.DataFrame:
    """Risks of the reported patients of a cohort by every candidate, with label, time and event."""
    table, new = training(known, target), new_patients(results, target)
    found = candidates(recorded(known.indicators, table, new))
    return stacked_risks(table, of=new, candidates=found, score=SIGNATURE).join(
        new[["label", "time", "event", "cause"]]
    )


def _areas(scored: pd.DataFrame, target: Target) -> list[Judged]:
    """AUROCs of all risks, undefined where all patients have one outcome."""
    try:
        return _by_auroc(*known_outcome(scored, target))
    except EvaluationError as error:
        nothing = undefined(str(error), n=len(scored))
        names = scored.columns.drop(["label", "time", "event", "cause"], errors="ignore")
        return [Judged(name=str(name), value=nothing, ahead=None) for name in names]


def _by_auroc(scored: pd.DataFrame, outcome: Outcome) -> list[Judged]:
    return _judge(scored, partial(auroc, outcome), lambda a, b: compare_auroc(outcome, score_a=a, score_b=b))


def _by_c_index(scored: pd.DataFrame) -> list[Judged]:
    time, event = scored["time"].to_numpy(), scored["event"].to_numpy()
    return _judge(
        scored,
        lambda *, score: c_index(time, event=event, score=Risk(score)),
        lambda a, b: compare_c_index(time, event=event, score_a=Risk(a), score_b=Risk(b)),
    )


def _judge(
    scored: pd.DataFrame, statistic: Callable[..., Estimate], compare: Callable[[Any, Any], Comparison]
) -> list[Judged]:
    """A statistic of each risk and the paired test of the signature against it; undefined where there is none."""
    own, judged = scored[SIGNATURE].to_numpy(), []
    for name, score in scored.drop(columns=["label", "time", "event", "cause"], errors="ignore").items():
        try:
            value = statistic(score=score.to_numpy())
            ahead = None if name == SIGNATURE else compare(own, score.to_numpy())
        except EvaluationError as error:
            value, ahead = undefined(str(error), n=len(score)), None
        judged.append(Judged(name=str(name), value=value, ahead=ahead))
    return judged


def _size(found: Sequence[Judged]) -> tuple[float, float]:
    return 5.2, 1.8 + 0.34 * len(found)


def _boxes(figure: Drawing, *, folds: pd.DataFrame, title: str) -> None:
    axes = figure.subplots()
    axes.set_title(title)
    if len(folds) < 2:
        say(axes, "Fewer than two folds have patients\nwith and without the event.")
    else:
        over_folds(axes, folds, colours=COLOURS, xlabel="AUROC of a fold")


def _figure(
    run: Run, target: Target, found: dict[str, list[Judged]], gallery: Gallery, *, statistic: str, caption: str
) -> Figure:
    """A panel a cohort with the statistic of every risk."""

    def paint(figure: Drawing, *, results: Results, target: Target) -> None:
        axes, own = figure.subplots(), {each.name: each.value for each in found[results.key]}
        axes.set_title(f"{results.title}\n{when(target)}")
        if all(pd.isna(each.value) for each in own.values()):
            say(axes, "All patients have the same outcome.")
        else:
            dots(axes, own, xlabel=f"{statistic} (95% interval)", colours=COLOURS, at=0.5)

    return gallery.by_target(
        f"indicators_{statistic.lower().replace('-', '_')}",
        [(each, target) for each in run.cohorts],
        paint,
        alt=f"{statistic} of each risk",
        caption=caption,
        size=_size(max(found.values(), key=len)),
    )


def _cross_validated(folds: pd.DataFrame, pooled: list[Judged], target: Target) -> Table:
    rows = []
    for each in pooled:
        over_folds = _over_folds(folds[each.name]) if len(folds) > 1 else [NONE, NONE]
        rows.append([each.name, *over_folds, str(each.value), *each.difference])
    return Table(
        caption=f"{target.label.capitalize()}: AUROC in the training patients, cross-validated.",
        header=["", "Median of folds [IQR]", "Mean of folds (95%)", "All folds pooled", "Signature minus this", "P"],
        rows=rows,
        note=f"{len(folds)} folds with both outcomes. Pooled: one AUROC of all held-out patients by their rank within"
        " the fold, because the networks and regressions of the folds need not agree in scale; with DeLong's interval"
        " and paired test.",
    )


def _over_folds(areas: pd.Series) -> list[str]:
    limits = (f"{end:.3f}" for end in mean_limits(areas))
    return [quartiles(areas, form=".3f", tie=" "), between(f"{areas.mean():.3f}", *limits)]


def _short(run: Run, target: Target, inside: Table, areas: dict[str, list[Judged]]) -> Table:
    found = [{one.name: str(one.value) for one in areas[each.key]} for each in run.cohorts]
    return Table(
        caption=f"{target.label.capitalize()}: AUROC with 95% confidence intervals.",
        header=["", "Training patients, cross-validated", *(each.title for each in run.cohorts)],
        rows=[[row[0], row[3], *(own.get(row[0], NONE) for own in found)] for row in inside.rows],
    )


def _table(results: Results, areas: list[Judged], order: list[Judged], target: Target) -> Table:
    return Table(
        caption=f"{results.title}, {target.label}: each risk, and how far the signature is ahead (95% intervals).",
        header=["", "AUROC", "Signature minus this", "P", "C-index", "Signature minus this", "P"],
        rows=[
            [area.name, str(area.value), *area.difference, str(rank.value), *rank.difference]
            for area, rank in zip(areas, order, strict=True)
        ],
        note="Paired tests of the same patients: DeLong for AUROC (at a horizon: influence function, weighted"
        " for censoring), infinitesimal jackknife for the C-index. P values are not corrected for the number of"
        " comparisons.",
    )


def _verdict(results: Results, found: list[Judged]) -> list[Block]:
    """In a sentence, what the comparison can and cannot show."""
    ahead = [each.ahead for each in found if each.ahead is not None]
    higher, lower = ([each for each in ahead if sign * each.difference.value > 0] for sign in (1, -1))
    text = (
        f"{results.title}: the signature has a higher AUROC than {len(higher)} of {len(ahead)} other risks, with P"
        f" below 0.05 than {sum(each.p < 0.05 for each in higher)}, and a lower one with P below 0.05 than"
        f" {sum(each.p < 0.05 for each in lower)}. Where P is not below 0.05, these patients do not show which of the"
        " two is better."
    )
    return [Text(text=text)] if ahead else []
