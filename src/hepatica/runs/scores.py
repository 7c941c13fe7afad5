"""Scores: from what a network says of specimens to the predictions table of patients and its statistics."""

from typing import Any

import pandas as pd

from hepatica.cohort import Cohort, EvaluationError, Target, TimeToEvent, patient_scores, targets
from hepatica.cohort.predictions import as_predictions, is_about
from hepatica.evaluate import binary_metrics, survival_metrics
from hepatica.evaluate.binary.binary import AT_A_CUTOFF as CALLS
from hepatica.protocol import Inference, System

AT_A_CUTOFF = set(CALLS)

EVEN_ODDS = 0.5
"""The cut-off at which the paper counts its confusion matrices; groups are formed at the locked cut-off."""


def pooled(system: System[Any, Any], inference: Inference) -> pd.DataFrame:
    """Rows of specimens and, after them, rows of patients (their specimen_id missing); fold and group still open."""
    specimens = inference.specimens.astype({"specimen_id": "string"})
    patients = system.pool(specimens)
    patients["specimen_id"] = pd.array([pd.NA] * len(patients), dtype="string")
    return pd.concat([specimens, patients], ignore_index=True)


def median_cutoffs(patients: pd.DataFrame) -> dict[str, float]:
    """Median score of each target over patients, one row a patient and target."""
    found = targets(patients)
    return {each.key: float(patients.loc[is_about(patients, target=each), "score"].median()) for each in found}


def predictions(table: pd.DataFrame, *, folds: pd.Series, cutoffs: dict[str, float]) -> pd.DataFrame:
    """The finished predictions table: `folds` maps patient_id to fold, a score at or above its cut-off is `high`."""
    table = table.assign(fold=table["patient_id"].map(folds), group=None)
    for target in targets(table):
        rows = table["specimen_id"].isna() & is_about(table, target=target)
        high = table.loc[rows, "score"] >= cutoffs[target.key]
        table.loc[rows, "group"] = high.map({True: "high", False: "low"})
    return as_predictions(table)


def metrics(table: pd.DataFrame, *, cohort: Cohort, cutoffs: dict[str, float], fold: str) -> list[dict[str, Any]]:
    """One row a statistic of the patients of one fold: fold, target, cut-off, metric and its estimate.

    The cut-off is None for statistics over all cut-offs; others are given at even odds and at the locked cut-off. A
    statistic the data cannot give (one class, no event) is one row whose value is None and whose method says why. A
    diagnosis has no statistics of survival.
    """
    rows: list[dict[str, Any]] = []
    for target in targets(table):
        scores = patient_scores(table, target=target, fold=fold)["score"]
        locked = cutoffs[target.key]
        even, median = (_binary(scores, cohort, target, cutoff) for cutoff in (EVEN_ODDS, locked))
        survival = _survival(scores, cohort, target, locked)
        found = [(None, even, set(even) - AT_A_CUTOFF), (EVEN_ODDS, even, AT_A_CUTOFF), (locked, median, AT_A_CUTOFF)]
        found += [(None, survival, {"c_index"}), (locked, survival, set(survival) - {"c_index"})]
        rows += [
            {"fold": fold, "target": target.key, "cutoff": cutoff, "metric": name} | estimates[name]
            for cutoff, estimates, names in found
            for name in estimates
            if name in names
        ]
    return rows


def _binary(scores: pd.Series, cohort: Cohort, target: Target, cutoff: float) -> dict[str, dict[str, Any]]:
    label = cohort.label(target).loc[scores.index].dropna()
    try:
        found = binary_metrics(label.to_numpy(), score=scores.loc[label.index].to_numpy(), cutoff=cutoff)
    except EvaluationError as error:
        return _absent("auroc", len(label), error)
    return {name: estimate.as_dict() for name, estimate in found.items()}


def _survival(scores: pd.Series, cohort: Cohort, target: Target, cutoff: float) -> dict[str, dict[str, Any]]:
    endpoint = cohort.endpoint(target.endpoint)
    if not isinstance(endpoint, TimeToEvent):
        return {}
    patients = cohort.patients.loc[scores.index]
    try:
        found = survival_metrics(
            patients[endpoint.time].to_numpy(),
            event=patients[endpoint.event].to_numpy(),
            score=scores.to_numpy(),
            cutoff=cutoff,
        )
    except EvaluationError as error:
        return _absent("c_index", len(scores), error)
    return {name: estimate.as_dict() for name, estimate in found.items()}


def _absent(metric: str, n: int, error: EvaluationError) -> dict[str, dict[str, Any]]:
    return {metric: {"value": None, "low": None, "high": None, "n": n, "method": str(error), "level": 0.95}}
