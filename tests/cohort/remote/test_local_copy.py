"""Local copy: what only this machine has is never removed, and what it has lost is not taken out of the store."""

import shutil
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hepatica.cohort import SpecimenError
from hepatica.cohort.atomic import write_text
from hepatica.cohort.remote.far_folder import FarFolder
from hepatica.cohort.remote.local_copy import LocalCopy, absent, called, differs
from hepatica.cohort.remote.manifest import Entry
from hepatica.cohort.remote.mirror import mirrored
from hepatica.cohort.remote.snapshot import entry_of

URL = "memory://bucket/out"
FILES = {"model.bin": "model", "sub/results.csv": "results"}


@pytest.fixture(autouse=True)
def store(memory_store):
    return memory_store


@pytest.fixture
def on(tmp_path, monkeypatch):
    """`on("first")`: from here on this is the machine of that name."""
    return lambda name: monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / name))


def make(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        write_text(folder / name, text)


def write(files: dict[str, str], url: str = URL) -> Path:
    with mirrored(url, writing=True) as folder:
        make(folder, files)
    return folder


def had(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def sent(store) -> dict[str, str]:
    names = {key.removeprefix("/bucket/out/"): body.getvalue().decode() for key, body in store.items()}
    return {name: text for name, text in names.items() if name != ".hepatica.json"}


def aside(folder: Path) -> list[dict[str, str]]:
    return [had(each) for each in sorted(folder.parent.glob("*.unsent-*"))]


@pytest.mark.parametrize("gone", [".", "model.bin", "sub"])
def test_what_a_copy_has_lost_is_brought_back_and_not_removed_from_the_store(store, gone):
    lost = write(FILES) / gone
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    with mirrored(URL, writing=True) as folder:
        assert had(folder) == FILES
    assert sent(store) == FILES


def test_what_is_brought_back_is_not_put_over_work(store):
    folder = write(FILES)
    make(folder, {"model.bin": "newer"})
    shutil.rmtree(folder / "sub")
    make(folder, {"sub": "a file now"})
    assert had(write({})) == {"model.bin": "newer", "sub": "a file now"}
    assert sent(store) == {"model.bin": "newer", "sub": "a file now"}


@pytest.mark.parametrize("name", ["held", ".held", "coming", ".coming", "accepted.json", ".accepted.json", ".lock"])
def test_no_name_of_a_folder_is_one_of_ours(on, name):
    write(FILES, f"memory://bucket/{name}")
    on("second")
    with mirrored(f"memory://bucket/{name}", writing=True) as folder:
        assert had(folder) == FILES
        assert folder.name == name.lstrip(".")


@pytest.mark.parametrize(("url", "name"), [("s3://b/a b", "a_b"), ("s3://b", "b"), ("s3://b/...", "folder")])
def test_a_copy_is_called_as_its_folder(url, name):
    assert called(url) == name


def test_unsent_work_is_set_aside_where_another_machine_has_written(on, capsys):
    on("first")
    folder = write(FILES)
    on("second")
    write({"model.bin": "of the second"})
    make(folder, {"hours.csv": "hours"})
    on("first")
    assert had(write({})) == FILES | {"model.bin": "of the second"}
    assert aside(folder) == [FILES | {"hours.csv": "hours"}]
    assert "out.unsent-" in capsys.readouterr().err


def test_a_copy_of_what_the_store_had_is_changed_in_place(on, capsys):
    on("first")
    folder = write(FILES)
    on("second")
    write({"model.bin": "of the second"})
    on("first")
    assert had(write({})) == FILES | {"model.bin": "of the second"}
    assert aside(folder) == []
    assert "unsent" not in capsys.readouterr().err


def test_work_that_another_machine_has_sent_is_not_set_aside(on):
    on("first")
    folder = write({})
    make(folder, FILES)
    on("second")
    write(FILES)
    on("first")
    assert had(write({})) == FILES
    assert aside(folder) == []


def test_what_was_half_brought_is_no_unsent_work(on, monkeypatch):
    on("first")
    folder = write(FILES)
    on("second")
    write({"model.bin": "second", "sub/results.csv": "second"})
    on("first")
    bring = FarFolder.bring

    def half(self, name, entry, **where):
        if name != "model.bin":
            raise SpecimenError("killed")
        bring(self, name, entry, **where)

    with monkeypatch.context() as patch:
        patch.setattr(FarFolder, "bring", half)
        with pytest.raises(SpecimenError):
            write({})
    assert had(folder)["model.bin"] == "second"
    on("second")
    write({"model.bin": "third"})
    on("first")
    assert had(write({})) == {"model.bin": "third", "sub/results.csv": "second"}
    assert aside(folder) == []


def test_what_was_sent_but_never_named_is_unsent(on, monkeypatch):
    on("first")
    folder = write(FILES)
    with monkeypatch.context() as patch:
        patch.setattr(FarFolder, "name", lambda *_: (_ for _ in ()).throw(SpecimenError("denied")))
        with pytest.raises(SpecimenError):
            write({"model.bin": "hours"})
    on("second")
    write({"x": "x"})
    on("first")
    write({})
    assert aside(folder) == [FILES | {"model.bin": "hours"}]


def test_what_was_removed_but_not_in_the_store_is_no_unsent_work(on, monkeypatch):
    on("first")
    folder = write(FILES)
    with monkeypatch.context() as patch:
        patch.setattr(FarFolder, "name", lambda *_: (_ for _ in ()).throw(SpecimenError("denied")))
        with pytest.raises(SpecimenError), mirrored(URL, writing=True):
            (folder / "model.bin").unlink()
    on("second")
    write({"sub/results.csv": "second"})
    on("first")
    assert had(write({})) == FILES | {"sub/results.csv": "second"}
    assert aside(folder) == []


def test_where_the_store_was_emptied_its_copy_is_set_aside(store, capsys):
    folder = write(FILES)
    store.clear()
    write({"a": "new"})
    assert had(folder) == sent(store) == {"a": "new"}
    assert aside(folder) == [FILES]
    assert str(folder.parent) in capsys.readouterr().err


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_while_a_place_is_claimed_loses_nothing(store, monkeypatch, moment):
    folder = write(FILES)
    old, name = dict(store), FarFolder.name
    store.clear()
    if moment == "before":
        make(folder, {"hours.csv": "hours"})

    def killed(self, manifest):
        if moment == "after":
            name(self, manifest)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FarFolder, "name", killed)
        with pytest.raises(KeyboardInterrupt):
            write({})
    if moment == "after":
        assert had(folder) == FILES
        write({})
        assert aside(folder) == [FILES]
    else:  # it was the wrong store
        store.update(old)
        assert had(write({"a": "new"})) == FILES | {"a": "new", "hours.csv": "hours"}
        assert aside(folder) == []


def test_a_store_that_may_not_be_written_changes_no_copy(store, monkeypatch):
    folder = write(FILES)
    store.clear()
    monkeypatch.setattr(MemoryFileSystem, "pipe_file", lambda *_, **__: (_ for _ in ()).throw(PermissionError()))
    with pytest.raises(SpecimenError, match="denies access"):
        write({})
    assert had(folder) == FILES
    assert aside(folder) == []


def test_an_empty_copy_needs_no_note(store, capsys):
    folder = write({})
    folder.mkdir(exist_ok=True)
    (folder / "jobs.sqlite").touch()
    store.clear()
    write({})
    assert not folder.exists()
    assert "unsent" not in capsys.readouterr().err


@pytest.mark.parametrize(("one", "other"), [({"a/b/c": "1", "x": "x"}, {"a": "2"}), ({"a": "1"}, {"a/b": "2"})])
def test_a_folder_may_become_a_file_and_a_file_a_folder(on, one, other):
    on("first")
    write(one)
    on("second")
    with mirrored(URL, writing=True) as folder:
        LocalCopy(folder).clear([])
        make(folder, other)
    on("first")
    assert had(write({})) == other
    with mirrored(URL, writing=False) as folder:
        assert had(folder) == other


def test_what_is_not_wanted_is_removed_and_no_link_is_followed(tmp_path):
    make(tmp_path, {"own/a": "a", "own/b/c": "c", "own/d/e": "e", "else/precious": "p"})
    (tmp_path / "own/link").symlink_to(tmp_path / "else")
    (tmp_path / "own/empty/er").mkdir(parents=True)
    LocalCopy(tmp_path / "own").clear(["a", "d/e", "link"])
    assert sorted(path.name for path in (tmp_path / "own").rglob("*")) == ["a", "d", "e"]
    assert (tmp_path / "else/precious").exists()


def test_a_file_is_absent_or_differs(tmp_path):
    make(tmp_path, {"a": "a"})
    own = entry_of(tmp_path / "a", 1)
    assert [absent(tmp_path / each, own) for each in ("a", "b", "b/c", "a/c")] == [False, True, True, False]
    assert not differs(tmp_path / "a", own)
    assert differs(tmp_path / "b", Entry(own.sha256, 0))
    assert differs(tmp_path / "a", Entry("0" * 64, 1))
    assert differs(tmp_path / "a", Entry(own.sha256, 2))
