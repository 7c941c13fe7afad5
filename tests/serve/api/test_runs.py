"""Runs: the table of them has the numbers of the run folders, and two are compared on patients new to both."""

import json

import numpy as np
import pytest
from fastapi.testclient import TestClient

from hepatica.cohort import Months
from hepatica.evaluate import at_horizon, compare_paired
from hepatica.report.page import read_run


def test_runs_have_their_own_numbers(client: TestClient, tables) -> None:
    found = {each["name"]: each for each in client.get("/api/v1/runs").json()}
    assert set(found) == {"one", "two"}
    written = json.loads((tables.runs / "one" / "metrics.json").read_text())
    shown = [{name: each[name] for name in each if name != "cohort"} for each in found["one"]["metrics"]]
    assert shown == [{name: each[name] for name in shown[0]} for each in written]
    assert found["one"]["phantom"]
    assert (found["one"]["modality"], found["one"]["reads"]) == ("table", ["archive", "table"])
    assert found["one"] == client.get("/api/v1/runs/one").json()
    assert client.get("/api/v1/runs/three").status_code == 404
    assert client.get("/api/v1/cohorts").json() == [{"name": "a"}, {"name": "b"}]


def test_two_runs_are_compared_paired(client: TestClient, tables) -> None:
    found = client.get("/api/v1/runs/compare", params={"a": "one", "b": "two"}).json()
    assert found["settings"] == {"epochs": [2, 3]}
    a, b = (read_run(tables.runs / name) for name in ("one", "two"))
    target = next(each for each in a.internal.targets if each.horizon is not None)
    first, second = (each.internal.outcomes(target) for each in (a, b))
    outcome = at_horizon(first["time"], event=first["cause"], horizon=Months(target.horizon))
    cutoffs = {"cutoff_a": a.cutoffs[target.key], "cutoff_b": b.cutoffs[target.key]}
    expected = compare_paired(outcome, score_a=first["score"], score_b=second["score"], **cutoffs)
    shown = {each["metric"]: each for each in found["compared"] if each["target"] == target.label}
    for name, each in expected.items():
        assert shown[name]["value"] == pytest.approx(each.difference.value, nan_ok=True) or np.isnan(each.p)
    assert "c_index" in shown
    same = client.get("/api/v1/runs/compare", params={"a": "one", "b": "one"}).json()
    assert {each["value"] for each in same["compared"]} <= {0.0, None}
