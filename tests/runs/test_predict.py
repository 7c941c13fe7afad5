"""Predict: bare files and cohorts, real slides and files that are none."""

import json
import os
import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from hepatica.cohort import CohortError, SpecimenError, read_predictions, write_predictions
from hepatica.cohort.atomic import write_json
from hepatica.report.documents.predictions_page import write_predictions_page
from hepatica.runs import open_run, predict, scores
from hepatica.runs.engine import Engine
from hepatica.runs.inputs import cohort_of_files
from hepatica.runs.jobs import Jobs

DATA = os.environ.get("HEPATICA_DATA")
real = pytest.mark.skipif(DATA is None, reason="HEPATICA_DATA is not set: no real files on this machine")


def test_bare_files_are_called_by_their_order(trained, tmp_path: Path) -> None:
    files = sorted((trained.other / "slides").glob("*.tif*"))[:2]
    table = predict(trained.run, files, out=tmp_path)
    assert set(table["patient_id"]) == {"file 1", "file 2"}
    assert {path.name for path in tmp_path.glob("*.geojson")} == {"specimen_0001.geojson", "specimen_0002.geojson"}
    written = pd.read_csv(tmp_path / "predictions.csv")
    assert len(written) == 2 * 3 * 2  # files, targets, rows of specimens and of patients


def test_one_file_alone_scores_as_among_others(trained, tmp_path: Path) -> None:
    files = sorted((trained.other / "slides").glob("*.tif*"))[:3]
    among = predict(trained.run, files, out=tmp_path / "among", pictures=0)
    alone = predict(trained.run, files[1:2], out=tmp_path / "alone", pictures=0)
    second = among.loc[among["specimen_id"] == "file 2", "score"].to_numpy()
    assert alone.loc[alone["specimen_id"] == "file 1", "score"].to_numpy() == pytest.approx(second, abs=1e-5)


def test_cohort_folder_is_predicted_whole(trained, tmp_path: Path) -> None:
    table = predict(trained.run, [trained.other], out=tmp_path, pictures=1)
    assert table.loc[table["specimen_id"].isna(), "patient_id"].nunique() == 8
    assert len(list(tmp_path.glob("*_heatmap.png"))) == 1


def test_a_cohort_whose_slides_are_in_a_store_is_predicted_alike(trained, tmp_path, monkeypatch, file_server) -> None:
    monkeypatch.setenv("HEPATICA_CACHE", str(tmp_path / "cache"))
    near, far = (shutil.copytree(trained.other, tmp_path / name) for name in ("near", "far"))
    table = pd.read_csv(near / "specimens.csv").head(3)
    table.to_csv(near / "specimens.csv", index=False)
    for path in table["path"]:
        file_server.files[f"/{path}"] = (near / "slides" / path).read_bytes()
        (far / "slides" / path).unlink()
    table.assign(path=f"{file_server.url}/" + table["path"]).to_csv(far / "specimens.csv", index=False)
    for cohort in (near, far):
        predict(trained.run, [cohort], out=tmp_path / f"{cohort.name}_out", pictures=1)
    for name in ("predictions.csv", "specimens.csv", "specimen_0002_heatmap.png", "specimen_0002.geojson"):
        assert (tmp_path / "far_out" / name).read_bytes() == (tmp_path / "near_out" / name).read_bytes(), name
    assert len(file_server.asked) == 3


def test_patients_the_model_was_trained_on_are_marked(trained, tmp_path: Path) -> None:
    table = predict(trained.run, [trained.cohort], out=tmp_path, pictures=0)
    assert set(table["fold"]) == {"predicted"}
    assert table.loc[table["seen_in_training"], "patient_id"].nunique() == len(open_run(trained.run).seen)


def test_a_region_of_a_slide_the_model_was_trained_on_is_marked(trained, tmp_path: Path) -> None:
    cohort = shutil.copytree(trained.cohort, tmp_path / "cohort")
    split = pd.read_csv(trained.run / "splits.csv").drop_duplicates("fold").set_index("patient_id")["fold"]
    table = pd.read_csv(cohort / "specimens.csv").drop_duplicates("patient_id").assign(region="a.geojson")
    table[table["patient_id"].isin(split.index)].to_csv(cohort / "specimens.csv", index=False)
    corners = [[100, 100], [400, 100], [400, 400], [100, 400]]
    write_json(
        cohort / "slides" / "a.geojson", {"geometry": {"type": "Polygon", "coordinates": [corners]}, "properties": {}}
    )
    found = predict(trained.run, [cohort], out=tmp_path / "out", pictures=0)
    seen = found.groupby("patient_id")["seen_in_training"].any()
    assert seen[split.index].tolist() == (split != "test").tolist()


