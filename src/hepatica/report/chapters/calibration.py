"""Calibration: whether of patients with a score of 0.3 about 30 in 100 have the event, and what updates would change.

Updated scores of another cohort are offered here and applied to nothing else.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import Recalibration, brier, calibration_intercept, calibration_slope, recalibrate
from hepatica.report.figures.calibration_curve import paint
from hepatica.report.page.blocks import Block, Figure, Panel, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.metric_table import metric_table
from hepatica.report.page.results import Results, Run
from hepatica.report.page.wording import NONE, about, event, heading, when

SHOWN = ("calibration_intercept", "calibration_slope", "brier")

FOLDS, SEED = 5, 0
"""Folds of the cross-validation in which updates are judged, and the seed they are dealt by. Ours."""

UPDATES = {"intercept": False, "intercept and slope": True}
"""What each update changes, and whether it has a slope (Steyerberg 2004, doi 10.1002/sim.1844)."""

NOT_APPLIED = "not applied to any other number of this report"


def section(run: Run, gallery: Gallery) -> Section:
    """A calibration panel a target and cohort; intercept, slope and Brier score; updates offered for other cohorts."""
    panels = [_curve(each, target, gallery) for target in run.targets for each in run.cohorts]
    caption = (
        f"Observed share of patients with {event(run.targets[0])} against the mean score, in groups of equal size"
        " ordered by score; bars are 95% intervals. On the diagonal, scores can be read as probabilities. Ticks along"
        " the upper and lower edge are patients with and without it."
    )
    figure = Figure(caption=caption, panels=panels, columns=run.columns)
    blocks = [figure, _intervals(run), *recalibration_blocks(run, gallery)]
    return Section(anchor="calibration", title="Calibration", blocks=blocks)


def _curve(results: Results, target: Target, gallery: Gallery) -> Panel:
    known = results.outcomes(target).dropna(subset=["label"])
    return gallery.draw(
        f"calibration_{target.key}_{results.key}",
        partial(paint, known=known, of=event(target), title=f"{results.title}\n{when(target)}"),
        alt=f"Calibration curve of the score for {about(target)} in {results.title}",
    )


def _intervals(run: Run) -> Table:
    return metric_table(
        run,
        SHOWN,
        caption="Calibration, with 95% confidence intervals.",
        note=f"An intercept above 0: {event(run.targets[0])} is more common than the scores say. A slope below 1:"
        " scores are too extreme. Brier score: mean squared distance of score and outcome, 0 is perfect, and always"
        " saying 0.5 gives 0.25.",
    )


@dataclass(frozen=True, kw_only=True)
class Update:
    """One way of updating the scores of a cohort: scores of patients it was not fitted on, and the fit on all of them.

    `of` says what it changes; `known` has the columns label and score; `fitted` is None for the locked scores.
    """

    of: str
    known: pd.DataFrame
    fitted: Recalibration | None

    @property
    def name(self) -> str:
        """What tables and panels call it."""
        return "As locked" if self.fitted is None else f"{self.of.capitalize()} updated"


def recalibration_blocks(run: Run, gallery: Gallery) -> list[Block]:
    """For each external cohort, curves (of one target) and numbers of the locked scores beside those of two updates."""
    blocks: list[Block] = []
    for each in run.external:
        found = [(target, updates(each, target)) for target in run.targets]
        blocks += _blocks(each, [(target, offered) for target, offered in found if offered], gallery)
    return blocks


def updates(results: Results, target: Target) -> list[Update]:
    """The locked scores and each update that can be fitted; nothing where patients of one class are too few."""
    known = results.outcomes(target).dropna(subset=["label"])[["label", "score"]]
    if known["label"].value_counts().reindex([0.0, 1.0], fill_value=0).min() < FOLDS:
        return []
    offered = [Update(of="locked", known=known, fitted=None)]
    for name, slope in UPDATES.items():
        try:
            fitted = recalibrate(known["label"], score=known["score"], slope=slope)
            offered.append(Update(of=name, known=cross_validated(known, slope=slope), fitted=fitted))
        except EvaluationError:
            continue
    return offered


def cross_validated(known: pd.DataFrame, *, slope: bool) -> pd.DataFrame:
    """Labels and updated scores (columns label and score), each patient's by a fit on the other folds."""
    label, score = known["label"].to_numpy(), known["score"].to_numpy(float)
    updated = np.empty_like(score)
    dealer = StratifiedKFold(n_splits=FOLDS, shuffle=True, random_state=SEED)
    for others, held_out in dealer.split(label, label):
        updated[held_out] = recalibrate(label[others], score=score[others], slope=slope).apply(score[held_out])
    return known.assign(score=updated)


def _blocks(results: Results, found: list[tuple[Target, list[Update]]], gallery: Gallery) -> list[Block]:
    name = str(results.cohort["name"])
    if not found:
        of = event(results.targets[0])
        text = f"{name}: fewer than {FOLDS} patients with or without {of}; an update cannot be judged."
        return [Text(text=text, tone="note")]
    told = (
        f"Recalibration for {name}, offered and {NOT_APPLIED}. Scores can be shifted (intercept) or shifted and"
        " stretched (intercept and slope) on the scale of their log odds until they are right on average in that"
        " cohort; no patient overtakes another by it (slope above 0), so that AUROC and whatever else rests on"
        f" the order of patients stay. What is shown was fitted on {FOLDS - 1} of {FOLDS} parts of its patients and"
        " judged on the other, in turn, because an update judged on the patients it was fitted on looks better than it"
        " is."
    )
    target, shown = found[0]
    panels = [
        gallery.draw(
            f"recalibration_{each.of.replace(' ', '_')}_{results.key}",
            partial(paint, known=each.known, of=event(target), title=f"{each.name}\n{when(target)}"),
            alt=f"Calibration curve of {name}, {each.name.lower()}, for {about(target)}",
        )
        for each in shown
    ]
    caption = (
        f"External: {name}, score for {about(target)}. Calibration of the scores as locked, and after each update"
        f" ({NOT_APPLIED})."
    )
    return [Text(text=told), Figure(caption=caption, panels=panels, columns=3), _table(name, found)]


def _table(name: str, found: list[tuple[Target, list[Update]]]) -> Table:
    rows = []
    for target, offered in found:
        rows.append([heading(target)])
        for each in offered:
            label, score = each.known["label"], each.known["score"]
            judged = [str(judge(label, score=score)) for judge in (brier, calibration_intercept, calibration_slope)]
            rows.append([each.name, *judged, *_in_practice(each.fitted)])
    return Table(
        caption=f"Recalibration for {name}: offered, {NOT_APPLIED}.",
        header=["", "Brier score", "Intercept left", "Slope left", "In practice: add", "In practice: times"],
        rows=rows,
        note="Brier score, intercept and slope (ideal: low, 0, 1) are those of the cross-validation, with 95%"
        " intervals that leave out the uncertainty of the update itself. In practice: multiply the log odds of a score"
        " by the one number and add the other. Both were fitted on all patients here, and want confirming on new ones"
        " before anybody relies on them.",
    )


def _in_practice(fitted: Recalibration | None) -> list[str]:
    return [NONE, NONE] if fitted is None else [f"{fitted.intercept:+.3f}", f"{fitted.slope:.3f}"]
