"""Calibration: whether of patients with a score of 0.3 about 30 in 100 have the event, and what updates would change.

Updated scores of another cohort are offered here and applied to nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
from matplotlib.figure import Figure as Drawing
from sklearn.model_selection import StratifiedKFold

from hepatica.cohort import EvaluationError, Target
from hepatica.evaluate import Recalibration, brier, calibration_intercept, calibration_slope, recalibrate
from hepatica.evaluate.by_task import known_outcome
from hepatica.evaluate.observed import observed
from hepatica.report.figures import calibration_curve
from hepatica.report.page import Block, Figure, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.metric_table import metric_table
from hepatica.report.page.wording import NONE, about, event, events, heading, when

SHOWN = ("observed_to_expected", "calibration_intercept", "calibration_slope", "brier")

FOLDS, SEED = 5, 0
"""Folds of the cross-validation in which updates are judged, and the seed they are dealt by. Ours."""

UPDATES = {"Intercept updated": False, "Intercept and slope updated": True}
"""What each update changes, and whether it has a slope (Steyerberg 2004, doi 10.1002/sim.1844)."""

NOT_APPLIED = "not applied to any other number of this report"


def section(run: Run, gallery: Gallery) -> Section:
    """A calibration panel a target and cohort; intercept, slope and Brier score; updates offered for other cohorts."""
    of = events(run.targets)
    weighed = " Patients censored before a horizon are weighed for." if run.targets[0].followed else ""
    figure = gallery.by_target(
        "calibration",
        [(each, target) for target in run.targets for each in run.cohorts],
        _paint,
        alt="Calibration curve of the score",
        caption=f"Observed share of patients with {of} against the mean score, in groups of equal size ordered by"
        " score (bars: 95% intervals), and as a smooth curve (logistic regression on a spline of the log odds, shaded:"
        f" 95% interval).{weighed} On the diagonal, scores can be read as probabilities."
        f" Ticks along the upper and lower edge are patients with and without {of}.",
        columns=run.columns,
    )
    table = metric_table(
        run,
        SHOWN,
        caption="Calibration, with 95% confidence intervals.",
        note=f"O/E: share with {of} over the mean score. An intercept above 0: {of} is more common than the scores"
        " predict. A slope below 1: scores are too extreme. Brier score: mean squared difference of score and outcome;"
        " 0 is perfect, and a constant score of 0.5 gives 0.25.",
    )
    decisions = gallery.by_target(
        "decision",
        [(each, target) for target in run.targets for each in run.cohorts],
        _decide,
        alt="Decision curve of the score",
        caption=f"Net benefit by the threshold from which on patients are treated as if they had {of}: true positives"
        " less false positives, these weighed by the odds of the threshold (Vickers and Elkin 2006). A score is of use"
        " where its curve lies above those of treating all and none.",
        columns=run.columns,
    )
    blocks: list[Block] = [figure, table, decisions]
    for each in run.external:
        found = [(target, updates(each, target)) for target in run.targets]
        blocks += _recalibration(each, [(target, offered) for target, offered in found if offered], gallery)
    return Section(anchor="calibration", title="Calibration", blocks=blocks)


def _paint(figure: Drawing, *, results: Results, target: Target) -> None:
    title, known = f"{results.title}\n{when(target)}", partial(judged, results.outcomes(target), target)
    calibration_curve.paint(figure, known=known, of=event(target), title=title)


def _decide(figure: Drawing, *, results: Results, target: Target) -> None:
    title, known = f"{results.title}\n{when(target)}", partial(judged, results.outcomes(target), target)
    calibration_curve.paint_decision(figure, known=known, title=title)


def judged(table: pd.DataFrame, target: Target) -> calibration_curve.Known:
    """The outcome and the scores of patients (columns score, label, of follow-up time and cause); EvaluationError where
    all have the same outcome.
    """
    known, outcome = known_outcome(table, target)
    return observed(outcome), known["score"].to_numpy(float)


@dataclass(frozen=True, kw_only=True)
class Update:
    """One way of updating the scores of a cohort: scores of patients it was not fitted on, and the fit on all of them.

    `known` has the columns of `judged`; `fitted` is None for the locked scores.
    """

    name: str
    known: pd.DataFrame
    fitted: Recalibration | None


def updates(results: Results, target: Target) -> list[Update]:
    """The locked scores and each update that can be fitted; nothing where patients of one class are too few."""
    known = results.outcomes(target)
    if known["label"].value_counts().reindex([0.0, 1.0], fill_value=0).min() < FOLDS:
        return []
    offered = [Update(name="As locked", known=known, fitted=None)]
    for name, slope in UPDATES.items():
        try:
            outcome, score = judged(known, target)
            fitted = recalibrate(outcome, score=score, slope=slope)
            offered.append(Update(name=name, known=cross_validated(known, target, slope=slope), fitted=fitted))
        except EvaluationError:
            continue
    return offered


def cross_validated(known: pd.DataFrame, target: Target, *, slope: bool) -> pd.DataFrame:
    """Patients as `judged` takes them with updated scores, each patient's by a fit on the other folds."""
    strata, score = known["label"].fillna(0).to_numpy(), known["score"].to_numpy(float)
    updated = score.copy()
    dealer = StratifiedKFold(n_splits=FOLDS, shuffle=True, random_state=SEED)
    for others, held_out in dealer.split(strata, strata):
        outcome, own = judged(known.iloc[others], target)
        updated[held_out] = recalibrate(outcome, score=own, slope=slope).apply(score[held_out])
    return known.assign(score=updated)


