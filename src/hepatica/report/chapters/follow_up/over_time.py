"""Over time: the AUROC of the score at several horizons against that of every other factor."""

import pandas as pd

from hepatica.evaluate import Estimate, at_horizon, auroc, compare_auroc
from hepatica.report.chapters.follow_up.factors import terms
from hepatica.report.chapters.follow_up.survival import HORIZONS
from hepatica.report.page import TRAINED_ON, Gallery, Results, Run, Section, Table, Text
from hepatica.report.page.wording import NONE, attempt, cell, difference, p_value

METHOD = (
    "A factor counts in the direction in which its AUROC is above one half in the training and tuning patients."
    " Differences are of the same patients, those in whom the factor is known, and are not corrected for the number of"
    " factors."
)


def section(run: Run, gallery: Gallery, *, remark: str = "") -> Section:
    """A table a cohort and horizon that its follow-up allows; `remark` is what a paper reports."""
    tables = [_table(run, results, horizon) for results in run.cohorts for horizon in HORIZONS]
    return Section(
        anchor="over_time",
        title="Time-dependent AUROC beside every factor",
        blocks=[Text(text=f"{remark}{METHOD}"), *(each for each in tables if each is not None)],
    )


def _table(run: Run, results: Results, horizon: float) -> Table | None:
    outcomes = results.outcomes(run.targets[0])
    training = pd.concat([run.internal.outcomes(run.targets[0], fold=each) for each in TRAINED_ON])
    names = [name for name in run.internal.covariates() if name in results.patients]
    own = terms(results.patients.loc[outcomes.index], names, reference=run.internal.patients)
    reference = terms(run.internal.patients.loc[training.index], names, reference=run.internal.patients)
    score = _auroc(outcomes, outcomes["score"], horizon)
    if score is None:
        return None
    rows = [["Risk score", cell(score), NONE, ""]]
    for name, values in own.items():
        trained = _auroc(training, reference[name], horizon) if name in reference else None
        sign = -1 if trained is not None and trained.value < 0.5 else 1
        rows.append([str(name), *_beside(outcomes, sign * values, horizon)])
    return Table(
        caption=f"{results.title}: AUROC at {horizon:g} months, with 95% confidence intervals.",
        header=["", "AUROC", "Risk score minus this", "P"],
        rows=rows,
    )


def _auroc(outcomes: pd.DataFrame, values: "pd.Series[float]", horizon: float) -> Estimate | None:
    """None where these patients do not give it."""
    known = values.dropna()
    own = outcomes.loc[known.index]
    found = attempt(lambda: auroc(at_horizon(own["time"], event=own["cause"], horizon=horizon), score=known))
    return None if isinstance(found, str) else found


def _beside(outcomes: pd.DataFrame, values: "pd.Series[float]", horizon: float) -> list[str]:
    own = outcomes.loc[values.dropna().index]
    ours, theirs = own["score"].to_numpy(float), values.dropna().to_numpy(float)
    found = attempt(
        lambda: compare_auroc(
            at_horizon(own["time"], event=own["cause"], horizon=horizon), score_a=ours, score_b=theirs
        )
    )
    if isinstance(found, str):
        return [NONE, NONE, ""]
    return [cell(_auroc(outcomes, values, horizon)), difference(found), p_value(found.p)]
