"""By task: each target has the statistics of its kind of task and no others, of patients whose outcome is known."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from hepatica.cohort import Classes, Cohort, Endpoint, LesionClasses, Measured, Status, TimeToEvent
from hepatica.cohort.predictions import as_predictions
from hepatica.evaluate.binary.binary import binary_metrics
from hepatica.evaluate.by_task import EVEN_ODDS, task_metrics
from hepatica.evaluate.groups.agreement import quantity_metrics
from hepatica.evaluate.multiclass.metrics import multiclass_metrics
from hepatica.evaluate.observed import at_horizon
from hepatica.evaluate.survival.survival import survival_metrics

LABELS = [1, 1, 1, 0, 0, None, 1, 0]
SCORES = [0.9, 0.8, 0.4, 0.6, 0.1, 0.99, 0.7, 0.2]


def cohort_of(endpoint: Endpoint, **columns: Any) -> Cohort:
    count = len(next(iter(columns.values())))
    patients = pd.DataFrame(columns, index=pd.Index([f"P{n}" for n in range(count)], name="patient_id"))
    return Cohort(
        name="x",
        hospital="x",
        phantom=True,
        notes="",
        digest="",
        endpoints={endpoint.name: endpoint},
        patients=patients,
        specimens=(),
    )


def table_of(cohort: Cohort, score: Any, *, task: str, horizon: float | None = None, **columns: Any) -> pd.DataFrame:
    """Rows of patients, after one of a specimen and one of a patient of another fold, which must not count."""
    (endpoint,) = cohort.endpoints
    rows = pd.DataFrame({"patient_id": cohort.patients.index, "score": score, "fold": "test"} | columns)
    specimen = rows.iloc[:1].assign(specimen_id="S1", score=1 - rows["score"].iloc[0])
    other = rows.iloc[:1].assign(fold="train", patient_id="P9")
    rows = pd.concat([specimen, other, rows.assign(specimen_id=None)], ignore_index=True)
    return as_predictions(rows.assign(endpoint=endpoint, horizon_months=horizon, task=task, group=None))


def found(table: pd.DataFrame, cohort: Cohort, cutoffs: Mapping[str, float]) -> dict[tuple[str, float | None], Any]:
    """Value by metric and cut-off."""
    rows = task_metrics(table, cohort=cohort, cutoffs=dict(cutoffs), fold="test")
    assert {(row["fold"], row["target"]) for row in rows} == {("test", rows[0]["target"])}
    values = {(row["metric"], row["cutoff"]): row["value"] for row in rows}
    assert len(values) == len(rows)
    return values


@pytest.fixture
def diagnosed() -> Cohort:
    return cohort_of(Status(name="hcc", column="is_hcc"), is_hcc=LABELS)


def test_a_diagnosis_has_no_survival_and_leaves_the_unknown_out(diagnosed: Cohort) -> None:
    table = table_of(diagnosed, SCORES, task="binary", horizon=0)
    values = found(table, diagnosed, {"hcc": 0.65})
    assert not [name for name, _ in values if name in ("c_index", "hazard_ratio", "log_rank_p")]
    assert values["auroc", None] == pytest.approx(11 / 12)  # one of 4 x 3 pairs is the wrong way round
    assert values["sensitivity", EVEN_ODDS] == values["sensitivity", 0.65] == 0.75
    assert values["specificity", EVEN_ODDS] == pytest.approx(2 / 3)
    assert values["specificity", 0.65] == 1
    known = np.array([label is not None for label in LABELS])
    label, score = np.array(LABELS)[known].astype(int), np.array(SCORES)[known]
    assert {name for name, _ in values} == set(binary_metrics(label, score=score))


def test_one_class_is_a_reason_instead_of_a_value(diagnosed: Cohort) -> None:
    table = table_of(diagnosed, SCORES, task="binary", horizon=0)
    rows = task_metrics(
        table[table["patient_id"].isin(["P0", "P1", "P2"])], cohort=diagnosed, cutoffs={"hcc": 0.65}, fold="test"
    )
    assert rows
    assert {row["value"] for row in rows} == {None}
    assert all(row["method"] for row in rows)


def test_a_patient_without_a_score_is_left_out(diagnosed: Cohort) -> None:
    table = table_of(diagnosed, SCORES, task="binary", horizon=0)
    lost = table.assign(score=table["score"].where(table["patient_id"] != "P3"))
    assert found(lost, diagnosed, {})["auroc", None] == 1  # P3 was the one ranked the wrong way round


@pytest.fixture
def followed() -> Cohort:
    rng = np.random.default_rng(0)
    endpoint = TimeToEvent(name="death", time="months", event="event")
    return cohort_of(endpoint, months=rng.exponential(24, 30), event=rng.integers(0, 3, 30))


@pytest.mark.parametrize("cutoffs", [{"death": 0.3}, {}])
def test_a_risk_has_survival_alone_and_a_competing_event_is_none(followed: Cohort, cutoffs: dict[str, float]) -> None:
    score = np.random.default_rng(1).normal(size=30)
    values = found(table_of(followed, score, task="survival"), followed, cutoffs)
    cutoff = cutoffs.get("death")
    time, event = followed.patients["months"], followed.patients["event"] == 1
    wanted = survival_metrics(time, event=event.astype(int), score=score, cutoff=cutoff)
    assert set(wanted) == {"c_index", "log_rank_p", "hazard_ratio", "hazard_ratio_p", "proportional_hazards_p"}
    keys = {name: (name, None if name == "c_index" else cutoff) for name in wanted}
    assert values == {keys[name]: pytest.approx(each.value) for name, each in wanted.items()}


def test_an_event_by_a_horizon_has_both(followed: Cohort) -> None:
    score = expit(np.random.default_rng(1).normal(size=30))
    values = found(table_of(followed, score, task="binary", horizon=12), followed, {"death_12": 0.4})
    endpoint = followed.endpoint("death")
    assert isinstance(endpoint, TimeToEvent)
    time, event = (followed.patients[name] for name in (endpoint.time, endpoint.event))
    outcome = at_horizon(time, event=event, horizon=12)
    assert (outcome.weight == 0).any()
    wanted = binary_metrics(outcome, score=score)
    assert values["auroc", None] == pytest.approx(wanted["auroc"].value)
    assert values["ppv", 0.5] == pytest.approx(wanted["ppv"].value)
    assert ("hazard_ratio", 0.4) in values
    assert ("c_index", None) in values


@pytest.mark.parametrize("ordered", [False, True])
def test_classes_have_their_own_whatever_the_order_of_the_rows(*, ordered: bool) -> None:
    rng, names = np.random.default_rng(2), ("none", "low", "high")
    score = rng.dirichlet(np.ones(3), 24)
    label = rng.integers(0, 3, 24)
    grades = pd.Series([names[each] for each in label], dtype=object)
    grades[5] = None
    endpoint = Classes(name="grade", column="grade", classes=names, ordered=ordered)
    cohort = cohort_of(endpoint, grade=grades.to_numpy())
    parts = [
        table_of(cohort, score[:, place], task="multi_class", class_or_quantity=names[place]) for place in (2, 0, 1)
    ]
    values = found(pd.concat(parts, ignore_index=True), cohort, {})
    known = grades.notna().to_numpy()
    wanted = multiclass_metrics(grades[known].to_numpy(), score=score[known], classes=names, ordered=ordered)
    assert values == {(name, None): pytest.approx(each.value) for name, each in wanted.items()}
    assert (("kappa_weighted", None) in values) is ordered


def test_lesions_have_their_own_clustered_by_patient() -> None:
    rng, names = np.random.default_rng(3), ("hcc", "cyst")
    endpoint = LesionClasses(name="kind", lesion="label", classes=names)
    owner, lesion = [f"P{n}" for n in range(20) for _ in range(3)], ["1", "2", "3"] * 20
    truth, score = rng.choice(names, 60), rng.dirichlet(np.ones(2), 60)
    lesions = pd.DataFrame({"patient_id": owner, "specimen_id": owner, "lesion_id": lesion, "label": truth})
    lesions.loc[4, "label"] = None
    cohort = replace(cohort_of(endpoint, largest_label=truth[::3]), lesions=lesions[::-1])
    keys = {"specimen_id": owner, "lesion_id": lesion}
    parts = [table_of(cohort, score[::3, k], task="multi_class", class_or_quantity=names[k]) for k in (0, 1)]
    about = parts[0].iloc[-1][["task", "endpoint", "fold"]].to_dict() | {"horizon_months": None, "group": None}
    for k in (0, 1):
        own = pd.DataFrame({"patient_id": owner, "score": score[:, k]} | keys)
        parts.append(as_predictions(own.assign(class_or_quantity=names[k], **about)))
    rows = task_metrics(pd.concat(parts, ignore_index=True), cohort=cohort, cutoffs={}, fold="test")
    by_name = {row["metric"]: row for row in rows}
    known = lesions["label"].notna().to_numpy()
    wanted = multiclass_metrics(truth[known], score=score[known], classes=names, group=np.array(owner)[known])
    for name, each in wanted.items():
        row, estimate = by_name[f"lesion_{name}"], each.as_dict()
        assert {key: row[key] for key in estimate} == {
            key: pytest.approx(value) if isinstance(value, float) else value for key, value in estimate.items()
        }
    assert "clustered by patient" in by_name["lesion_accuracy"]["method"]
    assert by_name["lesion_auroc_macro"]["n"] == by_name["auroc_macro"]["n"] == 20


@pytest.mark.parametrize("task", ["quantities", "margin"])
def test_a_quantity_is_compared_with_the_measured_one(task: str) -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(10, 3, 20)
    measured = true + rng.normal(1, 1, 20)
    cohort = cohort_of(Measured(name="fat", column="fat", unit="%"), fat=np.where(np.arange(20) == 4, np.nan, true))
    values = found(table_of(cohort, measured, task=task), cohort, {})
    known = np.arange(20) != 4
    wanted = quantity_metrics(measured[known], true=true[known])
    assert values == {(name, None): pytest.approx(each.value) for name, each in wanted.items()}


def test_quantities_without_an_endpoint_and_masks_have_none_here() -> None:
    cohort = cohort_of(Status(name="hcc", column="hcc"), hcc=[0, 1])
    table = table_of(cohort, [1.0, 2.0], task="quantities").assign(endpoint="lipids")
    assert task_metrics(table, cohort=cohort, cutoffs={}, fold="test") == []
    assert task_metrics(table.assign(task="segmentation"), cohort=cohort, cutoffs={}, fold="test") == []
