"""Importance: which variables the scores of a locked model of tables depend on, over the patients of some results."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from hepatica.cohort import Cohort, EvaluationError, Target, TimeToEvent, patient_scores
from hepatica.evaluate import Risk, auroc, c_index
from hepatica.protocol.plain import logits_of, scores
from hepatica.runs.lock import LockedRun
from hepatica.saliency.attribution import integrated_gradients
from hepatica.saliency.importance import partial_dependence, permutation_importance
from hepatica.saliency.slopes import evaluating

MOST, DRAWN, MOST_PATIENTS, FEWEST = 20, 6, 1000, 2
"""Variables that are permuted, variables that are drawn, and patients, at most and at least. Ours."""

_AT_ONCE = 1 << 22
"""Values that a network reads at once: of a history of 108 months and 998 codes, 38 patients. Ours."""


def variables_of(material: Any) -> list[str] | None:
    """Names of what lies along the last axis of what a store of tables reads, counted from its end.

    They are its `columns` and `baseline`; None for any other store.
    """
    if not hasattr(material, "columns"):
        return None
    return [*material.columns, *getattr(material, "baseline", ())]


def importance(locked: LockedRun, cohort: Cohort, *, table: pd.DataFrame, folder: Path) -> dict[str, Any] | None:
    """What matters to the primary score of the reported patients of a predictions table; None where there are hardly
    any.

    Attributions: mean of the absolute integrated gradients from the mean patient, as shares; permutation importance of
    the MOST largest of them; partial dependence of the DRAWN that drop most.
    """
    target = locked.system.targets(locked.settings)[0]
    fold = "test" if "test" in set(table["fold"]) else "external"
    known = patient_scores(table, target=target, fold=fold).index[:MOST_PATIENTS]
    if len(known) < FEWEST:
        return None
    material = locked.system.prepare(cohort.select(known), locked.settings, folder)
    names = variables_of(material) or []
    material = getattr(material, "at_landmark", lambda: material)()
    values = material.read(np.arange(len(material)))
    read, cells = _reader(locked), values.reshape(-1, values.shape[-1])
    known = np.isfinite(cells)
    mean = np.where(known, cells, 0).sum(axis=0) / known.sum(axis=0).clip(min=1)
    shares = _shares(locked, values, baseline=mean)
    first = values.shape[-1] - len(names)
    largest = np.argsort(-shares[first:], kind="stable")[:MOST] + first
    largest = largest[known.any(axis=0)[largest]]
    statistic, judge = _statistic(cohort, target, material.index["patient_id"])
    if judge and not np.isfinite(judge(np.arange(len(values)), read(values))):
        statistic, judge = "", None
    drops = permutation_importance(read, values, columns=largest.tolist(), statistic=judge) if judge else []
    order = np.argsort([-each.value for each in drops], kind="stable") if drops else np.arange(len(largest))
    rows = [
        {"name": names[largest[k] - first], "attribution": float(shares[largest[k]])}
        | (asdict(drops[k]) if drops else {})
        | ({"dependence": _drawn(read, values, int(largest[k]))} if place < DRAWN else {})
        for place, k in enumerate(order)
    ]
    return {"target": target.key, "statistic": statistic, "patients": len(values), "variables": rows}


def _drawn(read: Callable[[np.ndarray], np.ndarray], values: np.ndarray, column: int) -> dict[str, list[float]]:
    found = partial_dependence(read, values, column=column)
    return {name: each.tolist() for name, each in asdict(found).items()}


def _reader(locked: LockedRun) -> Callable[[np.ndarray], np.ndarray]:
    """The first score of values (n, …)."""
    convert = scores(locked.system.tasks(locked.settings)[0])

    def read(values: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), evaluating(locked.network):
            found = [convert(logits_of(locked.network(torch.from_numpy(each))))[:, 0] for each in _parts(values)]
        return torch.cat(found).double().numpy()

    return read


def _parts(values: np.ndarray) -> list[np.ndarray]:
    return np.array_split(values, min(len(values), -(-values.size // _AT_ONCE)))


def _shares(locked: LockedRun, values: np.ndarray, *, baseline: np.ndarray) -> np.ndarray:
    """Mean absolute attribution (d,) as shares of their sum."""
    output = -1 if _two(locked) else 0
    sums = np.zeros(values.shape[-1])
    for part in _parts(values):
        found = integrated_gradients(
            locked.network, part, baseline=baseline, target=lambda read: logits_of(read)[:, output]
        )
        sums += np.abs(found).reshape(-1, values.shape[-1]).sum(axis=0)
    return np.asarray(sums / max(sums.sum(), 1e-12))


def _two(locked: LockedRun) -> bool:
    """Whether the last output is the one scored: of the two of a binary task, or of one alone; else it is the first."""
    targets = locked.system.targets(locked.settings)
    return len(targets) == 1 and targets[0].task != "subtypes"


def _statistic(
    cohort: Cohort, target: Target, patients: pd.Series
) -> tuple[str, Callable[[np.ndarray, np.ndarray], float] | None]:
    """Name and function of the statistic that a variable may lower; None where the outcome has neither."""
    endpoint, table = cohort.endpoints.get(target.endpoint), cohort.patients.loc[patients]
    if isinstance(endpoint, TimeToEvent):
        time, event = table[endpoint.time].to_numpy(float), (table[endpoint.event] == 1).to_numpy()
        return "C-index", lambda rows, found: _value(lambda: c_index(time[rows], event=event[rows], score=Risk(found)))
    if target.task != "binary":
        return "", None
    label = cohort.label(target).loc[patients].to_numpy(float)
    known = np.isfinite(label)
    return "AUROC", lambda rows, found: _value(lambda: auroc(label[rows][known[rows]], score=found[known[rows]]))


def _value(compute: Callable[[], Any]) -> float:
    try:
        return float(compute().value)
    except EvaluationError:
        return float("nan")
