"""Mirror: a folder in a store is always as it was at one instant, whatever ends who writes it."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hepatica.cohort import RunError, UnavailableError
from hepatica.cohort.atomic import write_text
from hepatica.cohort.remote import mirror
from hepatica.cohort.remote.far_folder import FarFolder
from hepatica.cohort.remote.local_copy import LocalCopy
from hepatica.cohort.remote.mirror import mirrored, url_of

URL = "memory://bucket/pat 1/out"
KEY = "/bucket/pat 1/out/"
BEFORE = {"same.csv": "same", "table.csv": "old", "log.jsonl": "1\n", "prepared/parts/1": "part", "seal.json": "old"}
AFTER = {"same.csv": "same", "table.csv": "newer", "log.jsonl": "1\n2\n", "sub/new.bin": "", "seal.json": "new"}

THIRD = {"same.csv": "same", "table.csv": "third", "sub/new.bin": "third"}
WITHOUT = {"same.csv": "same", "other.csv": "third"}
"""Has neither what a push that was ended had sent, nor what that was to replace."""


class Killed(BaseException):
    """What no handler of errors holds up."""


@pytest.fixture(autouse=True)
def store(memory_store):
    return memory_store


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """`elsewhere()`: from here on this is another machine, whose disk is empty."""
    numbers = count()
    return lambda: monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / f"machine {next(numbers)}"))


@pytest.fixture
def acts(monkeypatch):
    """What was done to the store, in order; `kill_at` an act nothing more happens to it."""

    class Acts(list):
        kill_at = 10**6

    found = Acts()

    def counted(name, own):
        def act(self, path, *words, **more):
            if name != "_open" or "wb" in (*words, *more.values()):
                if len(found) >= found.kill_at:
                    raise Killed
                found.append((name, (words[0] if name == "cp_file" else path).removeprefix(KEY)))
            return own(self, path, *words, **more)

        return act

    for name in ("_open", "cp_file", "rm_file"):
        monkeypatch.setattr(MemoryFileSystem, name, counted(name, getattr(MemoryFileSystem, name)))
    return found


def make(folder: Path, wanted: dict[str, str]) -> None:
    for path in list(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        if not (folder / name).exists() or (folder / name).read_text() != text:
            write_text(folder / name, text)


def had(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def write(wanted: dict[str, str]) -> None:
    with mirrored(URL, writing=True) as folder:
        make(folder, wanted)


def objects(store) -> dict[str, str]:
    return {
        key.removeprefix(KEY): body.getvalue().decode() for key, body in store.items() if not key.endswith(".json.")
    }


@pytest.mark.parametrize(
    ("place", "url"),
    [
        (Path("s3://bucket/a/b"), "s3://bucket/a/b"),
        ("s3://bucket/a/", "s3://bucket/a"),
        (Path("S3://b"), "S3://b"),
        (Path("/srv/out"), ""),
        (Path("out"), ""),
        (Path("a:b"), ""),
        (Path("C:/out"), ""),
    ],
)
def test_a_path_that_was_given_as_a_url_is_one_again(place, url):
    assert url_of(place) == url


def test_a_local_folder_is_taken_as_it_is(tmp_path, acts):
    with mirrored(tmp_path / "out", writing=True) as folder:
        assert folder == tmp_path / "out"
    assert acts == []


def test_results_lie_under_their_names_and_come_back_elsewhere(store, elsewhere):
    write(AFTER)
    files = objects(store)
    assert json.loads(files.pop(".hepatica.json"))["files"].keys() == AFTER.keys()
    assert files == AFTER
    elsewhere()
    with mirrored(URL, writing=True) as folder:
        assert had(folder) == AFTER
        assert folder.name == "out"


def test_only_what_changed_is_sent(acts):
    write(BEFORE)
    acts.clear()
    write(BEFORE)
    assert acts == []
    with mirrored(URL, writing=True) as folder:
        write_text(folder / "table.csv", "old")
    assert acts == []
    write(AFTER)
    sent = [path for act, path in acts if act == "_open"]
    assert len(sent) == len({"sub/new.bin", "table.csv", "log.jsonl", "seal.json", ".hepatica.json"})
    assert sum(path.startswith(".staged/") for path in sent) == 4
    assert sent[-1] == ".hepatica.json"
    moved = {path for act, path in acts if act == "cp_file"}
    assert moved == {"sub/new.bin", "table.csv", "log.jsonl", "seal.json"}


def killed(acts, moment: int) -> bool:
    """Whether what turns BEFORE into AFTER in the store was killed at that act of it."""
    write(BEFORE)
    acts.clear()
    acts.kill_at = moment
    try:
        write(AFTER)
    except Killed:
        return True
    finally:
        acts.kill_at = 10**6
    return False


@pytest.mark.parametrize("third", [THIRD, WITHOUT])
def test_a_kill_at_any_moment_leaves_the_state_of_one_instant(acts, store, elsewhere, third):
    states = []
    for moment in count():
        store.clear()
        elsewhere()
        if not killed(acts, moment):
            break
        elsewhere()
        with mirrored(URL, writing=False) as folder:
            seen = had(folder)
        states.append(seen in ({name: text for name, text in BEFORE.items() if "/" not in name}, AFTER))
        elsewhere()
        write(third)
        files = objects(store)
        assert files.pop(".hepatica.json")
        assert files == third, moment
    assert len(states) >= 12
    assert all(states)


def test_after_a_kill_the_same_machine_goes_on_where_it_was(acts, elsewhere):
    for moment in range(20):
        elsewhere()
        MemoryFileSystem.store.clear()
        if killed(acts, moment):
            with mirrored(URL, writing=True) as folder:
                assert had(folder).items() >= AFTER.items(), moment
                assert had(folder).keys() - AFTER.keys() <= {"prepared/parts/1"}, moment  # which it may still need
    assert len(acts) < 20


def test_what_another_machine_made_since_replaces_the_copy(elsewhere, monkeypatch, tmp_path):
    monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / "first"))
    write(BEFORE)
    elsewhere()
    write(AFTER)
    monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / "first"))
    with mirrored(URL, writing=True) as folder:
        (folder / "jobs.sqlite").touch()
        assert had(folder) == AFTER | {"jobs.sqlite": ""}
    elsewhere()
    write(BEFORE)
    monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / "first"))
    with mirrored(URL, writing=True) as folder:
        assert had(folder) == BEFORE


def test_a_copy_that_was_half_brought_is_not_taken_for_an_earlier_state(elsewhere, monkeypatch, tmp_path):
    monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / "first"))
    write(BEFORE)
    elsewhere()
    write(BEFORE | {"table.csv": "newer", "seal.json": "newer"})
    monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / "first"))
    bring = FarFolder.bring

    def stopped(self, name, entry, **where):
        if name != "table.csv":
            raise Killed
        bring(self, name, entry, **where)

    with monkeypatch.context() as patch:
        patch.setattr(FarFolder, "bring", stopped)
        with pytest.raises(Killed):
            write(BEFORE)
    elsewhere()
    write(BEFORE)
    monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / "first"))
    with mirrored(URL, writing=True) as folder:
        assert had(folder) == BEFORE


def test_what_another_process_is_about_to_send_is_left_until_this_one_sends(store):
    write(BEFORE)
    MemoryFileSystem().pipe_file(f"{KEY}.staged/{'0' * 64}", b"theirs")
    with mirrored(URL, writing=True) as folder:
        assert f".staged/{'0' * 64}" in objects(store)
        make(folder, AFTER)
    assert objects(store).keys() == {*AFTER, ".hepatica.json"}


def test_two_who_write_find_out(elsewhere, monkeypatch, tmp_path):
    monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / "first"))
    with ExitStack() as held:
        make(held.enter_context(mirrored(URL, writing=True)), BEFORE)
        elsewhere()
        write(AFTER)
        monkeypatch.setenv("HEPATICA_MIRRORS", str(tmp_path / "first"))
        with pytest.raises(RunError, match="another process has written to the same place") as raised:
            held.close()
    assert "pat 1" not in str(raised.value)
    elsewhere()
    with mirrored(URL, writing=False) as folder:
        assert had(folder) == AFTER


def test_two_of_one_machine_find_out_at_once():
    with (
        mirrored(URL, writing=True),
        pytest.raises(RunError, match="another process of this machine"),
        mirrored(URL, writing=True),
    ):
        pass


def test_what_is_only_read_has_no_prepared_files_and_is_never_written(elsewhere, acts):
    write(BEFORE | {"work/1": "x", "workshop": "x"})
    elsewhere()
    acts.clear()
    with mirrored(URL, writing=False) as folder:
        assert had(folder) == {name: text for name, text in BEFORE.items() if "/" not in name} | {"workshop": "x"}
        (folder / "page.html").touch()
    assert acts == []


@pytest.mark.parametrize("fault", ["changed", "longer", "removed"])
def test_a_file_that_was_changed_in_the_store_is_named(store, elsewhere, fault):
    write(BEFORE)
    if fault == "removed":
        del store[f"{KEY}table.csv"]
    else:
        MemoryFileSystem().pipe_file(f"{KEY}table.csv", b"new" if fault == "changed" else b"older")
    elsewhere()
    for writing in (False, True):
        with (
            pytest.raises(RunError, match=r"^table.csv in the store was changed or removed") as raised,
            mirrored(URL, writing=writing),
        ):
            pass
        assert "pat 1" not in str(raised.value)


def test_a_reader_takes_what_is_written_while_it_reads(elsewhere, monkeypatch):
    write(BEFORE)
    bring, once = FarFolder.bring, [elsewhere]

    def meanwhile(self, name, entry, **where):
        if name == "table.csv" and once:
            once.pop()()
            write(AFTER)
        bring(self, name, entry, **where)

    elsewhere()
    monkeypatch.setattr(FarFolder, "bring", meanwhile)
    with mirrored(URL, writing=False) as folder:
        assert had(folder) == AFTER


def test_a_hostile_manifest_writes_nothing_elsewhere(store, tmp_path):
    write(BEFORE)
    text = json.loads(MemoryFileSystem().cat_file(f"{KEY}.hepatica.json"))
    text["files"]["../../../../x"] = text["files"]["table.csv"]
    MemoryFileSystem().pipe_file(f"{KEY}.hepatica.json", json.dumps(text).encode())
    with pytest.raises(RunError, match="cannot be called"), mirrored(URL, writing=False):
        pass
    assert not list(tmp_path.rglob("x"))


def test_a_place_of_others_is_left_alone(store):
    MemoryFileSystem().pipe_file(f"{KEY}theirs.csv", b"theirs")
    with pytest.raises(RunError, match="not empty and has no"), mirrored(URL, writing=True):
        pass
    with pytest.raises(RunError, match="no folder there that hepatica wrote"), mirrored(URL, writing=False):
        pass
    assert objects(store) == {"theirs.csv": "theirs"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://host/out", "of the kind 'https' for results, wanted one of abfs"),
        ("file:///tmp/out", "of the kind 'file'"),
        ("s3://b::memory://x", "joined by ::"),
    ],
)
def test_other_stores_are_refused(url, said):
    with pytest.raises(UnavailableError, match=said), mirrored(url, writing=True):
        pass


def test_offline_refuses_before_anything_is_asked(monkeypatch, acts):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for writing in (False, True):
        with pytest.raises(UnavailableError, match="--offline"), mirrored(URL, writing=writing):
            pass
    assert acts == []


def fail(first: Callable[[], None]) -> None:
    def command() -> None:
        with mirrored(URL, writing=True) as folder:
            make(folder, BEFORE)
            first()
            raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        command()


def test_what_was_made_is_sent_although_the_command_fails(store, capsys):
    fail(lambda: None)
    assert objects(store).items() >= BEFORE.items()
    assert capsys.readouterr().err == ""


def test_a_name_that_no_store_takes_keeps_nothing_else_from_being_sent(store, monkeypatch, capsys):
    with (
        pytest.raises(
            RunError, match=r"no file can be called 'a: x.csv' in a store and 2 more; all else was sent"
        ) as raised,
        mirrored(URL, writing=True) as folder,
    ):
        make(folder, BEFORE | {"a: x.csv": "", "b#": "", "y" * 200 + "/" + "z" * 200 + "?": ""})
    assert str(folder) in str(raised.value)
    assert objects(store).items() >= BEFORE.items()
    assert not any("#" in name for name in objects(store))
    assert "name later commands the URL" not in capsys.readouterr().err
    with pytest.raises(RunError, match="in a store; all else was sent"), mirrored(URL, writing=True) as folder:
        make(folder, AFTER | {"b#": ""})
    assert objects(store).keys() == {*AFTER, ".hepatica.json"}


def test_the_command_s_own_error_goes_before_that_of_the_store(monkeypatch, capsys):
    fail(lambda: monkeypatch.setattr(MemoryFileSystem, "pipe_file", lambda *_, **__: 1 / 0))
    assert "not sent: the store cannot be read or written (ZeroDivisionError)" in capsys.readouterr().err


def test_it_is_sent_while_the_command_runs_and_a_fault_is_outlived(store, monkeypatch, capsys):
    monkeypatch.setattr(mirror, "EVERY", 0.01)
    sent, push = Event(), mirror._Mirror.push
    faults = [OSError("the network"), UnavailableError("the store")]

    def pushed(self):
        if faults:
            raise faults.pop()
        push(self)
        sent.set()

    monkeypatch.setattr(mirror._Mirror, "push", pushed)
    with mirrored(URL, writing=True) as folder:
        make(folder, BEFORE)
        while f"{KEY}seal.json" not in store:
            sent.clear()
            assert sent.wait(10)
    said = capsys.readouterr().err
    assert "not sent: the store; the command goes on\nnot sent: the network; the command goes on\n" in said
    assert "name later commands the URL" in said


def test_a_commit_that_came_through_unheard_is_known(store, monkeypatch, elsewhere):
    """The store has the new manifest, but its answer was lost: what comes next builds on that one."""
    own = FarFolder.name

    def unheard(self, manifest):
        own(self, manifest)
        raise UnavailableError("no answer")

    write(BEFORE)
    with mirrored(URL, writing=True) as folder:
        copy = mirror._Mirror(far=FarFolder(URL), own=LocalCopy(folder))
        copy.pull()
        make(folder, AFTER)
        with monkeypatch.context() as patch:
            patch.setattr(FarFolder, "name", unheard)
            with pytest.raises(UnavailableError):
                copy.push()
        write_text(folder / "sub/new.bin", "third")
        kept = dict(AFTER)
        with monkeypatch.context() as patch:
            patch.setattr(FarFolder, "name", lambda *_: (_ for _ in ()).throw(UnavailableError("no way")))
            with pytest.raises(UnavailableError):
                copy.push()
        elsewhere()
        with mirrored(URL, writing=False) as seen:
            assert had(seen) == kept
        copy.push()
    files = objects(store)
    assert files.pop(".hepatica.json")
    assert files == AFTER | {"sub/new.bin": "third"}


def test_a_command_that_makes_no_run_begins_none(store):
    with (
        pytest.raises(RunError, match="no folder there that hepatica wrote"),
        mirrored(URL, writing=True, new=False),
    ):
        pytest.fail("entered")
    assert objects(store) == {}
