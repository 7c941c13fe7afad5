"""Round trip: a study leaves a real archive and its results come back to it, as a radiologist would look for them."""

import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pydicom
import pytest
from orthanc import Orthanc
from pynetdicom import AE
from typer.testing import CliRunner

from hepatica.cli import app
from hepatica.cohort import read_predictions
from hepatica.runs import predict
from hepatica.runs.workers import work
from hepatica.serve import work as kinds
from hepatica.serve.node.dicomweb import DicomWeb
from hepatica.serve.settings import ENVIRONMENT
from hepatica.serve.workbench import open_workbench

pytestmark = pytest.mark.xdist_group("trained_ct")  # archives in one process

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"


@pytest.fixture
def study(trained_ct, tmp_path: Path) -> list[Path]:
    """The files of one study of the other hospital."""
    with zipfile.ZipFile(sorted((trained_ct.other / "studies").glob("*.zip"))[0]) as archive:
        archive.extractall(tmp_path / "study")
    return sorted((tmp_path / "study").rglob("*.dcm"))


def until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)


def found_by_c_find(orthanc: Orthanc, uid: str) -> set[str]:
    """Modalities of the series of a study."""
    entity, asked = AE("HEPATICA"), pydicom.Dataset()
    entity.add_requested_context(STUDY_ROOT_FIND)
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "SERIES", uid
    asked.SeriesInstanceUID, asked.Modality = "", ""
    association = entity.associate("127.0.0.1", orthanc.port, ae_title="ORTHANC")
    found = {each.Modality for _, each in association.send_c_find(asked, STUDY_ROOT_FIND) if each is not None}
    association.release()
    return found


@pytest.mark.parametrize(("way", "to"), [("dicom", "dicom"), ("web", "web")])
def test_results_are_on_the_study_they_are_about(
    trained_ct, study, orthanc, node_of, dciodvfy, monkeypatch, tmp_path: Path, way: str, to: str, caplog
) -> None:
    monkeypatch.setenv(ENVIRONMENT, "")
    with DicomWeb(orthanc.web) as archive:
        archive.store(study)
    uid = str(pydicom.dcmread(study[0]).StudyInstanceUID)
    (key,) = orthanc.get("studies")
    nodes = node_of(trained_ct.run, run=trained_ct.run.name, to=to)
    with nodes.start():
        where = "modalities/hepatica/store" if way == "dicom" else "dicom-web/servers/hepatica/stow"
        orthanc.post(where, {"Resources": [key], "Synchronous": True})
        bench = open_workbench(nodes.bench)
        until(bench.cases.all)
        nodes.bench.to_environment()
        work(bench.jobs, kinds.KINDS, worker="test")
        (case,) = bench.cases.all()
        assert case.state == "done", case.error
        results = sorted(case.result.glob("specimen_*_dicom/*.dcm"))
        until(lambda: len(orthanc.get("instances")) >= len(study) + len(results))
    series = httpx.get(f"{orthanc.web}/studies/{uid}/series", headers={"Accept": "application/dicom+json"}).json()
    modalities = {each["00080060"]["Value"][0] for each in series}
    assert {"CT", "SR"} < modalities == found_by_c_find(orthanc, uid)
    there = orthanc.instances()
    assert len(orthanc.get("studies")) == 1
    assert there.keys() == {str(pydicom.dcmread(path).SOPInstanceUID) for path in [*study, *results]}
    report = pydicom.dcmread(case.result / "specimen_0001_dicom" / "sr.dcm")
    for number, (name, content) in enumerate(there.items()):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(content)
        if pydicom.dcmread(path, stop_before_pixels=True).Modality != "CT":
            said = subprocess.run([dciodvfy, str(path)], capture_output=True, text=True).stderr
            assert not [line for line in said.splitlines() if line.startswith("Error")], (name, said)
    assert uid not in caplog.text
    assert str(report.PatientName) not in caplog.text
    assert len(bench.cases.all()) == 1


def test_a_study_of_an_archive_is_predicted_as_its_files_are(trained_ct, study, orthanc, tmp_path: Path) -> None:
    with DicomWeb(orthanc.web) as archive:
        archive.store(study)
    uid = str(pydicom.dcmread(study[0]).StudyInstanceUID)
    web, out = ["--dicomweb", orthanc.web, "--study", uid], tmp_path / "out"
    done = CliRunner().invoke(app, ["predict", str(trained_ct.run), *web, "--out", str(out), "--pictures", "0"])
    assert done.exit_code == 0, done.output
    own = predict(trained_ct.run, [tmp_path / "study"], out=tmp_path / "own", pictures=0)
    assert read_predictions(out / "predictions.csv")["score"].tolist() == own["score"].tolist()
    assert uid not in done.output
