"""Scores: specimens become rows of patients, each with what it is about, its group, or why it has no score."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import Binary, MultiClass, Task, mean_by_patient
from hepatica.protocol import Inference
from hepatica.runs.scores import median_cutoffs, pooled, predictions, rows_lost

HCC = Binary("hcc")
GRADES = MultiClass("grade", classes=("low", "high"))
NOTHING: list[tuple[str, str, int, str]] = []


def pool_of(specimens: pd.DataFrame, *tasks: Task, failures: list[tuple[str, str, int, str]] = NOTHING) -> pd.DataFrame:
    """The rows that a system of these tasks gives."""
    targets = tuple(target for task in tasks for target in task.targets)
    system: Any = SimpleNamespace(targets=lambda settings: targets, pool=mean_by_patient)
    inference = Inference(specimens=specimens, regions=specimens, signatures=np.zeros((len(specimens), 1), np.float32))
    lost = pd.DataFrame(failures, columns=["patient_id", "specimen_id", "row", "error"])
    return pooled(system, inference, settings=None, failures=lost)


def scored(*rows: tuple[str, str, float], **columns: Any) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["patient_id", "specimen_id", "score"]).assign(**columns)


ONE = scored(("P1", "S1", 0.2), ("P2", "S2", 0.7), ("P1", "S3", 0.4))


def test_a_system_of_one_target_need_not_say_it() -> None:
    table = pool_of(ONE, HCC)
    assert set(table["endpoint"]) == {"hcc"}
    assert set(table["horizon_months"]) == {0}
    assert set(table["task"]) == {"binary"}
    patients = table[table["specimen_id"].isna()].set_index("patient_id")["score"]
    assert patients.to_dict() == {"P1": pytest.approx(0.3), "P2": 0.7}


def test_what_was_not_assessable_has_a_row_a_target_with_its_reason() -> None:
    failures = [("P1", "S4", 5, "torn"), ("P3", "S5", 6, "empty"), ("P3", "S6", 7, "torn")]
    task = Binary("death", horizons=(12, None))
    both = pd.concat([ONE.assign(endpoint="death", horizon_months=horizon) for horizon in (12.0, np.nan)])
    pool = pool_of(both.astype({"score": "float32"}), task, failures=failures)  # as networks give them
    table = predictions(pool, folds=pd.Series("test", ["P1", "P2", "P3"]), cutoffs={"death_12": 0.5})
    lost = table[table["applicability"] == "not_assessable"]
    rows = lost[["patient_id", "specimen_id", "reason"]].fillna("").to_numpy().tolist()
    wanted = [["P1", "S4", "torn"], ["P3", "S5", "empty"], ["P3", "S6", "torn"], ["P3", "", "empty"]]
    assert rows == wanted * 2  # P1 has a score by other specimens, so no row of the whole patient
    assert lost[["score", "group"]].isna().all(axis=None)
    assert set(lost["fold"]) == {"test"}
    assert set(table.loc[table["score"].notna(), "applicability"]) == {"unknown"}


def test_rows_of_lesions_come_after_those_of_patients_and_have_the_judgement_of_their_specimen() -> None:
    grades = {"class_or_quantity": "low", "endpoint": "grade", "horizon_months": np.nan, "task": "multi_class"}
    lesions = scored(("P1", "S1", 0.1), ("P1", "S1", 0.9), lesion_id=["1", "2"], **grades)
    system: Any = SimpleNamespace(targets=lambda settings: GRADES.targets, pool=mean_by_patient)
    specimens = scored(("P1", "S1", 0.9), **grades)
    inference = Inference(specimens=specimens, regions=lesions, signatures=np.zeros((2, 1)), lesions=lesions)
    judgement = pd.DataFrame({"applicability": ["unusual"], "reason": ["large"]}, index=["S1"])
    pool = pooled(system, inference, settings=None, judgement=judgement)
    table = predictions(pool, folds=pd.Series("test", ["P1"]), cutoffs={})
    assert table["lesion_id"].fillna("").tolist() == ["", "", "1", "2"]
    assert table["specimen_id"].fillna("").tolist() == ["S1", "", "S1", "S1"]
    assert table["score"].tolist() == [0.9, 0.9, 0.1, 0.9]
    assert set(table["reason"]) == {"large"}
    assert table["group"].notna().tolist() == [False, True, False, False]


def test_groups_are_by_the_locked_cutoff_of_whole_patients() -> None:
    table = predictions(pool_of(ONE, HCC), folds=pd.Series("test", ["P1", "P2"]), cutoffs={"hcc": 0.7})
    patients = table[table["specimen_id"].isna()].set_index("patient_id")["group"]
    assert patients.to_dict() == {"P1": "low", "P2": "high"}
    assert table.loc[table["specimen_id"].notna(), "group"].isna().all()


@pytest.mark.parametrize("task", ["multi_class", "subtypes"])
def test_of_several_classes_the_most_probable_is_the_group(task: str) -> None:
    classes = {"task": task, "endpoint": "grade", "horizon_months": np.nan}
    low = scored(("P1", "S1", 0.2), ("P2", "S2", 0.7), class_or_quantity="low", **classes)
    high = low.assign(score=1 - low["score"], class_or_quantity="high")
    table = predictions(pool_of(pd.concat([low, high]), GRADES), folds=pd.Series("test", ["P1", "P2"]), cutoffs={})
    patients = table[table["specimen_id"].isna()]
    called = dict(zip(patients["patient_id"], patients["group"], strict=True))
    assert called == {"P1": "high", "P2": "low"}
    assert len(patients) == 4


@pytest.mark.parametrize(("seen", "wanted"), [(None, {"P1"}), ({"P2"}, {"P2"}), (set(), set())])
def test_patients_of_training_are_marked(seen: set[str] | None, wanted: set[str]) -> None:
    table = predictions(pool_of(ONE, HCC), folds=pd.Series({"P1": "validation", "P2": "test"}), cutoffs={}, seen=seen)
    assert set(table.loc[table["seen_in_training"], "patient_id"]) == wanted


def test_the_median_is_over_patients() -> None:
    table = pool_of(pd.concat([ONE, scored(("P3", "S4", 0.4))]), HCC)
    assert median_cutoffs(table) == {"hcc": pytest.approx(0.4)}


def test_nobody_with_a_score_of_several_classes_is_of_no_group() -> None:
    lost = pd.DataFrame([("P1", "S1", 2, "torn")], columns=["patient_id", "specimen_id", "row", "error"])
    found = predictions(rows_lost(lost, GRADES.targets), folds=pd.Series({"P1": "predicted"}), cutoffs={}, seen=set())
    assert found["reason"].tolist() == ["torn", "torn"]
    assert found["group"].isna().all()
