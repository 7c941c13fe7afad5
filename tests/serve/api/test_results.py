"""Results: those of the command line, to the last digit, and never without what they are to be read beside."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from fastapi.testclient import TestClient

from hepatica.cohort.seal import seal
from hepatica.runs import predict
from hepatica.serve.workbench import Workbench


def test_a_case_has_the_results_of_predict(
    client: TestClient, bench: Workbench, finish: Callable[[], int], submit, tables, tmp_path: Path
) -> None:
    case = submit(tables.csv)
    url = f"/api/v1/cases/{case['case_id']}"
    assert (case["state"], case["kind"], case["label"]) == ("waiting", "table", "bed 3")
    assert client.get(f"{url}/result").status_code == 409
    assert finish() == 1
    assert client.get(url).json()["state"] == "done"

    cohort = tmp_path / "cohort"
    cohort.mkdir()
    (cohort / "cohort.toml").write_text('name = "mine"')
    (cohort / "patients.csv").write_bytes(tables.csv)
    predict(tables.runs / "one", [cohort], out=tmp_path / "out")
    assert client.get(f"{url}/predictions.csv").content == (tmp_path / "out" / "predictions.csv").read_bytes()

    found = client.get(f"{url}/result").json()
    cutoffs = json.loads((tables.runs / "one" / "cutoffs.json").read_text())
    assert {each["key"]: each["cutoff"] for each in found["targets"]} == cutoffs
    assert {row["applicability"] for row in found["rows"]} <= {"in_domain", "unusual"}
    assert "phantoms" in found["model"]["use"]
    assert found["model"]["system"] == "nam_2020_incidence"
    assert {each["fold"] for each in found["among"]} >= {"train", "test"}
    assert all(each["percentiles"] == sorted(each["percentiles"]) for each in found["among"])

    page = client.get(f"{url}/report.html")
    assert "sha256-" in page.headers["content-security-policy"]
    assert "unsafe-inline" not in page.headers["content-security-policy"]
    pictures = client.get(f"{url}/pictures").json()
    assert client.get(f"{url}/pictures/{pictures[0]}").content.startswith(b"\x89PNG")
    assert client.get(f"{url}/dicom.zip").status_code == 404
    assert client.get(f"{url}/overlay.geojson").status_code == 404

    seen = [each.action for each in bench.audit.entries(subject=case["case_id"])]
    assert seen[-1] == "submitted case"
    assert {"saw result", "saw report", "saw predictions", "saw pictures"} <= set(seen)


def test_results_for_an_archive_come_packed(client: TestClient, bench: Workbench, finish, submit, tables) -> None:
    case = submit(tables.csv)
    finish()
    folder = bench.cases.get(case["case_id"]).result
    (folder / "specimen_0001_dicom").mkdir()
    (folder / "specimen_0001_dicom" / "report.dcm").write_bytes(b"DICM")
    assert client.get(f"/api/v1/cases/{case['case_id']}/dicom.zip").status_code == 404  # written by none of ours
    seal(folder / "specimen_0001_dicom" / "report.dcm")
    (folder / "specimen_0001_tiles.geojson").write_text("{}")
    packed = client.get(f"/api/v1/cases/{case['case_id']}/dicom.zip")
    assert ZipFile(BytesIO(packed.content)).namelist() == ["specimen_0001_dicom/report.dcm"]
    assert list(bench.settings.data.rglob("*.zip")) == []
    assert client.get(f"/api/v1/cases/{case['case_id']}/overlay.geojson").json() == {}


def test_a_result_of_another_model_than_the_run_now_holds_is_not_shown(
    client: TestClient, bench: Workbench, finish, submit, tables
) -> None:
    case = submit(tables.csv)
    finish()
    made = bench.cases.get(case["case_id"]).result / "made_from.json"
    made.write_text(json.dumps(json.loads(made.read_text()) | {"model": "another"}))
    answer = client.get(f"/api/v1/cases/{case['case_id']}/result")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_an_altered_result_is_refused(client: TestClient, bench: Workbench, finish, submit, tables) -> None:
    case = submit(tables.csv)
    finish()
    with (bench.cases.get(case["case_id"]).result / "predictions.csv").open("a") as file:
        file.write("\n")
    for what in ("result", "predictions.csv"):
        answer = client.get(f"/api/v1/cases/{case['case_id']}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (422, "unusable")


def test_no_picture_before_the_case_is_done(client: TestClient, bench: Workbench, submit, tables) -> None:
    case = bench.cases.get(submit(tables.csv)["case_id"])
    case.result.mkdir()
    (case.result / "specimen_0001_heatmap.png").write_bytes(b"")
    assert client.get(f"/api/v1/cases/{case.case_id}/pictures/specimen_0001_heatmap.png").status_code == 409


def test_nothing_but_pictures_is_served_as_one(client: TestClient, bench: Workbench, finish, submit, tables) -> None:
    case = submit(tables.csv)
    finish()
    (bench.cases.get(case["case_id"]).result / "specimen_0001.py").write_text("code")
    for name in ("../made_from.json", "%2e%2e%2fmade_from.json", "made_from.json", "specimen_0001.py"):
        assert client.get(f"/api/v1/cases/{case['case_id']}/pictures/{name}").status_code in (404, 422)
