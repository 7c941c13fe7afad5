"""End-to-end risks: of patients who were held back, in groups by the training patients' median."""

from typing import Any

from hepatica.cohort import Split, patient_scores, read_predictions, targets
from hepatica.cohort.atomic import read_json


def test_only_patients_held_back_are_told(studied: Any) -> None:
    table = read_predictions(studied.folder / "end_to_end" / "predictions.parquet")
    split = Split.read(studied.folder / "subsets" / "1_of_1" / "splits.csv")
    assert set(table.loc[table["fold"] == "test", "patient_id"]) == set(split.test)
    assert not set(table["patient_id"]) & {*split.train, *split.validation}
    assert set(table["fold"]) <= {"test", "set_aside"}


def test_groups_are_by_the_cutoffs_written_down(studied: Any) -> None:
    table = read_predictions(studied.folder / "end_to_end" / "predictions.parquet")
    cutoffs = read_json(studied.folder / "end_to_end" / "cutoffs.json")
    for target in targets(table):
        scores = patient_scores(table, target=target)
        assert ((scores["score"] >= cutoffs[target.key]) == (scores["group"] == "high")).all()
