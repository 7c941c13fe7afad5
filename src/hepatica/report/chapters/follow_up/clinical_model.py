"""Clinical model: the score's risk beside clinical indicators alone, all together, and joined with it.

Needs risks of training patients by networks that were not trained on them (a predictions table whose fold is that in
which a patient was held out).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from pandas.api.types import is_numeric_dtype
from scipy import stats

from hepatica.cohort import EvaluationError, Target, patient_scores
from hepatica.evaluate import (
    Comparison,
    Estimate,
    Risk,
    auroc,
    c_index,
    compare_auroc,
    compare_c_index,
    fit_logistic,
)
from hepatica.evaluate.estimate import undefined
from hepatica.report.figures.forest import estimate, name_rows
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run
from hepatica.report.page.style import HIGH, INK, LOW, QUIET, SERIES, say
from hepatica.report.page.wording import NONE, between, column, p_value, patients, when

SIGNATURE, TOGETHER, INTEGRATED = "Signature", "All indicators (LR)", "Indicators and signature (LR)"

COLOURS = {SIGNATURE: HIGH, TOGETHER: LOW, INTEGRATED: SERIES[2]}

METHOD = (
    "Each indicator alone, all of them together (LR), and all of them with the signature's risk (LR) are logistic"
    " regressions, learnt from training patients and given to patients they were not learnt from; the signature's risk"
    " is taken as it is. Within the training patients, a fold is judged by regressions of the other folds; the"
    " signature's risk of every patient, also where it enters a regression, is that of a network which was not trained"
    " on them (cross-fitted stacking: those networks did see the patients of the fold being judged, through which a"
    " trace of their outcomes may reach the one weight of the signature). The internal test and other cohorts are"
    " judged by regressions of all training patients."
)

CODING = (
    "The paper says no more of its regression than LR; ours has scikit-learn's ridge penalty, standardised numbers"
    " (skewed ones as logarithms), a term a category, and gaps filled with the training patients' median or most common"
    " value. Hazard ratios of the same indicators, alone and all together, are in the chapter on clinical factors."
)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A candidate in one group of patients: a statistic, and how much higher that of the signature is."""

    name: str
    value: Estimate
    ahead: Comparison | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """A run, the risks of its training patients out of fold, and columns of patients.csv that are indicators."""

    run: Run
    out_of_fold: pd.DataFrame
    indicators: Sequence[str]


def training(known: Known, target: Target) -> pd.DataFrame:
    """Training patients whose label is known: covariates, label, the fold each was held out in, and as SIGNATURE the
    risk by a network that was not trained on them.
    """
    results, scores = known.run.internal, patient_scores(known.out_of_fold, target=target)
    patients = results.patients.loc[scores.index]
    label = results.endpoint(target).label(patients, horizon=target.horizon)
    table = patients[results.covariates()].assign(label=label, held_out=scores["fold"])
    return table.assign(**{SIGNATURE: scores["score"].astype(float)}).dropna(subset=["label"])


def new_patients(results: Results, target: Target) -> pd.DataFrame:
    """Reported patients of a cohort, label known or not: covariates, time, event, label, and as SIGNATURE the score."""
    outcomes = results.outcomes(target)
    covariates = results.patients.loc[outcomes.index, results.covariates()]
    return covariates.join(outcomes[["time", "event", "label"]]).assign(**{SIGNATURE: outcomes["score"]})


def recorded(names: Sequence[str], *tables: pd.DataFrame) -> list[str]:
    """The indicators that every one of these tables has values of, all of them numbers or all of them text."""
    found = [name for name in names if all(name in each and each[name].notna().any() for each in tables)]
    return [name for name in found if len({is_numeric_dtype(each[name]) for each in tables}) == 1]


