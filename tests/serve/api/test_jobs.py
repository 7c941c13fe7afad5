"""Jobs: started from the interface, done by workers, stopped and tried again; each does what its command does."""

import pytest
from fastapi.testclient import TestClient

from hepatica.serve.workbench import Workbench

URL = "/api/v1/jobs"


def test_a_training_and_its_validation(client: TestClient, finish, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []  # a report takes 10 s and has tests of its own
    monkeypatch.setattr("hepatica.report.write_report", lambda run: reported.append(run.name))
    asked = {"system": "nam_2020_incidence", "cohort": "a", "run": "new", "quick": True, "settings": {"epochs": 1}}
    first = client.post(f"{URL}/train", json=asked).json()
    assert client.post(f"{URL}/train", json=asked).json() == first
    assert client.post(f"{URL}/train", json=asked | {"cohort": "b"}).status_code == 409
    assert finish() == 1
    done = client.get(f"{URL}/{first['key']}").json()
    assert (done["state"], done["error"]) == ("done", "")
    assert {each["event"] for each in client.get(f"{URL}/{first['key']}/log").json()} >= {"started", "locked"}
    assert client.post(f"{URL}/train", json=asked).json() == done
    client.post(f"{URL}/validate", json={"run": "new", "cohort": "b"})
    assert finish() == 1
    facts = client.get("/api/v1/runs/new").json()
    assert {each["fold"] for each in facts["metrics"]} >= {"test", "external"}
    assert facts["settings"]["epochs"] == 1
    assert reported == ["new", "new"]
    assert client.get("/api/v1/runs/new/report.html").status_code == 404
    again = [client.post(f"{URL}/report", json={"run": "new"}).json()["key"] for _ in range(2)]
    assert len(set(again)) == 2


def test_what_cannot_be_done_is_said_in_the_job(client: TestClient, bench: Workbench, finish) -> None:
    asked = {"system": "no_such", "cohort": "a", "run": "x"}
    key = client.post(f"{URL}/train", json=asked).json()["key"]
    study = client.post(f"{URL}/study", json={"study": "no_such", "cohort": "a", "run": "y"}).json()["key"]
    assert finish() == 2
    assert client.get(f"{URL}/{key}").json()["error"].startswith("got the unknown system 'no_such'")
    assert client.get(f"{URL}/{study}").json()["error"].startswith("got the unknown study 'no_such'")
    assert client.post(f"{URL}/{key}/retry").json()["state"] == "waiting"
    assert client.post(f"{URL}/{key}/retry").status_code == 409
    assert client.post(f"{URL}/{key}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{URL}/{key}/cancel").status_code == 409
    actions = [each.action for each in bench.audit.entries(subject=key)]
    assert actions == ["cancelled job", "retried job", "started train"]


def test_only_what_is_offered_is_worked_on(client: TestClient, tables) -> None:
    for cohort in ("../cohorts/a", str(tables.cohorts / "a"), "c"):
        assert client.post(f"{URL}/validate", json={"run": "one", "cohort": cohort}).status_code == 404
        assert client.post(f"{URL}/train", json={"system": "x", "cohort": cohort, "run": "x"}).status_code == 404
    assert client.post(f"{URL}/train", json={"system": "x", "cohort": "a", "run": "../x"}).status_code == 422
    assert client.post(f"{URL}/report", json={"run": "none"}).status_code == 404
    assert client.get(f"{URL}/{'0' * 32}/log").status_code == 404
