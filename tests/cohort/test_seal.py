"""Seal: what was written is known by its digest, and a kill at any moment leaves nothing that looks altered."""

from multiprocessing import get_context
from pathlib import Path

import pytest

from hepatica.cohort import RunError
from hepatica.cohort.atomic import read_json
from hepatica.cohort.seal import (
    SEAL,
    refuse_altered,
    refuse_altered_below,
    seal,
    seal_states,
    sealing,
    unaltered,
    write_sealed,
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "results"
    folder.mkdir(parents=True)
    write_sealed(folder / "other.json", [])
    write_sealed(folder / "metrics.json", [{"value": 0.7}])
    return folder / "metrics.json"


def test_a_record_is_known_and_its_order_is_that_of_names(table: Path) -> None:
    assert list(read_json(table.with_name(SEAL))) == ["metrics.json", "other.json"]


def _seal_many(folder: Path, which: int) -> None:
    for number in range(20):
        write_sealed(folder / f"{which}_{number}.json", number)


def test_processes_that_seal_at_the_same_time_lose_no_record(tmp_path: Path) -> None:
    context = get_context("fork")
    processes = [context.Process(target=_seal_many, args=(tmp_path, which)) for which in range(4)]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    assert set(seal_states(tmp_path).values()) == {"unchanged"}
    assert len(seal_states(tmp_path)) == 80
    assert {path.name for path in tmp_path.iterdir()} == {SEAL, *seal_states(tmp_path)}  # no lock is left


def test_an_edited_file_is_refused_by_its_name(table: Path) -> None:
    assert unaltered(table) == table
    table.write_text(table.read_text().replace("0.7", "0.9"))
    for check in (
        unaltered,
        lambda path: refuse_altered(path.parent),
        lambda path: refuse_altered_below(path.parents[1]),
    ):
        with pytest.raises(RunError, match=r"metrics\.json was changed after it was written; restore"):
            check(table)
    assert seal_states(table.parent) == {"other.json": "unchanged", "metrics.json": "changed"}
    seal(table)
    refuse_altered(table.parent)


def test_a_missing_file_is_refused_where_it_is_read(table: Path) -> None:
    table.unlink()
    refuse_altered(table.parent)
    assert seal_states(table.parent)["metrics.json"] == "missing"
    with pytest.raises(RunError, match=r"metrics\.json is missing"):
        unaltered(table)


def test_a_file_that_was_never_sealed_is_not_taken_for_a_result(table: Path) -> None:
    (table.parent / "mine.json").write_text("[]")
    with pytest.raises(RunError, match=r"mine\.json has no digest"):
        unaltered(table.parent / "mine.json")


def test_a_kill_before_the_file_is_in_place_leaves_it_to_be_written_again(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(path: Path) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("hepatica.cohort.seal.file_digest", stop)
    with pytest.raises(KeyboardInterrupt), sealing(table) as temporary:
        temporary.write_text("new")
    monkeypatch.undo()
    assert unaltered(table).read_text() != "new"
    assert {path.name for path in table.parent.iterdir()} == {SEAL, "metrics.json", "other.json"}
