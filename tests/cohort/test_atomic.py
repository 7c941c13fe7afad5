"""Atomic: the old file or the new one, whatever happens in between."""

import errno
import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.atomic import _HOST, parse_toml, read_json, replacing, sweep, write_json, write_text
from hepatica.cohort.errors import RunError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_a_new_file_appears_with_its_folders(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "Leber ü\n")
    assert (tmp_path / "a" / "b" / "c.txt").read_text(encoding="utf-8") == "Leber ü\n"


def test_nothing_is_seen_before_the_end_and_nothing_is_left_after_it(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert (temporary.parent, temporary.suffix) == (path.parent, ".csv")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, kind):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def stopped_half_way():
        with replacing(path) as temporary:
            temporary.write_text("ha")
            raise kind

    with pytest.raises(kind):
        stopped_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_processes_left_is_swept_and_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    dead = tmp_path / "a" / f".b.c.{_HOST}-{2**22 + 1}-0123abcd.part.csv"
    others = [tmp_path / name for name in (".download.part", f".x.ffffffff-{2**22 + 1}-1.part.csv", "x.csv")]
    for path in (dead, *others):
        path.touch()
    with replacing(tmp_path / "table.csv") as temporary:
        temporary.write_text("new")
        sweep(tmp_path)
        assert temporary.exists()
    assert not dead.exists()
    assert all(path.exists() for path in others)


def test_a_block_that_writes_nothing_leaves_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_text() == "old"


def test_writers_of_one_file_at_once_do_not_share_a_temporary_file(tmp_path):
    path = tmp_path / "table.csv"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"


def test_a_full_disk_is_told_with_the_file_it_happened_to(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: .*table\.csv"), replacing(tmp_path / "table.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_names_its_own_file_or_none_is_left_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"source\.svs"), replacing(tmp_path / "table.csv"):
        (tmp_path / "source.svs").read_bytes()
    with pytest.raises(OSError, match=r"^broken pipe to the scanner$"), replacing(tmp_path / "table.csv"):
        raise OSError("broken pipe to the scanner")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "run").write_text("a file, not a folder")
    with pytest.raises(OSError, match="run"):
        write_text(tmp_path / "run" / "card.md", "text")


@settings(deadline=None, max_examples=50)
@given(JSON)
def test_json_comes_back_as_it_was_written(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "content.json"
    write_json(path, content)
    assert read_json(path) == content


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_json_cannot_hold_is_refused_before_the_old_file_goes(tmp_path, number):
    path = tmp_path / "metrics.json"
    write_json(path, {"auroc": 0.5})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"auroc": number})
    assert json.loads(path.read_text()) == {"auroc": 0.5}


@pytest.mark.parametrize("damaged", [b"", b"{", b"\xff"])
def test_damaged_json_is_told_in_one_line(tmp_path, damaged):
    (tmp_path / "model.json").write_bytes(damaged)
    with pytest.raises(RunError, match=r"model.json is damaged .* restore it"):
        read_json(tmp_path / "model.json")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10**6 + " = 1",
        ".".join("a" * 50_000) + " = 1",
        "a = {" + " . ".join(['"b.c"'] * 50_000) + " = 1}",
        "a = " + "[" * 10_000,
    ],
)
def test_toml_that_would_take_minutes_or_the_stack_is_refused_at_once(text: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(ValueError, match=r"more than|too deeply"):
        parse_toml(text)
    assert time.perf_counter() - begun < 1


def test_toml_as_people_write_it_is_read() -> None:
    text = 'notes = "' + "www.hospital.org/a.b.c. " * 100 + '"\n' + "\n".join(f"a.b.k{n} = {n}.5" for n in range(5_000))
    assert len(parse_toml(text)["a"]["b"]) == 5_000
