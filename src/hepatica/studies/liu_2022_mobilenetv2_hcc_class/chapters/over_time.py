"""Over time: the AUROC of the score at several horizons against that of every other factor."""

import pandas as pd

from hepatica.cohort import EvaluationError
from hepatica.evaluate import Risk, compare_time_dependent_auroc, time_dependent_auroc
from hepatica.report.chapters.follow_up.factors import terms
from hepatica.report.chapters.follow_up.survival import HORIZONS
from hepatica.report.page import Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.results import TRAINED_ON
from hepatica.report.page.wording import NONE, cell, difference, p_value

TEXT = (
    "The paper states that the classifier had a higher time-dependent AUC than the other factors in the transplanted"
    " patients and in TCGA; the abstract gives no values. A factor counts in the direction in which its AUROC is above"
    " one half in the training and tuning patients. Differences are of the same patients, those in whom the factor is"
    " known, and are not corrected for the number of factors."
)


def section(run: Run, gallery: Gallery) -> Section:
    """A table a cohort and horizon that its follow-up allows."""
    tables = [_table(run, results, horizon) for results in run.cohorts for horizon in HORIZONS]
    return Section(
        anchor="over_time",
        title="Time-dependent AUROC beside every factor",
        blocks=[Text(text=TEXT), *(each for each in tables if each is not None)],
    )


def _table(run: Run, results: Results, horizon: float) -> Table | None:
    outcomes = results.outcomes(run.targets[0])
    training = pd.concat([run.internal.outcomes(run.targets[0], fold=each) for each in TRAINED_ON])
    names = [name for name in run.internal.covariates() if name in results.patients]
    own = terms(results.patients.loc[outcomes.index], names, reference=run.internal.patients)
    reference = terms(run.internal.patients.loc[training.index], names, reference=run.internal.patients)
    score = _auroc(outcomes, outcomes["score"], horizon)
    if score == NONE:
        return None
    rows = [["Risk score", score, NONE, ""]]
    for name, values in own.items():
        sign = _direction(training, reference.get(name), horizon)
        rows.append([str(name), *_beside(outcomes, sign * values, horizon)])
    return Table(
        caption=f"{results.title}: AUROC at {horizon:g} months, with 95% confidence intervals.",
        header=["", "AUROC", "Risk score minus this", "P"],
        rows=rows,
    )


def _direction(outcomes: pd.DataFrame, values: "pd.Series[float] | None", horizon: float) -> int:
    """1 or -1; 1 where the training patients do not tell."""
    if values is None:
        return 1
    known = values.dropna()
    followed = outcomes.loc[known.index]
    try:
        found = time_dependent_auroc(
            followed["time"], event=followed["event"], score=Risk(known.to_numpy(float)), horizon=horizon
        )
    except EvaluationError:
        return 1
    return -1 if found.value < 0.5 else 1


def _auroc(outcomes: pd.DataFrame, values: "pd.Series[float]", horizon: float) -> str:
    score = Risk(values.to_numpy(float))
    try:
        return cell(time_dependent_auroc(outcomes["time"], event=outcomes["event"], score=score, horizon=horizon))
    except EvaluationError:
        return NONE


def _beside(outcomes: pd.DataFrame, values: "pd.Series[float]", horizon: float) -> tuple[str, str, str]:
    known = values.dropna()
    followed = outcomes.loc[known.index]
    ours, theirs = Risk(followed["score"].to_numpy(float)), Risk(known.to_numpy(float))
    try:
        found = compare_time_dependent_auroc(
            followed["time"], event=followed["event"], score_a=ours, score_b=theirs, horizon=horizon
        )
    except EvaluationError:
        return NONE, NONE, ""
    return _auroc(followed, known, horizon), difference(found), p_value(found.p)
