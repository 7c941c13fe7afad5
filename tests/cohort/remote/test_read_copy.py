"""Read copy: who reads sees one state from begin to end, and all of it."""

import fcntl
import shutil
from pathlib import Path

import pytest

from hepatica.cohort.atomic import write_text
from hepatica.cohort.remote.far_folder import FarFolder
from hepatica.cohort.remote.local_copy import LocalCopy
from hepatica.cohort.remote.mirror import mirrored

URL = "memory://bucket/out"
FIRST = {"model": "1", "sub/cutoff": "1", "same": "same"}
SECOND = {"model": "2", "sub/cutoff": "2", "same": "same"}


@pytest.fixture(autouse=True)
def store(memory_store):
    return memory_store


@pytest.fixture
def brought(monkeypatch):
    """The names of the files that were brought."""
    names, bring = [], FarFolder.bring
    monkeypatch.setattr(
        FarFolder, "bring", lambda self, name, entry, **where: (names.append(name), bring(self, name, entry, **where))
    )
    return names


def write(files: dict[str, str]) -> None:
    with mirrored(URL, writing=True) as folder:
        LocalCopy(folder).clear(files)
        for name, text in files.items():
            write_text(folder / name, text)


def had(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def copies(folder: Path) -> list[Path]:
    return [each for each in folder.parents[1].iterdir() if each.is_dir()]


def test_a_reader_sees_one_state_while_others_write_and_read():
    write(FIRST)
    with mirrored(URL, writing=False) as one:
        write(SECOND)
        with mirrored(URL, writing=False) as other:
            assert had(one) == FIRST
            assert had(other) == SECOND
            assert len(copies(one)) == 2
        with mirrored(URL, writing=False) as again:
            assert again == other
    with mirrored(URL, writing=False) as other:
        assert had(other) == SECOND
        assert not one.exists()
        assert copies(other) == [other.parent]


def test_of_an_earlier_state_only_what_changed_is_brought(brought):
    write(FIRST)
    with mirrored(URL, writing=False):
        pass
    write(SECOND)
    brought.clear()
    with mirrored(URL, writing=False) as folder:
        assert had(folder) == SECOND
    assert sorted(brought) == ["model", "sub/cutoff"]


@pytest.mark.parametrize("fault", ["changed", "longer", "removed", "more", "without"])
def test_a_read_copy_is_completed_before_it_is_used(fault, brought):
    write(FIRST)
    with mirrored(URL, writing=False) as folder:
        if fault in ("changed", "longer"):
            (folder / "model").write_text({"changed": "x", "longer": "xx"}[fault])
        elif fault == "more":
            (folder / "page.html").touch()
        else:
            (folder / "model").unlink() if fault == "removed" else shutil.rmtree(folder)
    brought.clear()
    with mirrored(URL, writing=False) as folder:
        assert had(folder) == FIRST
    assert len(brought) == {"more": 0, "without": 3}.get(fault, 1)


def test_of_a_copy_that_another_reads_nothing_is_removed():
    write(FIRST)
    with mirrored(URL, writing=False) as one:
        (one / "temporary").touch()
        (one / "model").unlink()
        with mirrored(URL, writing=False) as other:
            assert other == one
            assert had(other) == FIRST | {"temporary": ""}
        with (one.parent / ".lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_without_locks_no_copy_is_removed(monkeypatch):
    def refused(*_):
        raise OSError("no locks")

    write(FIRST)
    with mirrored(URL, writing=False) as one:
        pass
    write(SECOND)
    monkeypatch.setattr("hepatica.cohort.remote.read_copy.fcntl.flock", refused)
    with mirrored(URL, writing=False) as other:
        assert had(other) == SECOND
        assert had(one) == FIRST
