"""Pages: each renders, carries what a reader must see, and escapes what strangers send."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from hepatica.clinical.quantities import QUANTITIES
from hepatica.serve.settings import Settings
from hepatica.serve.workbench import Workbench

PATHS = ["/", "/cases", "/runs", "/runs/one", "/runs/compare?a=one&b=two", "/cohorts", "/cohorts/a", "/reading",
         "/scores", "/scores/page_b"]  # fmt: skip


@pytest.fixture
def case(submit: Callable[..., dict[str, Any]], finish: Callable[[], int], tables: Any) -> str:
    """A case of patients of a table, predicted."""
    found = submit(tables.csv)
    finish()
    return str(found["case_id"])


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_inline_script_or_style_and_a_strict_policy(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    text = re.sub(r'<script type="application/json"[^>]*>', "", answer.text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert all("src=" in each for each in re.findall(r"<script[^>]*>", text))
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


@pytest.mark.parametrize("path", PATHS)
def test_whoever_is_not_signed_in_sees_nothing(client: TestClient, path: str) -> None:
    client.cookies.clear()
    answer = client.get(path)
    assert answer.status_code == 401
    assert "nam_2020" not in answer.text


def test_a_case_carries_score_cut_off_model_and_use(client: TestClient, case: str) -> None:
    text = client.get(f"/cases/{case}").text
    for needed in ("Phantom.", "nam_2020_incidence", "It may not be used for", "Interval:", "Model digest"):
        assert needed in text
    assert text.count('class="score"') == 16  # 8 patients, two horizons
    assert "above" in text


def test_a_case_that_waits_is_asked_for_and_then_loaded_anew(
    client: TestClient, submit: Callable[..., dict[str, Any]], finish: Callable[[], int], tables: Any
) -> None:
    case = submit(tables.csv)["case_id"]
    waiting = client.get(f"/cases/{case}")
    assert f'hx-get="/cases/{case}/progress"' in waiting.text
    assert 'class="score"' not in waiting.text
    assert "hx-refresh" not in client.get(f"/cases/{case}/progress").headers
    finish()
    assert client.get(f"/cases/{case}/progress").headers["hx-refresh"] == "true"


def test_a_case_is_removed_with_the_token_of_the_session_alone(client: TestClient, case: str, bench: Workbench) -> None:
    token = client.headers.pop("x-csrf-token")
    assert client.post(f"/cases/{case}/remove").status_code == 403
    assert client.post(f"/cases/{case}/remove", data={"csrf_token": token}).status_code == 303
    assert bench.cases.all() == []
    assert {each.action for each in bench.audit.entries(subject=case)} >= {"removed case"}


@pytest.mark.parametrize(
    "name", ["../../x", "made_from.json", "digests.json", "prepared/x", "specimen_0001_dicom/../x"]
)
def test_only_files_of_a_result_are_handed_out(client: TestClient, case: str, name: str) -> None:
    assert client.get(f"/cases/{case}/files/{name}").status_code in (404, 307)
    assert client.get(f"/cases/{case}/files/predictions.csv").status_code == 200


def test_a_broken_run_hides_no_other(client: TestClient, bench: Workbench) -> None:
    for name, text in (("old", "format = 1"), ("odd", "x"), ("none", "format = 4")):
        folder = bench.settings.data / "runs" / name
        folder.mkdir(parents=True)
        (folder / "settings.toml").write_text(text)
    shown = client.get("/runs").text
    assert shown.count("unreadable") == 3
    assert "run-folder format 1" in shown
    assert 'href="/runs/one"' in shown
    assert str(bench.settings.data) not in shown
    for name in ("old", "odd", "none"):
        assert client.get(f"/runs/{name}").status_code == 422
        assert client.get(f"/api/v1/runs/{name}").json()["code"] == "unusable"
    assert client.get("/").status_code == 200
    assert {each["name"]: bool(each["fault"]) for each in client.get("/api/v1/runs").json()} == {
        "one": False, "two": False, "old": True, "odd": True, "none": True,
    }  # fmt: skip


def test_a_cohort_is_looked_at_by_a_worker(client: TestClient, bench: Workbench, finish: Callable[[], int]) -> None:
    asked = client.get("/cohorts/b/checking").text
    assert "Waiting for a worker" in asked
    assert client.get("/cohorts/b/check").status_code == 404
    assert client.get("/cohorts/b/checking").text == asked
    assert finish() == 1
    assert '<iframe src="/cohorts/b/check"' in client.get("/cohorts/b/checking").text
    assert "Faults" in client.get("/cohorts/b/check").text
    assert client.get("/cohorts/b/jobs").status_code == 200
    assert client.get(f"/api/v1/jobs/{bench.jobs.all(kind='check')[0].key}/log").json() == []
    (page,) = (bench.settings.data / "checks").iterdir()
    page.unlink()
    assert "Waiting for a worker" in client.get("/cohorts/b/checking").text
    assert finish() == 1
    assert page.is_file()


def test_a_check_of_tables_that_changed_meanwhile_is_refused(
    client: TestClient, bench: Workbench, finish: Callable[[], int], tmp_path: Path, tables: Any
) -> None:
    folder = tmp_path / "cohorts" / "b"
    shutil.copytree(tables.cohorts / "b", folder)
    object.__setattr__(bench.settings, "cohorts", folder.parent)
    client.get("/cohorts/b/checking")
    with (folder / "patients.csv").open("a") as file:
        file.write("\n")
    bench.settings.to_environment()
    finish()
    assert "the tables of the cohort have changed since" in bench.jobs.all(kind="check")[0].error
    assert "Waiting for a worker" in client.get("/cohorts/b/checking").text


def test_a_long_table_is_shown_in_part(
    client: TestClient, submit: Callable[..., dict[str, Any]], finish: Callable[[], int], tables: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("hepatica.serve.pages.cases.SHOWN", 3)
    case = submit((tables.cohorts / "a" / "patients.csv").read_bytes())["case_id"]
    finish()
    shown = client.get(f"/cases/{case}").text
    assert "<h2>60 patients</h2>" in shown
    assert "The first 3; all are in predictions.csv." in shown


def test_hostile_text_is_shown_as_text(client: TestClient) -> None:
    answer = client.get("/cases/<script>alert(1)</script>")
    assert "<script>alert" not in answer.text
    asked = client.post("/scores/page_b", data={"age": '"><script>alert(1)</script>', "sex": "male"})
    assert "<script>alert" not in asked.text
    assert "&lt;script&gt;" in asked.text


@pytest.mark.parametrize(
    "path",
    [
        "/cases/0",
        "/cases/%00",
        "/cases/%00/progress",
        "/runs/none",
        "/cohorts/none",
        "/reading/0/next?reader=R1",
        "/scores/none",
    ],
)
def test_what_is_not_there_is_said_on_a_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"age": "61", "sex": "male", "platelets": "90"}, "<strong>23</strong> points"),
        ({"age": "61", "sex": "male", "platelets": "UNIT"}, "<strong>23</strong> points"),
        ({"age": "61", "sex": "male", "platelets": ""}, "A missing value is never guessed"),
        ({"age": "-4", "sex": "male", "platelets": "90"}, 'data-result="problem"'),
    ],
)
def test_a_score_by_its_units(client: TestClient, given: dict[str, str], shown: str) -> None:
    units = QUANTITIES["platelets"].units
    if given["platelets"] == "UNIT":  # the same patient in the last unit
        (unit, factor) = list(units.items())[-1]
        given = given | {"platelets": str(90 / factor), "platelets_unit": unit}
    assert shown in client.post("/scores/page_b", data=given).text


def test_a_training_starts_stops_and_goes_on(client: TestClient, bench: Workbench) -> None:
    form = {"system": "nam_2020_incidence", "run": "new_run", "quick": "true"}
    assert client.post("/cohorts/a/start/train", data=form).status_code == 303
    (job,) = bench.jobs.all(kind="train")
    assert job.given["quick"] is True
    assert "new_run" in client.get("/cohorts/a/jobs").text
    assert client.post(f"/cohorts/a/jobs/{job.key}/cancel", data={}).status_code == 303
    assert bench.jobs.get(job.key).state == "cancelled"
    assert "Go on" in client.get("/cohorts/a").text
    assert client.post(f"/cohorts/a/jobs/{job.key}/retry", data={}).status_code == 303
    assert bench.jobs.get(job.key).state == "waiting"


@pytest.mark.parametrize("run", ["../x", "A", "", "x" * 99])
def test_a_name_that_leads_elsewhere_is_refused(client: TestClient, bench: Workbench, run: str) -> None:
    answer = client.post("/cohorts/a/start/train", data={"system": "nam_2020_incidence", "run": run})
    assert answer.status_code == 409
    assert "the form has faults: run" in answer.text
    assert bench.jobs.all(kind="train") == []


def test_a_cohort_with_faults_says_them(
    settings: Settings, browse: Callable[[Settings], TestClient], tmp_path: Any
) -> None:
    from dataclasses import replace

    folder = tmp_path / "cohorts" / "bad"
    folder.mkdir(parents=True)
    (folder / "cohort.toml").write_text('name = "bad"\n[endpoints.x]\nlabel = "nothing"\n')
    (folder / "patients.csv").write_text("patient_id,age_years\nP1,5\n")
    text = browse(replace(settings, cohorts=tmp_path / "cohorts")).get("/cohorts/bad").text
    assert "Fault:" in text
    assert "nothing" in text
    assert "start/train" not in text


def test_runs_have_their_numbers_with_intervals(client: TestClient) -> None:
    text = client.get("/runs").text
    assert re.search(r"0\.\d{3} \(0\.\d{3}\xa0to\xa0[01]\.\d{3}\)", text)
    assert text.count('tag alert">phantom') == 2
    compared = client.get("/runs/compare?a=one&b=two").text
    assert "epochs" in compared
    assert "paired" in compared
