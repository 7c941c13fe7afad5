"""Snapshot: what others write meanwhile is seen whole or not at all, and never without what came before it."""

import os

import pytest

from hepatica.cohort import UnavailableError
from hepatica.cohort.atomic import replacing, write_text
from hepatica.cohort.remote import snapshot
from hepatica.cohort.remote.snapshot import blocks, entry_of, frozen


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own" / "prepared" / "jobs").mkdir(parents=True)
    (tmp_path / "own" / "a").write_text("first")
    return tmp_path / "own"


def look(folder, **known):
    marks, held = frozen(folder, known=known, beside=folder.parent / "held")
    return marks, {name: path.read_text() for name, path in held.items()}


def test_temporary_files_tables_of_jobs_and_inputs_are_left_out(folder):
    for name in ("jobs/1.json", "studies/1.dcm", "dicomweb/1.dcm", "jobs.sqlite", "jobs.sqlite-wal", "x.h5", ".in_use"):
        write_text(folder / "prepared" / name, "x")
    write_text(folder / ".brought" / "1.svs", "x")
    write_text(folder / "external" / "jobs" / "1.json", "x")
    (folder / "link").symlink_to("/etc/passwd")
    with replacing(folder / "b") as half:
        half.write_text("ha")
        assert look(folder)[0].keys() == {"a", "prepared/x.h5", "external/jobs/1.json"}


def test_what_replaces_a_file_is_not_seen(folder):
    marks, held = frozen(folder, known={}, beside=folder.parent / "held")
    write_text(folder / "a", "second")
    assert held["a"].read_text() == "first"
    assert look(folder, **marks)[1] == {"a": "second"}
    assert look(folder, **look(folder)[0])[1] == {}


def test_a_log_that_grows_meanwhile_ends_where_it_did(folder):
    marks, held = frozen(folder, known={}, beside=folder.parent / "held")
    before = entry_of(folder / "a", marks["a"][1])
    with (folder / "a").open("a") as log:
        log.write(", and more")
    assert entry_of(held["a"], marks["a"][1]) == before
    assert b"".join(blocks(held["a"], 3)) == b"fir"


def test_a_file_never_comes_without_what_was_written_before_it(folder, monkeypatch):
    """A writer that writes `a` and then `b`, just where the first look is between them."""
    written = iter(range(3))

    def link(source, to, own=os.link):
        if next(written, None) is not None:
            write_text(folder / "a", "second")
            write_text(folder / "b", "says that the second is there")
        own(source, to)

    monkeypatch.setattr(os, "link", link)
    assert look(folder)[1] == {"a": "second", "b": "says that the second is there"}


def test_a_folder_that_is_never_quiet_is_given_up(folder, monkeypatch):
    looks = []
    monkeypatch.setattr(os, "link", lambda *_: write_text(folder / "a", "x" * len(looks.append(0) or looks)))
    monkeypatch.setattr(snapshot, "_PATIENCE", 0.2)
    with pytest.raises(UnavailableError, match="change faster"):
        look(folder)
    assert len(looks) > 1


def test_a_file_that_goes_meanwhile_is_looked_at_again(folder, monkeypatch):
    def link(source, to, own=os.link):
        (folder / "gone").unlink(missing_ok=True)
        own(source, to)

    (folder / "gone").touch()
    monkeypatch.setattr(os, "link", link)
    assert look(folder)[1] == {"a": "first"}
