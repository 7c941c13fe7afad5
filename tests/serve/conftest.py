"""Fixtures: tiny runs on tables, and a workbench that offers them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from fastapi.testclient import TestClient

from hepatica.runs.workers import work
from hepatica.serve import accounts
from hepatica.serve import work as kinds
from hepatica.serve.application import create
from hepatica.serve.settings import ENVIRONMENT, Settings
from hepatica.serve.workbench import Workbench


@dataclass(frozen=True)
class Tables:
    """Cohorts of tables `a` and `b`, and the runs `one` and `two` trained on the first, in folders of them."""

    cohorts: Path
    runs: Path

    @property
    def csv(self) -> bytes:
        """The patients of a hospital that no run has seen."""
        return (self.cohorts / "b" / "patients.csv").read_bytes()


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    from hepatica.runs import train
    from hepatica.systems import find_system

    folder = tmp_path_factory.mktemp("tables")
    system = find_system("nam_2020_incidence")
    cohort = system.phantom(folder / "cohorts" / "a", patients=60, seed=1, hospital="A")
    system.phantom(folder / "cohorts" / "b", patients=8, seed=2, hospital="B")
    for name, epochs in (("one", 2), ("two", 3)):
        train(system, cohort, run=folder / "runs" / name, settings=replace(system.shortest_quick, epochs=epochs))
    return Tables(cohorts=folder / "cohorts", runs=folder / "runs")


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 as it is, but for its cost."""
    monkeypatch.setattr(accounts, "PasswordHasher", partial(PasswordHasher.from_parameters, CHEAPEST))


@pytest.fixture
def settings(tables: Tables, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", runs=tables.runs, cohorts=tables.cohorts)


@pytest.fixture
def browse() -> Iterator[Callable[[Settings], TestClient]]:
    """`browse(settings)`: a browser that came by the printed link."""
    opened: list[TestClient] = []

    def open_one(settings: Settings) -> TestClient:
        app = create(settings)
        found = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
        opened.append(found.__enter__())
        if not settings.users:
            found.get("/enter", params={"token": app.state.workbench.accounts.invite()})
            found.headers["x-csrf-token"] = found.get("/api/v1/session").json()["csrf"]
        return found

    yield open_one
    for each in opened:
        each.__exit__(None, None, None)


@pytest.fixture
def client(settings: Settings, browse: Callable[[Settings], TestClient]) -> TestClient:
    return browse(settings)


@pytest.fixture
def bench(client: TestClient) -> Workbench:
    return client.app.state.workbench


@pytest.fixture
def finish(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Do all jobs, in this process; how many were begun."""
    monkeypatch.setenv(ENVIRONMENT, "")
    bench.settings.to_environment()
    return lambda: work(bench.jobs, kinds.KINDS, worker="test")


@pytest.fixture
def send(client: TestClient) -> Callable[..., dict[str, Any]]:
    """`send(content, name=…)` uploads a file in one piece; what is said of it."""

    def one(content: bytes, *, name: str = "patients.csv") -> dict[str, Any]:
        asked = {"name": name, "size": len(content), "sha256": sha256(content).hexdigest()}
        found = client.post("/api/v1/uploads", json=asked)
        assert found.status_code == 201, found.text
        answer = client.patch(
            f"/api/v1/uploads/{found.json()['upload_id']}", content=content, headers={"upload-offset": "0"}
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return one


@pytest.fixture
def submit(client: TestClient, send: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """`submit(content, name=…, run=…)`: a case of one file."""

    def one(content: bytes, *, name: str = "patients.csv", run: str = "one") -> dict[str, Any]:
        asked = {"run": run, "uploads": [send(content, name=name)["upload_id"]], "label": "bed 3"}
        answer = client.post("/api/v1/cases", json=asked)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return one
