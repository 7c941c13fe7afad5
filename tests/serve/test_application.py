"""Application: one file becomes a case, and its result is that of the command."""

from collections.abc import Callable
from pathlib import Path

from fastapi.testclient import TestClient


def test_a_table_becomes_a_case_and_a_page(client: TestClient, finish: Callable[[], int], tables) -> None:
    csv = (tables.cohorts / "a" / "patients.csv").read_bytes()
    answer = client.post("/api/v1/cases", files={"file": ("p.csv", csv)}, data={"run": "tables"})
    assert answer.status_code == 201, answer.text
    case = answer.json()
    assert finish() == 1
    found = client.get(f"/api/v1/cases/{case['case_id']}").json()
    assert found["state"] == "done", found["error"]
    assert (Path(client.app.state.workbench.cases.get(case["case_id"]).result) / "report.html").is_file()
