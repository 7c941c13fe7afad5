"""Fixtures: a tiny run on tables, and a workbench that offers it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from hepatica.runs.workers import work
from hepatica.serve import work as kinds
from hepatica.serve.application import create
from hepatica.serve.settings import ENVIRONMENT, Settings
from hepatica.serve.workbench import Workbench


@dataclass(frozen=True)
class Tables:
    """A cohort of tables, and the run trained on it, in a folder of runs."""

    cohorts: Path
    runs: Path


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    from hepatica.runs import train
    from hepatica.systems import find_system

    folder = tmp_path_factory.mktemp("tables")
    system = find_system("nam_2020_incidence")
    cohort = system.phantom(folder / "cohorts" / "a", patients=60, seed=1, hospital="A")
    train(system, cohort, run=folder / "runs" / "tables", settings=system.shortest_quick)
    return Tables(cohorts=folder / "cohorts", runs=folder / "runs")


@pytest.fixture
def settings(tables: Tables, tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", runs=tables.runs, cohorts=tables.cohorts)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A browser that came by the printed link."""
    app = create(settings)
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as found:
        found.get("/enter", params={"token": app.state.workbench.accounts.invite()})
        user = app.state.workbench.accounts.of_cookie(found.cookies["hepatica_session"])
        found.headers["x-csrf-token"] = user.csrf
        yield found


@pytest.fixture
def bench(client: TestClient) -> Workbench:
    return client.app.state.workbench


@pytest.fixture
def finish(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Do all jobs, in this process."""
    monkeypatch.setenv(ENVIRONMENT, "")
    bench.settings.to_environment()
    return lambda: work(bench.jobs, kinds.KINDS, worker="test")