def risks(known: pd.DataFrame, *, of: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Risk of each row of `of` by each candidate (columns), learnt from the rows of `known`.

    An indicator alone is a logistic regression of it, which learns the sign of a number and the order of categories;
    the signature's risk is taken as it is. EvaluationError when `known` has one class.
    """
    found = {
        name: fit_logistic(known[columns], label=known["label"].to_numpy()).risk(of)
        for name, columns in _candidates(names).items()
    }
    return pd.DataFrame(found | {SIGNATURE: of[SIGNATURE].to_numpy(float)}, index=of.index)


def _candidates(names: Sequence[str]) -> dict[str, list[str]]:
    """Columns of each logistic regression, by its name; none of all together where there is one indicator."""
    alone = {column(name): [name] for name in names}
    together = {TOGETHER: list(names)} if len(names) > 1 else {}
    return alone | together | ({INTEGRATED: [*names, SIGNATURE]} if names else {})


def cross_fitted(known: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Risk of each training patient by each candidate, learnt from the patients of the other folds only."""
    found = [risks(known[~held_out], of=known[held_out], names=names) for held_out in _folds(known)]
    return pd.concat(found).loc[known.index]


def ranked_within_folds(known: pd.DataFrame, cross: pd.DataFrame) -> pd.DataFrame:
    """Share of the patients of the same fold whom each patient is ahead of, ties half, by each candidate.

    Pooled, risks of different fits are not comparable: the fewer events a fold has, the more the others had, and the
    higher are its risks, which pulls a pooled AUROC far below 0.5 when the candidate knows little (Airola 2011, doi
    10.1016/j.csda.2010.11.018). Ranks within the fold leave that out, and use no label. Ours.
    """
    groups = cross.groupby(known["held_out"])
    return (groups.rank() - 0.5).div(known.groupby("held_out")["label"].transform("size"), axis=0)


def _folds(known: pd.DataFrame) -> Iterator["pd.Series[bool]"]:
    for fold in sorted(known["held_out"].unique()):
        yield known["held_out"] == fold


def fold_aurocs(known: pd.DataFrame, cross: pd.DataFrame) -> pd.DataFrame:
    """AUROC of each candidate (columns) among the patients of each fold (rows); no row for a fold of one class."""
    return pd.DataFrame({name: [_area(known[rows], cross[name]) for rows in _folds(known)] for name in cross}).dropna()


def _area(patients: pd.DataFrame, risk: pd.Series) -> float:
    try:
        return auroc(patients["label"].to_numpy(), score=risk.loc[patients.index].to_numpy()).value
    except EvaluationError:
        return np.nan


def section(run: Run, gallery: Gallery, *, out_of_fold: pd.DataFrame, indicators: Sequence[str]) -> Section:
    """Box plots over folds, AUROC and C-index with paired tests; the first target in full, the others in short."""
    known = Known(run=run, out_of_fold=out_of_fold, indicators=indicators)
    blocks: list[Block] = [Text(text=METHOD), Text(text=CODING, tone="note"), *_lacking(known)]
    for number, target in enumerate(run.targets):
        try:
            blocks += (_short if number else _full)(known, target, gallery)
        except EvaluationError as error:
            blocks.append(Text(text=f"{target.label.capitalize()}: not compared. {error}.", tone="warning"))
    return Section(anchor="indicators", title="The signature beside clinical indicators", blocks=blocks)


def _lacking(known: Known) -> list[Block]:
    """Which indicators a cohort does not have, and how many patients have gaps in the others."""
    told = []
    for each in known.run.cohorts:
        table = each.patients[each.patients["fold"] == each.fold]
        has = recorded(known.indicators, known.run.internal.patients, table)
        lacks = [column(name) for name in known.indicators if name not in has]
        gaps = int(table[has].isna().any(axis=1).sum())
        lacking = "has all indicators"
        if lacks:
            lacking = f"lacks {', '.join(lacks)} (or codes it otherwise); its regressions are learnt without"
        told.append(f"{each.title} {lacking}. Gaps were filled for {patients(gaps)} of {len(table)}.")
    return [Text(text=text, tone="note") for text in told]


def _full(known: Known, target: Target, gallery: Gallery) -> list[Block]:
    """Everything of one target."""
    figure, inside, outside = _areas(known, target, gallery)
    blocks: list[Block] = [figure, inside]
    ranks = []
    for each, found in outside:
        order = _rank(known, each, target)
        ranks.append(_panel(each, order, target, gallery, statistic="C-index"))
        blocks += [_table(each, found, order, target), *_verdict(each, found)]
    caption = (
        f"C-index of each risk for {target.label} over the whole of follow-up, with 95% intervals. The dotted line is"
        " chance."
    )
    return [*blocks, Figure(caption=caption, panels=ranks)]


def _short(known: Known, target: Target, gallery: Gallery) -> list[Block]:
    """The figure of one target, and one table of all groups."""
    figure, inside, outside = _areas(known, target, gallery)
    found = {each.title: {one.name: str(one.value) for one in judged} for each, judged in outside}
    rows = [[row[0], row[3], *(found[title].get(row[0], NONE) for title in found)] for row in inside.rows]
    table = Table(
        caption=f"{target.label.capitalize()}: AUROC with 95% confidence intervals.",
        header=["", "Training patients, cross-validated", *found],
        rows=rows,
    )
    return [figure, table]


def _areas(known: Known, target: Target, gallery: Gallery) -> tuple[Figure, Table, list[tuple[Results, list[Judged]]]]:
    """Figure of AUROCs, table of the cross-validation, and what was judged in each cohort."""
    table = training(known, target)
    cross = cross_fitted(table, recorded(known.indicators, table))
    folds, label = fold_aurocs(table, cross), table["label"].to_numpy()
    ranks = ranked_within_folds(table, cross)
    pooled = _judge(ranks, partial(auroc, label), lambda a, b: compare_auroc(label, score_a=a, score_b=b))
    outside = [(each, _discriminate(known, each, target)) for each in known.run.cohorts]
    boxes = gallery.draw(
        f"indicators_folds_{target.key}",
        partial(_boxes, folds=folds, title=f"Cross-validation\n{when(target)}"),
        alt=f"Box plots over folds of the AUROC of each risk for {target.label}",
        size=(5.2, 1.8 + 0.34 * len(cross.columns)),
    )
    panels = [boxes, *(_panel(each, found, target, gallery, statistic="AUROC") for each, found in outside)]
    caption = (
        f"AUROC of each risk for {target.label}. Cross-validation: held-out folds of the training patients, a dot a"
        " fold; lines are medians, boxes interquartile ranges, whiskers 95% intervals of the mean (t distribution), as"
        " in the paper; folds share training patients, so that these are too narrow. Other panels: AUROC with 95%"
        " intervals."
    )
    return Figure(caption=caption, panels=panels), _cross_validated(folds, pooled, target), outside


def _discriminate(known: Known, results: Results, target: Target) -> list[Judged]:
    scored = _scored(known, results, target).dropna(subset=["label"])
    label = scored.pop("label").to_numpy()
    return _judge(
        scored.drop(columns=["time", "event"]),
        partial(auroc, label),
        lambda a, b: compare_auroc(label, score_a=a, score_b=b),
    )


def _rank(known: Known, results: Results, target: Target) -> list[Judged]:
    scored = _scored(known, results, target)
    time, event = scored.pop("time").to_numpy(), scored.pop("event").to_numpy()
    return _judge(
        scored.drop(columns="label"),
        lambda *, score: c_index(time, event=event, score=Risk(score)),
        lambda a, b: compare_c_index(time, event=event, score_a=Risk(a), score_b=Risk(b)),
    )


def _scored(known: Known, results: Results, target: Target) -> pd.DataFrame:
    """Risks of the reported patients of a cohort by every candidate, with label, time and event."""
    table, new = training(known, target), new_patients(results, target)
    found = risks(table, of=new, names=recorded(known.indicators, table, new))
    return found.join(new[["label", "time", "event"]])


def _judge(
    scored: pd.DataFrame, statistic: Callable[..., Estimate], compare: Callable[[Any, Any], Comparison]
) -> list[Judged]:
    """A statistic of each column and the paired test of the signature against it; undefined where there is none."""
    own, judged = scored[SIGNATURE].to_numpy(), []
    for name, score in scored.items():
        try:
            value = statistic(score=score.to_numpy())
            ahead = None if name == SIGNATURE else compare(own, score.to_numpy())
        except EvaluationError as error:
            value, ahead = undefined(str(error), n=len(score)), None
        judged.append(Judged(name=str(name), value=value, ahead=ahead))
    return judged


def _boxes(figure: Drawing, *, folds: pd.DataFrame, title: str) -> None:
    axes = figure.subplots()
    axes.set_title(title)
    if len(folds) < 2:
        say(axes, "Fewer than two folds have patients\nwith and without the event.")
        return
    drawn = [box(folds[name]) for name in folds]
    axes.bxp(
        drawn,
        positions=range(len(drawn)),
        orientation="horizontal",
        widths=0.5,
        showfliers=False,
        medianprops={"color": INK, "linewidth": 1.6},
        boxprops={"color": QUIET},
        whiskerprops={"color": QUIET},
        capprops={"color": QUIET},
    )
    for place, name in enumerate(folds):
        axes.plot(folds[name], [place] * len(folds), "o", color=COLOURS.get(str(name), INK), markersize=3.5, alpha=0.8)
    _rows(axes, list(folds), xlabel="AUROC of a fold")


def box(values: pd.Series) -> dict[str, Any]:
    """Median, interquartile range and 95 % interval of the mean over folds (t distribution, kept within 0 and 1)."""
    low, middle, high = values.quantile([0.25, 0.5, 0.75])
    start, end = mean_limits(values)
    return {"q1": low, "med": middle, "q3": high, "whislo": start, "whishi": end, "label": ""}


def mean_limits(values: pd.Series) -> tuple[float, float]:
    """95 % interval of the mean of a few values by the t distribution, kept within 0 and 1."""
    margin = stats.t.ppf(0.975, len(values) - 1) * values.std() / np.sqrt(len(values))
    return float(max(values.mean() - margin, 0)), float(min(values.mean() + margin, 1))


def _panel(results: Results, found: list[Judged], target: Target, gallery: Gallery, *, statistic: str) -> Panel:
    return gallery.draw(
        f"indicators_{statistic.lower().replace('-', '_')}_{target.key}_{results.key}",
        partial(_dots, found=found, title=f"{results.title}\n{when(target)}", statistic=statistic),
        alt=f"{statistic} of each risk for {target.label} in {results.title}",
        size=(5.2, 1.8 + 0.34 * len(found)),
    )


def _dots(figure: Drawing, *, found: list[Judged], title: str, statistic: str) -> None:
    axes = figure.subplots()
    axes.set_title(title)
    if all(np.isnan(each.value.value) for each in found):
        say(axes, "All patients have the same outcome.")
        return
    for place, each in enumerate(found):
        estimate(axes, each.value, y=place, colour=COLOURS.get(each.name, INK))
    _rows(axes, [each.name for each in found], xlabel=f"{statistic} (95% interval)")


def _rows(axes: Axes, names: Sequence[Any], *, xlabel: str) -> None:
    name_rows(axes, [str(name) for name in names], xlabel=xlabel, at=0.5)
    axes.set_xlim(-0.01, 1.01)


def _cross_validated(folds: pd.DataFrame, pooled: list[Judged], target: Target) -> Table:
    rows = []
    for each in pooled:
        over_folds = _over_folds(folds[each.name]) if len(folds) > 1 else [NONE, NONE]
        rows.append([each.name, *over_folds, str(each.value), *_ahead(each)])
    return Table(
        caption=f"{target.label.capitalize()}: AUROC in the training patients, cross-validated.",
        header=["", "Median of folds [IQR]", "Mean of folds (95%)", "All folds pooled", "Signature minus this", "P"],
        rows=rows,
        note=f"{len(folds)} folds with both outcomes. Pooled: one AUROC of all held-out patients by their rank within"
        " the fold, for the networks and regressions of the folds need not agree in scale; with DeLong's interval and"
        " paired test.",
    )


def _over_folds(areas: pd.Series) -> list[str]:
    low, middle, high = areas.quantile([0.25, 0.5, 0.75])
    limits = (f"{end:.3f}" for end in mean_limits(areas))
    return [f"{middle:.3f} [{low:.3f} to {high:.3f}]", between(f"{areas.mean():.3f}", *limits)]


def _table(results: Results, areas: list[Judged], order: list[Judged], target: Target) -> Table:
    ranked = {each.name: each for each in order}
    rows = [
        [each.name, str(each.value), *_ahead(each), str(ranked[each.name].value), *_ahead(ranked[each.name])]
        for each in areas
    ]
    return Table(
        caption=f"{results.title}, {target.label}: each risk, and how far the signature is ahead (95% intervals).",
        header=["", "AUROC", "Signature minus this", "P", "C-index", "Signature minus this", "P"],
        rows=rows,
        note="Paired tests of the same patients: DeLong for AUROC, infinitesimal jackknife for the C-index. Nothing is"
        " corrected for the number of comparisons.",
    )


def _ahead(each: Judged) -> list[str]:
    return [NONE, NONE] if each.ahead is None else [str(each.ahead.difference), p_value(each.ahead.p)]


def _verdict(results: Results, found: list[Judged]) -> list[Block]:
    """In a sentence, what the comparison can and cannot say."""
    ahead = [each.ahead for each in found if each.ahead is not None]
    higher = [each for each in ahead if each.difference.value > 0]
    sure = [each for each in higher if each.p < 0.05]
    behind = [each for each in ahead if each.difference.value < 0 and each.p < 0.05]
    text = (
        f"{results.title}: the signature has a higher AUROC than {len(higher)} of {len(ahead)} other risks, with P"
        f" below 0.05 than {len(sure)}, and a lower one with P below 0.05 than {len(behind)}. Where P is not"
        " below 0.05, these patients do not show which of the two is better."
    )
    return [Text(text=text)] if ahead else []