def test_a_file_that_is_no_slide_among_slides_is_told_in_the_ledger(trained, tmp_path: Path) -> None:
    (tmp_path / "letter.tif").write_text("dear colleague")
    slide = next((trained.other / "slides").glob("*.tif*"))
    table = predict(trained.run, [tmp_path / "letter.tif", slide], out=tmp_path / "out")
    lost, scored = table[table["score"].isna()], table[table["score"].notna()]
    assert set(scored["patient_id"]) == {"file 2"}
    assert set(scored["applicability"]) == {"in_domain"}
    assert set(lost["patient_id"]) == {"file 1"}
    assert len(lost) == 3 * 2  # targets, the row of the specimen and that of the patient
    assert set(lost["applicability"]) == {"not_assessable"}
    assert lost["reason"].str.len().gt(0).all()
    assert lost["group"].isna().all()
    entries = [json.loads(path.read_text()) for path in (tmp_path / "out" / "prepared" / "ledger").glob("*.json")]
    assert [entry["row"] for entry in entries if entry["attempts"][-1]["error"]] == [1]


def test_nothing_but_files_that_are_no_slides_is_an_error(trained, tmp_path: Path) -> None:
    (tmp_path / "letter.svs").write_text("dear colleague")
    with pytest.raises(SpecimenError):
        predict(trained.run, [tmp_path / "letter.svs"], out=tmp_path / "out")


