"""Indicators: the columns and patients that enter a clinical model, beside the risk of the signature."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_numeric_dtype

from hepatica.cohort import Target, patient_scores
from hepatica.report.page import Block, Results, Run, Text
from hepatica.report.page.wording import column, patients

SIGNATURE, TOGETHER, INTEGRATED = "Signature", "All indicators (LR)", "Indicators and signature (LR)"


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
    """Reported patients of a cohort, label known or not: covariates, outcomes, and as SIGNATURE the score."""
    outcomes = results.outcomes(target)
    covariates = results.patients.loc[outcomes.index, results.covariates()]
    return covariates.join(outcomes[["time", "event", "cause", "label"]]).assign(**{SIGNATURE: outcomes["score"]})


def recorded(names: Sequence[str], *tables: pd.DataFrame) -> list[str]:
    """The indicators that every one of these tables has values of, all of them numbers or all of them text."""
    found = [name for name in names if all(name in each and each[name].notna().any() for each in tables)]
    return [name for name in found if len({is_numeric_dtype(each[name]) for each in tables}) == 1]


def candidates(names: Sequence[str]) -> dict[str, list[str]]:
    """Columns of each logistic regression, by its name; none of all together where there is one indicator."""
    alone = {column(name): [name] for name in names}
    together = {TOGETHER: list(names)} if len(names) > 1 else {}
    return alone | together | ({INTEGRATED: [*names, SIGNATURE]} if names else {})


def coverage_notes(known: Known) -> list[Block]:
    """Which indicators a cohort does not have, and how many patients have gaps in the others."""
    blocks: list[Block] = []
    for each in known.run.cohorts:
        has = recorded(known.indicators, known.run.internal.patients, each.reported)
        lacks = [column(name) for name in known.indicators if name not in has]
        gaps = int(each.reported[has].isna().any(axis=1).sum())
        lacking = "has all indicators"
        if lacks:
            lacking = f"lacks {', '.join(lacks)} (or codes it otherwise); its regressions are fitted without"
        text = f"{each.title} {lacking}. Gaps were filled for {patients(gaps)} of {len(each.reported)}."
        blocks.append(Text(text=text, tone="note"))
    return blocks
