"""Validate: the locked model on other people, and on other people only."""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from hepatica.cohort import CohortError, RunError, SettingsError, read_predictions
from hepatica.cohort.atomic import read_json
from hepatica.runs import explain, validate
from hepatica.runs.explain import extremes


@pytest.fixture(scope="module")
def external(trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("external") / "b"
    validate(trained.run, trained.other, out=out)
    return out


def test_groups_use_the_locked_cutoff(trained, external: Path) -> None:
    table = read_predictions(external / "predictions.parquet")
    cutoff = read_json(trained.run / "cutoffs.json")["recurrence_24"]
    rows = table[table["specimen_id"].isna() & (table["horizon_months"] == 24)]
    assert len(rows) == 8
    assert ((rows["score"] >= cutoff) == (rows["group"] == "high")).all()


def test_every_statistic_has_its_interval_or_its_reason(external: Path) -> None:
    for row in read_json(external / "metrics.json"):
        assert row["method"]
        assert (row["value"] is None) <= ("not computable" in row["method"] or "wanted" in row["method"])
        assert row["low"] is None or row["low"] <= row["value"] <= row["high"]


def test_flow_counts_everybody(external: Path) -> None:
    flow = {step["step"]: step for step in read_json(external / "cohort.json")["flow"]}
    assert flow["in the tables"] == {"step": "in the tables", "patients": 8, "specimens": 16}
    folds = [step["patients"] for name, step in flow.items() if name.startswith("fold ")]
    assert sum(folds) == flow["with a usable specimen"]["patients"] == 8


def test_patients_seen_in_training_are_refused(trained, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="were in training or validation"):
        validate(trained.run, trained.cohort, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_slides_seen_in_training_are_refused_under_other_ids(trained, tmp_path: Path) -> None:
    cohort = shutil.copytree(trained.cohort, tmp_path / "cohort")
    head = (cohort / "cohort.toml").read_text()
    (cohort / "cohort.toml").write_text(head.replace('hospital = "A"', 'hospital = "C"'))
    with pytest.raises(CohortError, match="under other ids"):
        validate(trained.run, cohort, out=tmp_path / "out", prepared=trained.run / "prepared")


def test_same_ids_of_another_hospital_are_other_people(trained, tmp_path: Path) -> None:
    cohort = shutil.copytree(trained.other, tmp_path / "cohort")
    for name in ("patients.csv", "specimens.csv"):
        text = (cohort / name).read_text()
        (cohort / name).write_text(text.replace("B-0", "A-0"))
    validate(trained.run, cohort, out=tmp_path / "out")
    assert len(pd.read_parquet(tmp_path / "out" / "patients.parquet")) == 8


def test_a_slide_replaced_since_is_refused_by_its_row(trained, external: Path, tmp_path: Path) -> None:
    cohort = shutil.copytree(trained.other, tmp_path / "cohort")
    drawn = extremes(pd.read_parquet(external / "predictions.parquet"), 16).index[0]  # of a patient, one is drawn
    table = pd.read_csv(cohort / "specimens.csv")
    row = table.index[table["specimen_id"] == drawn][0]
    slide = cohort / "slides" / table["path"][row]
    slide.write_bytes(slide.read_bytes()[:-1])
    for again in (
        lambda: validate(trained.run, cohort, out=external),
        lambda: explain(trained.run, cohort, results=external, specimens=16),
    ):
        with pytest.raises(RunError, match=rf"specimens.csv row {row + 2}: files were replaced since the results in"):
            again()
    validate(trained.run, trained.other, out=external)


def test_edited_results_are_not_taken_for_done(trained, external: Path, tmp_path: Path) -> None:
    out = shutil.copytree(external, tmp_path / "out")
    (out / "metrics.json").write_text("[]")
    with pytest.raises(RunError, match=r"metrics\.json was changed"):
        validate(trained.run, trained.other, out=out)


def test_one_slide_under_two_patients_is_refused_by_its_rows(trained, tmp_path: Path) -> None:
    cohort = shutil.copytree(trained.other, tmp_path / "cohort")
    table = pd.read_csv(cohort / "specimens.csv")
    shutil.copy(cohort / "slides" / table["path"][0], cohort / "slides" / table["path"][2])
    with pytest.raises(CohortError, match=r"specimens.csv rows 2, 4: .* under two patients"):
        validate(trained.run, cohort, out=tmp_path / "out")


def test_results_of_another_cohort_are_not_overwritten(trained, external: Path, tmp_path: Path) -> None:
    cohort = shutil.copytree(trained.other, tmp_path / "cohort")
    head = (cohort / "cohort.toml").read_text()
    (cohort / "cohort.toml").write_text(head.replace("Phantom:", "Another phantom:"))
    with pytest.raises(RunError, match="another cohort or model"):
        validate(trained.run, cohort, out=external)


def test_one_broken_slide_is_told_and_stops_nobody(trained, tmp_path: Path) -> None:
    cohort = shutil.copytree(trained.other, tmp_path / "cohort")
    slides = pd.read_csv(cohort / "specimens.csv")["path"]
    whole = (cohort / "slides" / slides[0]).read_bytes()
    (cohort / "slides" / slides[0]).write_bytes(whole[: len(whole) // 2])
    (cohort / "slides" / slides[1]).write_bytes(b"")
    validate(trained.run, cohort, out=tmp_path / "out")
    table = read_predictions(tmp_path / "out" / "predictions.parquet")
    lost = table[table["applicability"] == "not_assessable"]
    assert lost["score"].isna().all()
    assert lost["patient_id"].nunique() == 1
    assert lost.groupby("horizon_months", dropna=False).size().tolist() == [3, 3, 3]  # two slides and their patient
    told = read_json(tmp_path / "out" / "cohort.json")
    assert [failure["row"] for failure in told["failures"]] == [2, 3]
    assert told["flow"][2] == {"step": "with a usable specimen", "patients": 7, "specimens": 14}


def test_explains_unseen_specimens_by_their_row(trained, external: Path) -> None:
    drawn = explain(trained.run, trained.other, results=external, specimens=2)
    assert {path.name.partition("_")[2] for path in drawn} <= {
        f"{n:04d}{end}" for n in range(2, 18) for end in ("_heatmap.png", ".geojson", "_tiles.png")
    }
    assert len(drawn) == 6
    assert all(path.stat().st_size > 0 for path in drawn)
    records = read_json(external / "explained" / "explained.json")
    assert records[0]["score"] >= records[1]["score"]


def test_explain_wants_the_cohort_of_the_results(trained, external: Path) -> None:
    with pytest.raises(RunError, match=r"not of .*--results"):
        explain(trained.run, trained.cohort, results=external)


def test_explain_finds_the_results_of_the_cohort_and_goes_on_without_a_picture(
    trained, external: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(trained.run, tmp_path / "run")
    own = shutil.copytree(external, run / "external" / "other")
    monkeypatch.setattr(sys.modules["hepatica.runs.explain"], "draw_specimens", lambda *_, **__: {})
    assert explain(run, trained.other, specimens=2) == []
    assert read_json(own / "explained" / "explained.json") == []


def test_fewer_tiles_may_be_read_and_nothing_else_changed(trained, tmp_path: Path) -> None:
    out = tmp_path / "out"
    validate(trained.run, trained.other, out=out, changes={"tiles_per_specimen": 1})
    tiles = pd.read_parquet(out / "regions.parquet")
    assert tiles.groupby("specimen_id").size().eq(1).all()
    assert read_json(out / "cohort.json")["changes"] == {"tiles_per_specimen": 1}
    drawn = explain(trained.run, trained.other, results=out, specimens=1)
    assert all(path.exists() for path in drawn)
    with pytest.raises(RunError, match="another reading"):
        validate(trained.run, trained.other, out=out)
    with pytest.raises(SettingsError, match="ratio: locked with the model; settings that may differ here: tiles_per"):
        validate(trained.run, trained.other, out=tmp_path / "other", changes={"ratio": "1/4"})


def test_short_follow_up_is_predicted_and_not_reported(trained, external: Path, tmp_path: Path) -> None:
    patients = pd.read_csv(trained.other / "patients.csv").set_index("patient_id")
    free = patients["recurrence_event"] == 0
    least = patients.loc[free, "recurrence_months"].median() + 0.001
    out = tmp_path / "out"
    validate(trained.run, trained.other, out=out, least_follow_up=least)
    table = read_predictions(out / "predictions.parquet")
    short = set(table.loc[table["fold"] == "short_follow_up", "patient_id"])
    assert short == set(patients.index[free & (patients["recurrence_months"] < least)])
    assert {row["fold"] for row in read_json(out / "metrics.json")} <= {"external", "set_aside"}
    before = read_predictions(external / "predictions.parquet")
    pd.testing.assert_series_equal(table["score"], before["score"])