def test_a_specimen_that_cannot_be_drawn_costs_the_others_nothing(
    trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slides, drawn = sorted((trained.other / "slides").glob("*.tif*"))[:3], []

    def draw(specimen, **_) -> list[Path]:
        if specimen.row == 1:
            raise ZeroDivisionError(f"in {specimen.path}")
        return drawn.append(specimen.row) or []

    monkeypatch.setattr("hepatica.systems.li_2025_cnn_sasm.SYSTEM", replace(trained.system, draw=draw))
    with pytest.warns(UserWarning, match=r"specimen 1: no pictures: .*ZeroDivisionError"):
        table = predict(trained.run, slides, out=tmp_path)
    assert drawn == [2, 3]
    assert table["score"].notna().all()


def test_missing_and_mixed_inputs_are_refused(trained, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="no such file"):
        predict(trained.run, [tmp_path / "absent.svs"], out=tmp_path / "out")
    with pytest.raises(CohortError, match="one cohort folder or files"):
        predict(trained.run, [trained.other, trained.cohort], out=tmp_path / "out")


@real
def test_real_slide_gets_score_heatmap_and_overlay(trained, tmp_path: Path) -> None:
    slide = Path(DATA or "") / "pathology" / "CMU-1-Small-Region.svs"
    table = predict(trained.run, [slide], out=tmp_path)
    assert table["score"].between(0, 1).all()
    features = json.loads((tmp_path / "specimen_0001.geojson").read_text())["features"]
    assert len(features) == trained.settings.tiles_per_specimen
    assert (tmp_path / "specimen_0001_heatmap.png").stat().st_size > 10_000


@real
@pytest.mark.parametrize("name", ["radiology/totalsegmentator/example_ct.nii.gz", "clinical/pbc.csv"])
def test_real_file_that_is_no_slide_is_one_clear_error(trained, tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecimenError):
        predict(trained.run, [Path(DATA or "") / name], out=tmp_path)


def test_a_folder_is_every_slide_in_it_and_names_are_kept_on_request(trained, tmp_path: Path) -> None:
    inside = tmp_path / "in" / "deeper"
    inside.mkdir(parents=True)
    for number, slide in enumerate(sorted((trained.other / "slides").glob("*.tif*"))[:2]):
        (inside / f"case_{number}.tif").symlink_to(slide)
    out = tmp_path / "out"
    table = predict(trained.run, [tmp_path / "in"], out=out, pictures=1, names=True)
    assert set(table["patient_id"]) == {"file 1", "file 2"}
    assert [Path(each).name for each in pd.read_csv(out / "names.csv")["file"]] == ["case_0.tif", "case_1.tif"]
    page = write_predictions_page(trained.run, out=out).read_text()
    assert page.count("<img") == 3  # the slide, its heatmap and its tiles
    assert "case_1.tif" in page
    cutoff = open_run(trained.run).cutoffs["recurrence_12"]
    assert f"Cut-off {cutoff:.3f}" in page
    predict(trained.run, [tmp_path / "in"], out=out, pictures=0)
    assert "case_" not in write_predictions_page(trained.run, out=out).read_text()


def test_a_stopped_call_goes_on_and_ends_as_one_that_was_not(
    trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slides = sorted((trained.other / "slides").glob("*.tif*"))[:3]
    (tmp_path / "letter.tif").write_text("dear colleague")
    inputs = [slides[0], tmp_path / "letter.tif", *slides[1:]]
    whole = predict(trained.run, inputs, out=tmp_path / "whole", pictures=0)
    module = import_module("hepatica.runs.predict")  # its name in the package is the function's
    monkeypatch.setattr(module, "AT_ONCE", 1)
    read = []

    def predicted(locked, material, inference, **options):
        read.append(list(material.specimens["specimen_id"]))
        if len(read) == 2:
            raise KeyboardInterrupt
        return scores.predicted(locked, material, inference, **options)

    monkeypatch.setattr(module, "predicted", predicted)
    with pytest.raises(KeyboardInterrupt):
        predict(trained.run, inputs, out=tmp_path / "out", pictures=0)
    table = predict(trained.run, inputs, out=tmp_path / "out", pictures=0)
    assert read == [["file 1"], ["file 3"], ["file 3"], ["file 4"]]
    order = ["endpoint", "horizon_months", "patient_id", "specimen_id"]
    pd.testing.assert_frame_equal(
        table.sort_values(order, ignore_index=True), whole.sort_values(order, ignore_index=True), atol=1e-5
    )
    assert pd.read_csv(tmp_path / "out" / "specimens.csv")["row"].tolist() == [1, 2, 3, 4]
    assert table["specimen_id"].isna().is_monotonic_increasing
    assert not (tmp_path / "out" / "names.csv").exists()  # on request alone


def test_tables_of_parts_are_one_by_row_with_the_columns_of_all(tmp_path: Path) -> None:
    module = import_module("hepatica.runs.predict")
    texts = ('row,tiles,notes\n2,5,"a, ""b""\nc"\n10,6,\n', "row,tiles,reason\n3,,damaged\n4,7,\n")
    ids = {"fold": "predicted", "task": "survival", "endpoint": "died", "horizon_months": None, "group": None}
    for number, text in enumerate(texts):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "specimens.csv").write_text(text)
        who = {"patient_id": f"P{number}", "specimen_id": [f"S{number}", None], "score": [0.1 + number, 0.2]}
        write_predictions(pd.DataFrame(who).assign(**ids), path=tmp_path / f"{number}" / "predictions.csv")
    table = module._join([tmp_path / "0", tmp_path / "1"], tmp_path)
    rows = ["row,tiles,notes,reason", '2,5,"a, ""b""', 'c",', "3,,,damaged", "4,7,,", "10,6,,"]
    assert (tmp_path / "specimens.csv").read_text().splitlines() == rows
    assert table["specimen_id"].tolist() == ["S0", "S1", pd.NA, pd.NA]
    assert table["score"].tolist() == [0.1, 1.1, 0.2, 0.2]
    pd.testing.assert_frame_equal(read_predictions(tmp_path / "predictions.csv"), table)


def test_tables_are_put_together_rarely_where_that_takes_long(trained, tmp_path: Path, monkeypatch) -> None:
    module, joined, clock = import_module("hepatica.runs.predict"), [], iter(range(0, 10**6, 31))
    monkeypatch.setattr(module, "AT_ONCE", 1)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    real_join = module._join
    monkeypatch.setattr(module, "_join", lambda parts, out: joined.append(len(parts)) or real_join(parts, out))
    slides = sorted((trained.other / "slides").glob("*.tif*"))[:4]
    predict(trained.run, slides, out=tmp_path, pictures=0)
    assert joined == [1, 4]  # 31 s each, and each asks for the time twice


def test_what_a_stopped_call_did_of_other_files_is_not_taken_over(
    trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same two files in the other order: each number is another patient."""
    slides, out = sorted((trained.other / "slides").glob("*.tif*"))[:2], tmp_path / "out"
    module = import_module("hepatica.runs.predict")

    def stopped(parts, out) -> pd.DataFrame:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_join", stopped)
        with pytest.raises(KeyboardInterrupt):
            predict(trained.run, slides, out=out, pictures=0)
    table = predict(trained.run, slides[::-1], out=out, pictures=0)
    wanted = predict(trained.run, slides[::-1], out=tmp_path / "wanted", pictures=0)
    pd.testing.assert_frame_equal(table, wanted)
    assert not (out / "prepared" / "parts").exists()


def test_jobs_that_another_model_left_are_not_done_while_specimens_are_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, states = Jobs(tmp_path / "prepared" / "jobs.sqlite"), []
    left = jobs.add("predict", {"context": str(tmp_path / "prepared" / "jobs" / "other.json"), "place": "1"})
    module = import_module("hepatica.runs.predict")
    monkeypatch.setattr(module, "prepare_jobs", lambda *_, **__: states.append(jobs.get(left).state))
    locked = SimpleNamespace(system=None, settings=None)
    work = SimpleNamespace(out=tmp_path, made_from="this", locked=locked, few=lambda cohort: [])
    module.by_jobs(work, cohort_of_files([]), context={}, engine=Engine(processes=2))
    assert states == ["cancelled"]