def _recalibration(results: Results, found: list[tuple[Target, list[Update]]], gallery: Gallery) -> list[Block]:
    """Curves (of one target) and numbers of the locked scores beside those of the updates."""
    name = str(results.cohort["name"])
    if not found:
        of = event(results.targets[0])
        text = f"{name}: fewer than {FOLDS} patients with or without {of}; an update cannot be judged."
        return [Text(text=text, tone="note")]
    text = (
        f"Recalibration for {name}, offered and {NOT_APPLIED}. Scores can be shifted (intercept), or shifted and"
        " stretched (intercept and slope), on the log-odds scale until they are correct on average in that cohort. The"
        " order of patients does not change (slope above 0), and neither do AUROC and other statistics of their order."
        f" The scores shown were updated by a fit on {FOLDS - 1} of {FOLDS} parts of the patients and judged on the"
        " remaining part, in turn, because an update judged on the patients it was fitted on appears better than it is."
    )
    text += caution(found)
    target, shown = found[0]
    panels = [
        gallery.draw(
            f"recalibration_{_key(each)}_{results.key}",
            partial(
                calibration_curve.paint,
                known=partial(judged, each.known, target),
                of=event(target),
                title=f"{each.name}\n{when(target)}",
            ),
            alt=f"Calibration curve of {name}, {each.name.lower()}, for {about(target)}",
        )
        for each in shown
    ]
    caption = (
        f"External: {name}, score for {about(target)}. Calibration of the scores as locked, and after each update"
        f" ({NOT_APPLIED})."
    )
    return [Text(text=text), Figure(caption=caption, panels=panels, columns=3), _table(name, found)]


def caution(found: Sequence[tuple[Target, Sequence[Update]]]) -> str:
    """A sentence where an update would turn the order of patients round; else nothing."""
    turned = [about(target) for target, offered in found if any(e.fitted and e.fitted.slope <= 0 for e in offered)]
    said = f" Of {' and '.join(turned)} a slope is not above 0: that update turns the order round and is no remedy."
    return said if turned else ""


def _key(update: Update) -> str:
    return update.name.lower().removeprefix("as ").removesuffix(" updated").replace(" ", "_")


def _table(name: str, offers: list[tuple[Target, list[Update]]]) -> Table:
    rows = []
    for target, offered in offers:
        rows.append([heading(target)])
        for each in offered:
            outcome, score = judged(each.known, target)
            found = [judge(outcome, score=score) for judge in (brier, calibration_intercept, calibration_slope)]
            fit = [f"{each.fitted.intercept:+.3f}", f"{each.fitted.slope:.3f}"] if each.fitted else [NONE, NONE]
            rows.append([each.name, *map(str, found), *fit])
    return Table(
        caption=f"Recalibration for {name}: offered, {NOT_APPLIED}.",
        header=["", "Brier score", "Remaining intercept", "Remaining slope", "In practice: add", "In practice: times"],
        rows=rows,
        note="Brier score, intercept and slope (ideal: low, 0, 1) are those of the cross-validation, with 95% intervals"
        " that ignore the uncertainty of the update itself. In practice: multiply the log odds of a score by the slope"
        " and add the intercept. Both were fitted on all patients here and require confirmation in new patients before"
        " use.",
    )
