"""By task: the statistics of one fold of a predictions table, chosen by the task of each target."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from hepatica.cohort import (
    Classes,
    Cohort,
    EvaluationError,
    LesionClasses,
    Measured,
    Target,
    TimeToEvent,
    class_scores,
    lesion_scores,
    patient_scores,
    targets,
)
from hepatica.cohort.predictions import LESION
from hepatica.cohort.tasks import Kind
from hepatica.evaluate.binary.binary import AT_A_CUTOFF, binary_metrics
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.groups.agreement import quantity_metrics
from hepatica.evaluate.multiclass.metrics import multiclass_metrics
from hepatica.evaluate.observed import Outcome, at_horizon
from hepatica.evaluate.segmentation.cases import SCALES, segmentation_metrics
from hepatica.evaluate.segmentation.instances import OF_INSTANCES
from hepatica.evaluate.segmentation.lesions import Detections, froc
from hepatica.evaluate.survival.survival import subtype_metrics, survival_metrics

EVEN_ODDS = 0.5
"""The cut-off at which papers count their confusion matrices; groups are formed at the locked cut-off."""

Found = Iterator[tuple[float | None, dict[str, Estimate]]]
"""Statistics with the cut-off they depend on, None where they depend on none."""


def task_metrics(table: pd.DataFrame, *, cohort: Cohort, cutoffs: dict[str, float], fold: str) -> list[dict[str, Any]]:
    """One row a statistic of the patients of one fold: fold, target, cut-off, metric and its estimate.

    The cut-off is None for statistics over all cut-offs; calls are given at even odds and at the locked cut-off. A
    statistic the data cannot give (one class, no event) is one row whose value is None and whose method says why.
    """
    return [
        {"fold": fold, "target": target.key, "cutoff": cutoff, "metric": name} | estimate.as_dict()
        for target in targets(table)
        if target.task in METRICS
        for cutoff, found in METRICS[target.task](table, cohort, target, cutoffs.get(target.key), fold)
        for name, estimate in found.items()
    ]


def _binary(table: pd.DataFrame, cohort: Cohort, target: Target, locked: float | None, fold: str) -> Found:
    scores = patient_scores(table, target=target, fold=fold)["score"]
    calls = set(AT_A_CUTOFF)
    at_even, at_locked = (
        _or_absent("auroc", len(scores), partial(_against_outcome, scores, cohort, target, cutoff=each))
        for each in (EVEN_ODDS, EVEN_ODDS if locked is None else locked)
    )
    yield None, {name: each for name, each in at_even.items() if name not in calls}
    yield EVEN_ODDS, {name: each for name, each in at_even.items() if name in calls}
    yield locked, {name: each for name, each in at_locked.items() if name in calls}
    yield from _survival(table, cohort, target, locked, fold)


def _against_outcome(scores: pd.Series, cohort: Cohort, target: Target, *, cutoff: float) -> dict[str, Estimate]:
    endpoint, patients = cohort.endpoint(target.endpoint), cohort.patients.loc[scores.index]
    table = pd.DataFrame({"score": scores.astype(float), "label": endpoint.label(patients, horizon=target.horizon)})
    if isinstance(endpoint, TimeToEvent):
        table = table.assign(time=patients[endpoint.time], cause=patients[endpoint.event])
    known, outcome = known_outcome(table, target)
    return binary_metrics(outcome, score=known["score"].to_numpy(), cutoff=cutoff)


def known_outcome(table: pd.DataFrame, target: Target) -> tuple[pd.DataFrame, Outcome]:
    """The patients who enter the statistics of a binary target, and what is known of their outcome.

    `table` has the columns label, and of follow-up time and cause. To a horizon all patients enter, and those censored
    before it are weighed for (`at_horizon`); else those whose label is known. EvaluationError where no patient is
    known to have had, or not to have had, the event by the horizon.
    """
    if "time" in table and target.horizon is not None:
        return table, at_horizon(table["time"], event=table["cause"], horizon=target.horizon)
    known = table.dropna(subset=["label"])
    return known, known["label"].to_numpy()


def _survival(table: pd.DataFrame, cohort: Cohort, target: Target, locked: float | None, fold: str) -> Found:
    endpoint = cohort.endpoint(target.endpoint)
    if not isinstance(endpoint, TimeToEvent):
        return
    scores = patient_scores(table, target=target, fold=fold)["score"]
    patients = cohort.patients.loc[scores.index]
    time, event = patients[endpoint.time].to_numpy(), (patients[endpoint.event] == 1).to_numpy(int)
    found = _or_absent(
        "c_index",
        len(scores),
        lambda: survival_metrics(time, event=event, score=scores.to_numpy(), cutoff=locked),
    )
    over_all = {"c_index"}
    yield None, {name: each for name, each in found.items() if name in over_all}
    yield locked, {name: each for name, each in found.items() if name not in over_all}


def _multi_class(table: pd.DataFrame, cohort: Cohort, target: Target, locked: float | None, fold: str) -> Found:
    endpoint = cohort.endpoint(target.endpoint)
    scores = class_scores(table, target=target, fold=fold)
    if isinstance(endpoint, Classes) and len(scores):
        label = cohort.patients.loc[scores.index, endpoint.column].dropna()
        names = tuple(str(name) for name in endpoint.classes)
        known = scores.loc[label.index, list(names)].to_numpy()
        yield (
            None,
            _or_absent(
                "auroc_macro",
                len(label),
                lambda: multiclass_metrics(label.to_numpy(), score=known, classes=names, ordered=endpoint.ordered),
            ),
        )

    if isinstance(endpoint, LesionClasses):
        yield None, _lesions(table, cohort, target, endpoint, fold)


def _lesions(
    table: pd.DataFrame, cohort: Cohort, target: Target, endpoint: LesionClasses, fold: str
) -> dict[str, Estimate]:
    """The same of single lesions, `lesion_` before each name; intervals rest on patients."""
    scores = lesion_scores(table, target=target, fold=fold)
    label = cohort.lesions.set_index(LESION)[endpoint.lesion].reindex(scores.index).dropna()
    known, owner = scores.loc[label.index, list(endpoint.classes)], label.index.get_level_values("patient_id")
    found = _or_absent(
        "auroc_macro",
        owner.nunique(),
        lambda: multiclass_metrics(
            label.to_numpy(),
            score=known.to_numpy(),
            classes=endpoint.classes,
            ordered=endpoint.ordered,
            group=owner.to_numpy(),
        ),
    )
    return {f"lesion_{name}": each for name, each in found.items()}


def _subtypes(table: pd.DataFrame, cohort: Cohort, target: Target, locked: float | None, fold: str) -> Found:
    endpoint = cohort.endpoint(target.endpoint)
    scores = class_scores(table, target=target, fold=fold)
    if isinstance(endpoint, TimeToEvent) and len(scores):
        group = patient_scores(table, target=target, fold=fold)["group"].groupby(level=0).first().loc[scores.index]
        patients = cohort.patients.loc[scores.index]
        time, event = patients[endpoint.time].to_numpy(), (patients[endpoint.event] == 1).to_numpy(int)
        yield (
            None,
            _or_absent(
                "log_rank_p",
                len(scores),
                lambda: subtype_metrics(time, event=event, group=group.to_numpy(), share=scores.fillna(0).to_numpy()),
            ),
        )


def _quantities(table: pd.DataFrame, cohort: Cohort, target: Target, locked: float | None, fold: str) -> Found:
    endpoint = cohort.endpoints.get(target.endpoint)
    if isinstance(endpoint, Measured):
        scores = patient_scores(table, target=target, fold=fold)["score"]
        true = cohort.patients.loc[scores.index, endpoint.column].astype(float).dropna()
        measured = scores.loc[true.index].to_numpy()
        yield None, _or_absent("bias", len(true), lambda: quantity_metrics(measured, true=true.to_numpy()))


METRICS: dict[Kind, Callable[[pd.DataFrame, Cohort, Target, float | None, str], Found]] = {
    "binary": _binary,
    "multi_class": _multi_class,
    "survival": _survival,
    "quantities": _quantities,
    "margin": _quantities,
    "subtypes": _subtypes,
}
"""Statistics of each kind of task; of segmentations `case_metrics`."""


def case_metrics(cases: pd.DataFrame, *, patients: pd.Index, fold: str, target: Target) -> list[dict[str, Any]]:
    """One row a statistic and class of the measured cases of these patients, as `task_metrics` has them, such as
    `dice_liver`; intervals rest on patients; of lesions also the share that is hit, and false positives a scan.
    """
    own = cases[cases["patient_id"].isin(patients)]
    return [
        {"fold": fold, "target": target.key, "cutoff": None, "metric": f"{metric}_{name}"} | estimate.as_dict()
        for name, rows in own.groupby("class_or_quantity", sort=False)
        for metric, estimate in segmented(rows).items()
    ]


def segmented(rows: pd.DataFrame) -> dict[str, Estimate]:
    """Every statistic of the cases of one class, by name: those columns that `segmentation_metrics` knows, and of
    lesions the share that is hit and the false positives a scan.
    """
    known = [name for name in SCALES | OF_INSTANCES if name in rows]
    found = segmentation_metrics(rows[known], group=rows["patient_id"])
    if not has_lesions(rows):
        return found
    (point,) = froc(scans_of(rows), thresholds=[-1e9], group=rows["patient_id"])
    return found | {"lesion_sensitivity": point.sensitivity, "false_positives": point.false_positives}


def has_lesions(rows: pd.DataFrame) -> bool:
    """Whether the lesions of these cases were matched one by one, and there is one."""
    known = "lesion_scores" in rows and rows["lesion_scores"].notna().all()
    return bool(known and any(len(each) for each in rows["lesion_scores"]))


def scans_of(rows: pd.DataFrame) -> list[Detections]:
    """The detections of each case, for `froc`."""
    pairs = zip(rows["lesion_scores"], rows["false_positives"], strict=True)
    return [Detections(lesions=np.asarray(a, float), false_positives=np.asarray(b, float)) for a, b in pairs]


def _or_absent(metric: str, n: int, compute: Callable[[], dict[str, Estimate]]) -> dict[str, Estimate]:
    try:
        return compute()
    except EvaluationError as error:
        return {metric: Estimate(value=float("nan"), low=None, high=None, n=n, method=str(error))}
