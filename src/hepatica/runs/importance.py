"""Importance: which variables the scores of a locked model of tables depend on, over the patients of some results."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from hepatica.cohort import Cohort, Target, TimeToEvent, patient_scores
from hepatica.evaluate import Risk
from hepatica.evaluate.survival.concordance import c_index_of_samples
from hepatica.protocol.plain import log_odds, logits_of, scores
from hepatica.runs.lock import LockedRun
from hepatica.saliency.grad_cam import evaluating
from hepatica.saliency.importance import integrated_gradients, partial_dependence, permutation_importance

MOST, DRAWN, MOST_PATIENTS, FEWEST = 20, 6, 1000, 2
"""Variables that are permuted, variables that are drawn, and patients, at most and at least. Ours."""

OF_VARIABLES = ("table", "visits", "genes")
"""Modalities whose stores read variables: claims are too many codes, and the others are pictures and spectra."""

OF_TASKS = ("binary", "survival", "quantities", "subtypes")

Score = Callable[[np.ndarray], np.ndarray]
Judge = Callable[[np.ndarray, np.ndarray], np.ndarray]

_AT_ONCE = 1 << 22
"""Values that a network reads at once. Ours."""


def importance(locked: LockedRun, cohort: Cohort, *, table: pd.DataFrame, folder: Path) -> dict[str, Any] | None:
    """What matters to the primary score of the reported patients of a predictions table; None where there are hardly
    any.

    The network reads arrays (n, …, d) of a store whose `columns`, and `baseline` where it has some, name the last
    places of the last axis, and gives logits. Attributions: mean of the absolute integrated gradients from the mean
    patient, as shares; permutation importance of the MOST largest of them; partial dependence of the DRAWN that drop
    most.
    """
    task, target = locked.system.tasks(locked.settings)[0], locked.system.targets(locked.settings)[0]
    fold = "test" if "test" in set(table["fold"]) else "external"
    known = patient_scores(table, target=target, fold=fold).index[:MOST_PATIENTS]
    if locked.system.modality not in OF_VARIABLES or task.KIND not in OF_TASKS or len(known) < FEWEST:
        return None
    material = locked.system.prepare(cohort.select(known), locked.settings, folder)
    names = [*material.columns, *getattr(material, "baseline", ())]
    material = getattr(material, "at_landmark", lambda: material)()  # of visits, one history a patient
    values, read = material.read(np.arange(len(material))), _reader(locked)
    first, shares = values.shape[-1] - len(names), _shares(locked, values)
    statistic, judge = _statistic(cohort, target, material.index["patient_id"])
    if judge and not np.isfinite(judge(read(values), np.ones((1, len(values)), int))[0]):
        statistic, judge = "", None
    rows = [
        {"name": names[column - first], "attribution": float(shares[column])}
        | (asdict(drop) if drop else {})
        | ({"dependence": _drawn(read, values, column)} if place < DRAWN else {})
        for place, (column, drop) in enumerate(_ranked(read, values, shares=shares, first=first, judge=judge))
    ]
    return {"target": target.key, "statistic": statistic, "patients": len(values), "variables": rows}


def _ranked(read: Score, values: np.ndarray, *, shares: np.ndarray, first: int, judge: Judge | None) -> list[Any]:
    """Variables of most attribution, by number, with the importance of each where there is a statistic.

    Those that the network does not read have none and are left out, but for the first.
    """
    measured = np.isfinite(values).reshape(-1, values.shape[-1]).any(axis=0)
    ordered = np.argsort(-shares[first:], kind="stable")[:MOST] + first
    largest = [int(each) for each in ordered if measured[each] and (shares[each] > 0 or each == ordered[0])]
    found = permutation_importance(read, values, columns=largest, statistic=judge) if judge else [None] * len(largest)
    return sorted(zip(largest, found, strict=True), key=lambda each: -each[1].value if each[1] else 0.0)


def _drawn(read: Score, values: np.ndarray, column: int) -> dict[str, list[float]]:
    found = partial_dependence(read, values, column=column)
    return {name: each.tolist() for name, each in asdict(found).items()}


def _reader(locked: LockedRun) -> Score:
    """The first score of values (n, …)."""
    convert = scores(locked.system.tasks(locked.settings)[0])

    def read(values: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), evaluating(locked.network):
            found = [convert(logits_of(locked.network(torch.from_numpy(each))))[:, 0] for each in _parts(values)]
        return torch.cat(found).double().numpy()

    return read


def _parts(values: np.ndarray) -> list[np.ndarray]:
    return np.array_split(values, min(len(values), -(-values.size // _AT_ONCE)))


def _shares(locked: LockedRun, values: np.ndarray) -> np.ndarray:
    """Mean absolute attribution (d,) as shares of their sum."""
    task = locked.system.tasks(locked.settings)[0]
    first = len(task.targets) > 1 or task.KIND == "subtypes"
    cells, sums = values.reshape(-1, values.shape[-1]), np.zeros(values.shape[-1])
    known = np.isfinite(cells)
    baseline = np.where(known, cells, 0).sum(axis=0) / known.sum(axis=0).clip(min=1)
    for part in _parts(values):
        target = (lambda read: logits_of(read)[:, 0]) if first else log_odds
        found = integrated_gradients(locked.network, part, baseline=baseline, target=target)
        sums += np.abs(found).reshape(-1, values.shape[-1]).sum(axis=0)
    return np.asarray(sums / max(sums.sum(), 1e-12))


def _statistic(cohort: Cohort, target: Target, patients: pd.Series) -> tuple[str, Judge | None]:
    """Name and function of the statistic that a variable may lower; None where the outcome has neither.

    AUROC is the C-index of a diagnosis that comes at once or never; patients whose diagnosis is unknown do not count.
    """
    endpoint, table = cohort.endpoints.get(target.endpoint), cohort.patients.loc[patients]
    if isinstance(endpoint, TimeToEvent):
        time, event, known = table[endpoint.time].to_numpy(float), (table[endpoint.event] == 1).to_numpy(), True
    elif target.task != "binary":
        return "", None
    else:
        label = cohort.label(target).loc[patients].to_numpy(float)
        time, event, known = np.where(label == 1, 0.0, 1.0), label == 1, np.isfinite(label)

    def judge(scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return c_index_of_samples(time, event=event, score=Risk(scores), counts=counts * known)

    return "C-index" if isinstance(endpoint, TimeToEvent) else "AUROC", judge
