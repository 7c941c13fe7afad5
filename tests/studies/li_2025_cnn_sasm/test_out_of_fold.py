"""Out-of-fold risks: of every development patient and nobody else, for every target."""

from typing import Any

from hepatica.cohort import Split, read_predictions, targets


def test_each_development_patient_has_one_risk_a_target(studied: Any) -> None:
    table = read_predictions(studied.folder / "out_of_fold.parquet")
    split = Split.read(studied.folder / "subsets" / "1_of_1" / "splits.csv")
    assert set(table["patient_id"]) == {*split.train, *split.validation}
    assert not table.duplicated(["patient_id", "endpoint", "horizon_months"]).any()
    assert [target.key for target in targets(table)] == ["recurrence_12", "recurrence_24", "recurrence_final"]
    assert sorted(table["fold"].unique()) == ["1", "2"]
    assert table["score"].between(0, 1).all()
    assert table["specimen_id"].isna().all()
