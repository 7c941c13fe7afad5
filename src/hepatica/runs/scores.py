"""Scores: from what a network says of specimens to the predictions table of patients."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import Target, mean_by_patient, targets
from hepatica.cohort.applicability import NOT_ASSESSABLE, UNKNOWN
from hepatica.cohort.predictions import as_predictions, is_about
from hepatica.protocol import Inference, Material, System
from hepatica.protocol.domain import judged
from hepatica.runs.lock import LockedRun


def pooled(
    system: System[Any, Any],
    inference: Inference,
    *,
    settings: Any,
    failures: pd.DataFrame | None = None,
    judgement: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """`rows_of` what a system says of specimens."""
    asked = system.targets(settings)
    lesions = None if inference.lesions is None else _about(inference.lesions, asked)
    return rows_of(
        inference.specimens, asked, pool=system.pool, failures=failures, judgement=judgement, lesions=lesions
    )


def predicted(
    locked: LockedRun, material: Material, inference: Inference, *, folds: pd.Series, seen: set[str] | None = None
) -> pd.DataFrame:
    """The predictions table of what a locked model says of prepared specimens; see `rows_of` and `predictions`."""
    judgement = judged(locked.system, material, domain=locked.domain)
    rows = pooled(locked.system, inference, settings=locked.settings, failures=material.failures, judgement=judgement)
    return predictions(rows, folds=folds, cutoffs=locked.cutoffs, seen=seen)


def rows_of(
    specimens: pd.DataFrame,
    asked: tuple[Target, ...],
    *,
    pool: Callable[[pd.DataFrame], pd.DataFrame] = mean_by_patient,
    failures: pd.DataFrame | None = None,
    judgement: pd.DataFrame | None = None,
    lesions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Rows of specimens, after them rows of patients (their specimen_id missing), and of `lesions` last; fold and group
    still open.

    A specimen of `failures` has a row without a score for each target, with the reason; so has a patient who has no
    other specimen. A row without a score is not assessable, for the `reason` that it has. `judgement` has applicability
    and reason of the others by specimen_id; a patient is as unusual as the most unusual of their specimens.
    """
    specimens = _about(specimens.astype({"specimen_id": "string"}), asked)
    patients = pool(specimens)
    patients["specimen_id"] = pd.array([pd.NA] * len(patients), dtype="string")
    parts = [specimens, patients] if lesions is None else [specimens, patients, lesions]
    found = pd.concat(parts, ignore_index=True).astype({"score": "float64"})
    found = found.assign(**_applicable(found, judgement))
    if failures is None or failures.empty:
        return found
    return pd.concat([found, rows_lost(failures, asked, scored=set(patients["patient_id"]))], ignore_index=True)


def _applicable(found: pd.DataFrame, judgement: pd.DataFrame | None) -> dict[str, pd.Series]:
    """Columns applicability and reason of rows of specimens and patients."""
    whole, scored = found["specimen_id"].isna(), found["score"].notna()
    own = found.get("reason", pd.Series(pd.NA, index=found.index, dtype="string"))
    if judgement is None:
        return {"applicability": scored.map({True: UNKNOWN, False: NOT_ASSESSABLE}), "reason": own}
    owners = found[~whole & scored].drop_duplicates("specimen_id").set_index("specimen_id")["patient_id"]
    known = judgement.reindex(owners.index).assign(patient_id=owners)
    worst = known.sort_values("reason", na_position="last", kind="stable").drop_duplicates("patient_id")
    of_patients = worst.set_index("patient_id")
    by_row = {
        name: found["specimen_id"].map(known[name]).mask(whole, found["patient_id"].map(of_patients[name]))
        for name in ("applicability", "reason")
    }
    return {
        "applicability": by_row["applicability"].where(scored, NOT_ASSESSABLE),
        "reason": by_row["reason"].where(scored, own),
    }


def _about(specimens: pd.DataFrame, asked: tuple[Target, ...]) -> pd.DataFrame:
    """The specimens with what each score is about, which a system of one target need not say."""
    if "endpoint" not in specimens:
        (target,) = asked
        horizon = np.nan if target.horizon is None else target.horizon
        specimens = specimens.assign(endpoint=target.endpoint, horizon_months=horizon)
    if "task" in specimens:
        return specimens
    task = pd.Series(pd.NA, index=specimens.index, dtype="string")
    for each in asked:
        task = task.mask(is_about(specimens, target=each) & task.isna(), each.task)
    return specimens.assign(task=task)


def rows_lost(failures: pd.DataFrame, asked: tuple[Target, ...], *, scored: Collection[str] = ()) -> pd.DataFrame:
    """Rows without a score, a target each, of specimens that failed, and of patients who are not among those scored."""
    rows = failures[["patient_id", "specimen_id"]].assign(reason=failures["error"], applicability=NOT_ASSESSABLE)
    whole = rows[~rows["patient_id"].isin(scored)].drop_duplicates("patient_id").assign(specimen_id=None)
    every = pd.concat([rows, whole]).assign(score=np.nan)
    return pd.concat(
        every.assign(
            task=each.task, endpoint=each.endpoint, horizon_months=np.nan if each.horizon is None else each.horizon
        )
        for each in asked
    )


def median_cutoffs(table: pd.DataFrame) -> dict[str, float]:
    """Median score of each target over patients, of a table of one row a patient and target, and rows of specimens."""
    patients = table[table["specimen_id"].isna()] if "specimen_id" in table else table
    found = targets(patients)
    return {each.key: float(patients.loc[is_about(patients, target=each), "score"].median()) for each in found}


def predictions(
    table: pd.DataFrame, *, folds: pd.Series, cutoffs: dict[str, float], seen: set[str] | None = None
) -> pd.DataFrame:
    """The finished predictions table: `folds` maps patient_id to fold; a score at or above its cut-off is `high`, and
    of several classes or subtypes the most probable is the group. `seen` are patients of training, by default those of
    its folds.
    """
    fold = table["patient_id"].map(folds)
    known = fold.isin(["train", "validation"]) if seen is None else table["patient_id"].isin(seen)
    table = table.assign(fold=fold, group=None, seen_in_training=known)
    for target in targets(table):
        rows = table["specimen_id"].isna() & is_about(table, target=target) & table["score"].notna()
        if target.key in cutoffs:
            high = table.loc[rows, "score"] >= cutoffs[target.key]
            table.loc[rows, "group"] = high.map({True: "high", False: "low"})
        elif target.task in ("multi_class", "subtypes") and rows.any():
            best = table[rows].loc[table[rows].groupby("patient_id")["score"].idxmax()]
            called = table.loc[rows, "patient_id"].map(best.set_index("patient_id")["class_or_quantity"])
            table.loc[rows, "group"] = called
    return as_predictions(table)
