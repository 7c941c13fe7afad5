"""Cases: each submission once, completed after an interruption, gone when removed."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from hepatica.serve import cases as module
from hepatica.serve.database import CaseRow
from hepatica.serve.refusals import ConflictError, NotFoundError, UnsuitableError
from hepatica.serve.settings import Settings
from hepatica.serve.workbench import Workbench, open_workbench


@pytest.fixture(params=["file", "server"])
def bench(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Workbench]:
    """On SQLite and on PostgreSQL."""
    url = "" if request.param == "file" else request.getfixturevalue("postgresql")
    found = open_workbench(replace(settings, database=url))
    yield found
    found.database.close()


@pytest.fixture
def written(tables, tmp_path: Path):
    """`written(name)` writes the same table anew."""

    def write(name: str) -> Path:
        (tmp_path / name).write_bytes(tables.csv)
        return tmp_path / name

    return write


def test_the_same_files_and_model_are_one_case(bench: Workbench, written) -> None:
    first = bench.cases.submit(written("a.csv"), run="one", owner="anna", origin={"label": "x"})
    again = bench.cases.submit(written("b.csv"), run="one", owner="ben")
    other = bench.cases.submit(written("c.csv"), run="two", owner="ben")
    assert again == first
    assert other.case_id != first.case_id
    assert [each.case_id for each in bench.cases.all()] == [other.case_id, first.case_id]
    assert [each.name for each in first.inputs.iterdir()] == ["a.csv"]
    assert not (bench.settings.data / "b.csv").exists()
    assert (first.owner, first.origin, first.state) == ("anna", {"label": "x"}, "waiting")


def test_submissions_at_once_are_one_case(bench: Workbench, written) -> None:
    files = [written(f"{number}.csv") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda path: bench.cases.submit(path, run="one"), files))
    assert len({each.case_id for each in found}) == 1
    assert len(bench.jobs.all()) == 1
    assert [each.name for each in found[0].inputs.parent.iterdir()] == ["inputs"]


@pytest.mark.parametrize("at", ["_take", "jobs"])
def test_a_submission_that_was_cut_short_is_completed_by_the_same_one(
    bench: Workbench, written, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((bench.cases, "_take") if at == "_take" else (bench.cases.jobs, "add")), killed)
        with pytest.raises(KeyboardInterrupt):
            bench.cases.submit(written("a.csv"), run="one")
    assert bench.cases.all() == []
    case = bench.cases.submit(written("b.csv"), run="one")
    assert bench.cases.all() == [case]
    assert len(list(case.inputs.iterdir())) == 1


def test_what_no_model_can_read_is_refused(bench: Workbench, written, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        bench.cases.submit(written("a.csv"), run="../one")
    (tmp_path / "a.svs").write_bytes(b"II*\0")
    with pytest.raises(UnsuitableError, match="got slide, wanted archive or table"):
        bench.cases.submit(tmp_path / "a.svs", run="one")
    (tmp_path / "b.csv").touch()
    with pytest.raises(ConflictError, match="empty"):
        bench.cases.submit(tmp_path / "b.csv", run="one")
    assert bench.cases.all() == []


def test_a_case_that_is_removed_is_gone(bench: Workbench, written) -> None:
    case = bench.cases.submit(written("a.csv"), run="one")
    bench.cases.delete(case.case_id)
    assert not case.inputs.parent.exists()
    assert bench.jobs.get(case.case_id).state == "cancelled"
    for act in (bench.cases.get, bench.cases.delete):
        with pytest.raises(NotFoundError):
            act(case.case_id)
    assert bench.cases.submit(written("b.csv"), run="one").case_id != case.case_id


def test_cases_expire_and_what_a_deletion_left_is_removed(bench: Workbench, written, monkeypatch) -> None:
    old, new = (bench.cases.submit(written("a.csv"), run=run) for run in ("one", "two"))
    with bench.database.session() as session:
        session.execute(update(CaseRow).where(CaseRow.case_id == old.case_id).values(created=time.time() - 90000))
    left = bench.settings.data / "cases" / "left"
    left.mkdir()
    assert bench.cases.expire() == []
    assert left.exists()
    bench.cases.settings = replace(bench.settings, retention_days=1)
    monkeypatch.setattr(module, "LEFT_S", -1)
    assert bench.cases.expire() == [old.case_id]
    assert [each.case_id for each in bench.cases.all()] == [new.case_id]
    assert (left.exists(), new.inputs.exists()) == (False, True)
