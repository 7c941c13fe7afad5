"""Predictions table: the same rows, types and digits back from either file."""

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import (
    CohortError,
    Target,
    class_scores,
    mean_by_patient,
    patient_scores,
    read_predictions,
    targets,
    write_predictions,
)
from hepatica.cohort.predictions import COLUMNS, as_predictions
from hepatica.cohort.seal import unaltered

FORMATS = ("predictions.parquet", "predictions.csv")


@pytest.fixture
def table():
    return as_predictions(
        pd.DataFrame(
            [
                ("NA", None, "test", "recurrence", 12.0, 0.1 + 0.2, "high"),
                ("NA", "None", "test", "recurrence", 12.0, 1 / 3, None),
                ("NA", None, "test", "recurrence", None, 0.7, "low"),
                ("007", None, "train", "recurrence", 12.0, 5e-324, "low"),
                ("007", "nan", "train", "recurrence", 12.0, np.nextafter(1, 0), None),
            ],
            columns=["patient_id", "specimen_id", "fold", "endpoint", "horizon_months", "score", "group"],
        )
    )


def test_several_files_are_read_as_one_and_of_other_columns_refused(table, tmp_path):
    for name in "ab":
        write_predictions(table, path=tmp_path / f"{name}.csv")
    both = read_predictions(tmp_path / "a.csv", tmp_path / "b.csv")
    once = read_predictions(tmp_path / "a.csv")
    pd.testing.assert_frame_equal(both, pd.concat([once, once], ignore_index=True))
    (tmp_path / "b.csv").write_text("x\n1\n")
    with pytest.raises(CohortError, match="not a predictions table: got the columns x"):
        read_predictions(tmp_path / "a.csv", tmp_path / "b.csv")


@pytest.mark.parametrize("name", FORMATS)
def test_a_table_comes_back_exactly(tmp_path, table, name):
    write_predictions(table, path=tmp_path / name)
    read = read_predictions(tmp_path / name)
    pd.testing.assert_frame_equal(read, table, check_exact=True)
    assert read.dtypes.astype(str).to_dict() == COLUMNS
    assert sorted(tmp_path.iterdir()) == [tmp_path / "digests.json", tmp_path / name]
    assert unaltered(tmp_path / name)


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_table_comes_back_empty(tmp_path, table, name):
    write_predictions(table.iloc[:0], path=tmp_path / name)
    pd.testing.assert_frame_equal(read_predictions(tmp_path / name), table.iloc[:0])


@pytest.mark.parametrize("name", FORMATS)
def test_a_horizon_missing_everywhere_stays_missing(tmp_path, table, name):
    final = table.assign(horizon_months=pd.NA)
    write_predictions(final, path=tmp_path / name)
    assert read_predictions(tmp_path / name)["horizon_months"].isna().all()


def test_columns_are_ordered_typed_and_stripped_of_others(table):
    shuffled = table[list(COLUMNS)[::-1]].astype(object).assign(extra=1)
    pd.testing.assert_frame_equal(as_predictions(shuffled), table)


def test_a_missing_column_is_named(table):
    with pytest.raises(CohortError, match="lacks fold, score; it needs patient_id"):
        as_predictions(table.drop(columns=["score", "fold"]))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"patient_id,score\nP1,0.5\n"])
def test_another_file_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CohortError, match="predictions table"):
        read_predictions(tmp_path / name)


def test_a_score_that_is_no_number_is_refused(tmp_path, table):
    table.astype(object).assign(score="high").to_csv(tmp_path / "predictions.csv", index=False)
    with pytest.raises(CohortError, match=r"predictions\.csv is not a predictions table"):
        read_predictions(tmp_path / "predictions.csv")


def test_targets_in_order_of_appearance(table):
    assert targets(table) == [
        Target(endpoint="recurrence", horizon=12.0),
        Target(endpoint="recurrence", horizon=None),
    ]


def test_patient_scores_are_those_of_whole_patients_at_one_target(table):
    at_12 = patient_scores(table, target=Target(endpoint="recurrence", horizon=12.0))
    assert at_12["score"].to_dict() == {"NA": 0.1 + 0.2, "007": 5e-324}
    assert at_12["group"].to_dict() == {"NA": "high", "007": "low"}
    final = patient_scores(table, target=Target(endpoint="recurrence", horizon=None))
    assert final["score"].to_dict() == {"NA": 0.7}
    assert patient_scores(table, target=Target(endpoint="death", horizon=None)).empty


def test_patient_scores_of_one_fold(table):
    target = Target(endpoint="recurrence", horizon=12.0)
    assert list(patient_scores(table, target=target, fold="train").index) == ["007"]
    assert patient_scores(table, target=target, fold="external").empty


def test_a_patient_scores_the_mean_of_his_specimens() -> None:
    rows = [("P", "a", 12.0, 0.2), ("P", "b", 12.0, 0.4), ("P", "a", np.nan, 0.1), ("P", "b", np.nan, 0.3)]
    table = pd.DataFrame(rows, columns=["patient_id", "specimen_id", "horizon_months", "score"])
    pooled = mean_by_patient(table.assign(endpoint="recurrence"))
    assert pooled["score"].tolist() == pytest.approx([0.3, 0.2])
    assert pooled["horizon_months"].isna().tolist() == [False, True]


def test_scores_of_classes_are_a_row_a_patient():
    rows = [("P1", "hcc", 0.7), ("P1", "cyst", 0.3), ("P2", "hcc", 0.1), ("P2", "cyst", 0.9)]
    table = pd.DataFrame(rows, columns=["patient_id", "class_or_quantity", "score"])
    table = table.assign(
        specimen_id=None, fold="test", endpoint="lesion", horizon_months=None, task="multi_class", group=None
    )
    (target,) = targets(as_predictions(table))
    found = class_scores(as_predictions(table), target=target, fold="test")
    assert found.columns.tolist() == ["hcc", "cyst"]
    assert found.loc["P2"].tolist() == [0.1, 0.9]


def test_a_patient_without_a_score_is_in_the_table_and_not_among_the_scores(table):
    lost = table.assign(score=np.nan, applicability="not_assessable", reason="no tissue found")
    assert patient_scores(lost, target=Target(endpoint="recurrence", horizon=12.0)).empty
