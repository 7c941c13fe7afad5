"""Predict on CT: a folder is a study, the archive gets its results, and what cannot be read is told."""

import json
import os
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image

from hepatica.cli.app import remarks
from hepatica.cohort import (
    NotAssessableError,
    RunError,
    SettingsError,
    SpecimenError,
    Split,
    load_cohort,
    read_predictions,
)
from hepatica.radiology.risk_score import from_share
from hepatica.runs import open_run, predict
from hepatica.runs.export import export, training_images
from hepatica.runs.inputs import left_out
from hepatica.runs.lock import identity

DATA = os.environ.get("HEPATICA_DATA")
real = pytest.mark.skipif(DATA is None, reason="HEPATICA_DATA is not set: no real files on this machine")


@pytest.fixture
def study(trained_ct, tmp_path: Path) -> Path:
    """One study of the other hospital, unpacked."""
    with zipfile.ZipFile(sorted((trained_ct.other / "studies").glob("*.zip"))[0]) as archive:
        archive.extractall(tmp_path / "study")
    return tmp_path / "study"


def test_a_folder_is_a_study(trained_ct, study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    table = predict(trained_ct.run, [study], out=out)
    score = table.loc[table["specimen_id"].isna(), "score"].item()
    told = pd.read_csv(out / "specimens.csv").iloc[0]
    assert told["risk"] == pytest.approx(float(from_share(score)))
    assert told["low"] <= told["risk"] <= told["high"]
    assert told["images"] == told["slices"]
    assert {"specimen_0001_profile.png", "specimen_0001_saliency.png"} <= {path.name for path in out.iterdir()}


def test_results_belong_to_the_study_and_name_the_model(trained_ct, study: Path, tmp_path: Path) -> None:
    predict(trained_ct.run, [study], out=tmp_path / "out")
    source = pydicom.dcmread(next(study.rglob("*.dcm")))
    report = pydicom.dcmread(tmp_path / "out" / "specimen_0001_dicom" / "sr.dcm")
    assert report.StudyInstanceUID == source.StudyInstanceUID
    assert report.PatientID == source.PatientID
    model = identity(open_run(trained_ct.run))
    assert model.digest in report.to_json()
    assert "not for clinical use" in report.to_json()
    assert "SEEN IN TRAINING" not in report.to_json()


def test_the_archive_is_warned_of_a_study_that_the_model_was_trained_on(trained_ct, tmp_path: Path) -> None:
    split, cohort = Split.read(trained_ct.run / "splits.csv"), load_cohort(trained_ct.cohort)
    study = next(each for each in cohort.specimens_of("ct") if each.patient_id in split.train)
    predict(trained_ct.run, [study.path], out=tmp_path / "out")
    assert "SEEN IN TRAINING" in pydicom.dcmread(tmp_path / "out" / "specimen_0001_dicom" / "sr.dcm").to_json()


def test_zip_and_folder_of_one_study_score_alike(trained_ct, study: Path, tmp_path: Path) -> None:
    zipped = sorted((trained_ct.other / "studies").glob("*.zip"))[0]
    one, two = (predict(trained_ct.run, [each], out=tmp_path / each.stem, pictures=0) for each in (zipped, study))
    pd.testing.assert_series_equal(one["score"], two["score"])


def test_several_studies_at_once(trained_ct, study: Path, tmp_path: Path) -> None:
    zipped = sorted((trained_ct.other / "studies").glob("*.zip"))[1]
    table = predict(trained_ct.run, [study, zipped], out=tmp_path / "out", pictures=0)
    assert set(table["patient_id"]) == {"file 1", "file 2"}
    assert {path.name for path in (tmp_path / "out").glob("*_dicom")} == {"specimen_0001_dicom", "specimen_0002_dicom"}


def test_three_slices_are_enough(trained_ct, study: Path, tmp_path: Path) -> None:
    for folder in sorted(study.iterdir())[1:]:
        shutil.rmtree(folder)
    for path in sorted(next(study.iterdir()).iterdir())[3:]:
        path.unlink()
    table = predict(trained_ct.run, [study], out=tmp_path / "out")
    assert table["score"].between(0, 1).all()


def test_a_bad_study_stops_no_other(trained_ct, study: Path, tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("no DICOM")
    table = predict(trained_ct.run, [tmp_path / "text", study], out=tmp_path / "out", pictures=0)
    assert set(table.loc[table["applicability"] == "not_assessable", "patient_id"]) == {"file 1"}
    told = pd.read_csv(tmp_path / "out" / "specimens.csv")
    assert "not a DICOM file" in told["reason"].dropna().item()
    with pytest.raises(SpecimenError, match="none of 1 studies gave a slice"):
        predict(trained_ct.run, [tmp_path / "text"], out=tmp_path / "none")


def test_what_a_folder_holds_besides_is_named_or_counted(trained_ct, study: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "mixed/study")
    (tmp_path / "mixed/cut.zip").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "mixed/slide.svs").write_bytes(b"x")
    table = predict(trained_ct.run, [tmp_path / "mixed"], out=tmp_path / "out", pictures=0)
    reasons = table.loc[table["score"].isna() & table["specimen_id"].notna(), "reason"]
    assert [*reasons] == ["the zip archive is damaged or incomplete; send it again"]
    lines = left_out([tmp_path / "mixed"], run=trained_ct.run)
    assert lines == ["left out, not of the kind that this model reads (ct): 1 .svs"]


def test_two_patients_in_one_folder_are_two_studies(trained_ct, study: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(sorted((trained_ct.other / "studies").glob("*.zip"))[1]) as archive:
        archive.extractall(study / "other")
    table = predict(trained_ct.run, [study], out=tmp_path / "out", pictures=0)
    assert table.loc[table["score"].notna(), "patient_id"].nunique() == 2


def test_a_truncated_slice_is_told(trained_ct, study: Path, tmp_path: Path) -> None:
    path = sorted(next(iter(sorted(study.iterdir()))).iterdir())[6]
    path.write_bytes(path.read_bytes()[:-3000])
    predict(trained_ct.run, [study], out=tmp_path / "out", pictures=0)
    assert "damaged" in pd.read_csv(tmp_path / "out" / "specimens.csv")["notes"].item()


def test_pictures_are_read_and_flagged(trained_ct, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(6):
        Image.fromarray(rng.integers(0, 255, (96, 96), dtype=np.uint8)).save(folder / f"{number}.jpg")
    predict(trained_ct.run, [folder], out=tmp_path / "out")
    assert "without Hounsfield units" in pd.read_csv(tmp_path / "out" / "specimens.csv")["notes"].item()
    assert not (tmp_path / "out" / "specimen_0001_dicom").exists()


def test_an_empty_folder_is_no_slide_and_its_reason_is_in_the_tables(trained, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotAssessableError, match="none of them a slide"):
        predict(trained.run, [tmp_path / "empty"], out=tmp_path / "out")
    table = read_predictions(tmp_path / "out" / "predictions.csv")
    assert set(table["applicability"]) == {"not_assessable"}
    assert table["score"].isna().all()
    assert table["reason"].str.contains("none of them a slide").all()


def test_only_how_much_is_read_may_change(trained_ct, study: Path, tmp_path: Path) -> None:
    predict(trained_ct.run, [study], out=tmp_path / "few", pictures=0, changes={"per_series": 1})
    assert pd.read_csv(tmp_path / "few" / "specimens.csv")["slices"].item() == 4
    with pytest.raises(SettingsError, match="gate: locked with the model"):
        predict(trained_ct.run, [study], out=tmp_path / "out", changes={"gate": "soft"})


def test_exported_networks_are_used_and_named(trained_ct, study: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained_ct.run, run)
    before = predict(run, [study], out=tmp_path / "before", pictures=0)
    export(run, calibration=training_images(run, trained_ct.cohort), int8=True)
    after = predict(run, [study], out=tmp_path / "after", pictures=0)
    assert not np.array_equal(before["score"], after["score"])
    assert after["score"].to_numpy() == pytest.approx(before["score"].to_numpy(), abs=0.05)
    report = pydicom.dcmread(tmp_path / "after" / "specimen_0001_dicom" / "sr.dcm")
    assert "ONNX, int8" in report.to_json()


def test_an_archive_gets_no_score_of_a_study_unlike_those_of_training(
    trained_ct, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = open_run(trained_ct.run)
    narrow = {
        of: {name: each | {"low": 9e9, "high": 9e9} for name, each in own.items()} for of, own in locked.domain.items()
    }
    monkeypatch.setattr(sys.modules["hepatica.runs.predict"], "open_run", lambda _: replace(locked, domain=narrow))
    table = predict(trained_ct.run, [study], out=tmp_path / "out", pictures=0)
    assert set(table["applicability"]) == {"unusual"}
    assert table["score"].notna().all()  # beside its reason
    assert [each.name for each in (tmp_path / "out").rglob("*.dcm")] == ["sr.dcm"]
    report = pydicom.dcmread(tmp_path / "out" / "specimen_0001_dicom" / "sr.dcm").to_json()
    assert "Not assessable: unlike the training specimens" in report
    assert "HCC_RISK_SCORE" not in report


@real
@pytest.mark.parametrize(
    ("path", "dicom"), [("totalsegmentator/dicom", True), ("dcmqi", True), ("lilnet/case_1", False)]
)
def test_real_studies_end_with_a_score(trained_ct, tmp_path: Path, path: str, dicom: bool) -> None:
    table = predict(trained_ct.run, [Path(DATA or "", "radiology", path)], out=tmp_path / "out")
    assert table["score"].between(0, 1).all()
    written = {each.name for each in (tmp_path / "out").rglob("*.dcm")}
    assert ("sr.dcm" in written) == dicom
    assert json.loads((trained_ct.run / "model.json").read_text())["phantom"]


@pytest.mark.parametrize("changes", [{}, {"per_series": 1}])
def test_a_study_of_training_is_known_without_its_masks_and_however_read(
    trained_ct, tmp_path: Path, changes: dict[str, int]
) -> None:
    cohort = load_cohort(trained_ct.cohort)
    train = Split.read(trained_ct.run / "splits.csv").train
    studies = [
        each.path for each in cohort.specimens if each.patient_id in train and "nodule_mask" in each.attachments
    ][:1]
    table = predict(trained_ct.run, studies, out=tmp_path / "out", pictures=0, changes=changes)
    assert table["seen_in_training"].all()


def test_specimens_are_told_by_the_number_of_their_pictures(trained_ct, study: Path, tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.txt").write_text("no DICOM")
    predict(trained_ct.run, [tmp_path / "text", study], out=tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "specimens.csv")
    assert table["row"].tolist() == [1, 2]
    assert (tmp_path / "out" / "specimen_0002_saliency.png").exists()
    broken, sound = remarks(tmp_path / "out" / "specimens.csv")
    assert broken.startswith("specimen 1: got no axial CT series")
    assert sound.startswith("specimen 2: risk score")


def test_results_of_one_patient_never_lie_beside_those_of_another(trained_ct, study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    predict(trained_ct.run, [study], out=out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and "prepared" not in path.parts}
    predict(trained_ct.run, [study], out=out)  # after a stop
    other = sorted((trained_ct.other / "studies").glob("*.zip"))[1]
    with pytest.raises(RunError, match="of other specimens; choose a new --out"):
        predict(trained_ct.run, [other], out=out)
    assert {path: path.read_bytes() for path in before} == before
