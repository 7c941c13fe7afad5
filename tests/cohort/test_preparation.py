"""Preparation: each specimen once, by its content; faults stay with the specimen they are of."""

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pytest

from hepatica.cohort import HepaticaError, Ledger, Specimen, SpecimenError, UnavailableError, preparation
from hepatica.cohort.digests import content_digest
from hepatica.cohort.preparation import (
    Store,
    content_of,
    gather,
    prepare_each,
    specimen_key,
)


def specimen(path: Path, *, row: int = 2) -> Specimen:
    return Specimen(patient_id="P", specimen_id="S", modality="ct", path=path, row=row)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    (folder / "inner").mkdir(parents=True)
    (folder / "a").write_bytes(b"one")
    (folder / "inner" / "b").write_bytes(b"other")
    return folder


def test_content_counts_and_names_do_not(study: Path, tmp_path: Path) -> None:
    before = content_digest(study)
    (study / "a").rename(study / "z")
    assert content_digest(study) == before
    (study / "z").write_bytes(b"One")
    assert content_digest(study) != before
    (tmp_path / "file").write_bytes(b"one")
    (tmp_path / "twin").write_bytes(b"one")
    assert content_digest(tmp_path / "file") == content_digest(tmp_path / "twin") != before


def test_settings_are_in_the_key(study: Path) -> None:
    keys = {specimen_key(specimen(study), settings=each) for each in ({"side": 1}, {"side": 2}, {})}
    assert len(keys) == 3


@pytest.mark.parametrize("what", ["nothing", "an empty file", "an empty folder"])
def test_what_is_not_there_is_told_apart_by_its_row(tmp_path: Path, what: str) -> None:
    path = tmp_path / "x"
    if what == "an empty file":
        path.touch()
    if what == "an empty folder":
        path.mkdir()
    assert content_digest(path) == b""
    one, other = (specimen_key(specimen(path, row=row), settings={}) for row in (2, 3))
    assert one != other


def test_one_fault_stops_nobody(tmp_path: Path) -> None:
    ledger, made = Ledger(tmp_path / "ledger"), []

    def make(key: str, each: Specimen) -> None:
        if key == "bad":
            raise SpecimenError("broken")
        made.append(key)

    work = {key: replace(specimen(tmp_path), row=row) for row, key in enumerate(("a", "bad", "c"), start=2)}
    prepare_each(work, make, ledger=ledger, label="x", workers=2)
    assert sorted(made) == ["a", "c"]
    assert ledger.error("bad") == "SpecimenError: broken"
    assert ledger.read("bad")["row"] == 3
    assert ledger.error("a") is None


def test_full_disk_is_told_once(tmp_path: Path) -> None:
    def make(key: str, each: Specimen) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UnavailableError, match=r"No space left on device.*start again"):
        prepare_each({"a": specimen(tmp_path)}, make, ledger=Ledger(tmp_path / "l"), label="x", workers=1)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TypeError("'NoneType' object: /x/Jane Doe 1970.svs"), "(TypeError)"),
        (MemoryError(), "(MemoryError)"),
        (RecursionError("maximum depth"), "(RecursionError)"),
        (ZeroDivisionError("of Jane Doe 1970"), "(ZeroDivisionError)"),
        (OSError(errno.EIO, "Input/output error", "/x/Jane Doe 1970.svs"), "(OSError: Input/output error)"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x/Jane Doe 1970.svs"),
            "(PermissionError: Permission denied)",
        ),
        (ValueError("x" * 5000), "(ValueError)"),
    ],
)
def test_whatever_a_reader_raises_is_of_one_specimen_and_names_no_file(
    tmp_path: Path, error: Exception, said: str
) -> None:
    made = []

    def make(key: str, each: Specimen) -> None:
        if key == "bad":
            raise error
        made.append(key)

    ledger = Ledger(tmp_path / "prepared" / "ledger")
    work = {key: specimen(Path("/x/Jane Doe 1970.svs"), row=row) for row, key in enumerate(("bad", "b", "c"), start=2)}
    prepare_each(work, make, ledger=ledger, label="x", workers=1)
    assert made == ["b", "c"]
    assert (
        ledger.error("bad")
        == f"SpecimenError: the file cannot be read {said}: it is damaged or of an unknown kind; send it again"
    )


def test_what_cannot_be_written_is_of_all_specimens(tmp_path: Path) -> None:
    def make(key: str, each: Specimen) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "prepared" / "a.safetensors"))

    ledger = Ledger(tmp_path / "prepared" / "ledger")
    with pytest.raises(UnavailableError, match="cannot be written"):
        prepare_each({"a": specimen(tmp_path)}, make, ledger=ledger, label="x", workers=1)


def test_a_key_tells_equal_content_whatever_it_is_read_by(study: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    keys = [specimen_key(specimen(study), settings=each) for each in ({"side": 1}, {"side": 2})]
    keys.append(specimen_key(specimen(tmp_path / "other"), settings={"side": 1}))
    one, same, other = content_of(pd.Series(keys))
    assert one == same != other


def test_what_was_made_is_gathered_and_what_was_not_is_told(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    with ledger.entry("b", row=3):
        raise SpecimenError("torn")
    keys = {specimen(tmp_path / "one"): "a", specimen(tmp_path / "two", row=3): "b"}
    found, failures = gather(keys, {"a": 5}.get, ledger=ledger, wanted="files gave a line")
    assert found == [({"patient_id": "P", "specimen_id": "S", "key": "a"}, 5)]
    assert failures[["row", "error"]].to_numpy().tolist() == [[3, "torn"]]
    with pytest.raises(SpecimenError, match="none of 2 files gave a line; row 2: no reason recorded"):
        gather(keys, {}.get, ledger=ledger, wanted="files gave a line")


@dataclass(frozen=True, kw_only=True)
class Named(Store):
    other: str


def test_all_tables_of_a_store_keep_the_rows_wanted_in_their_order() -> None:
    rows = pd.DataFrame({"patient_id": list("ABCA"), "specimen_id": list("1234")})
    store = Named(index=rows, specimens=rows.iloc[::-1], failures=rows[:0], other="kept")
    found = store.select(patient_ids=iter("CA"))
    assert found.index["specimen_id"].tolist() == ["1", "3", "4"]
    assert found.specimens["specimen_id"].tolist() == ["4", "3", "1"]
    assert found.specimens.index.tolist() == [0, 1, 2]
    assert store.select(patient_ids="A", specimen_ids="4").index["specimen_id"].tolist() == ["4"]
    assert found.failures.empty
    assert found.other == "kept"


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


def test_a_specimen_never_tried_has_no_attempt(ledger):
    assert ledger.read("abc") == {"attempts": []}
    assert ledger.error("abc") is None


def test_an_attempt_that_ends_well_is_finished(ledger):
    with ledger.entry("abc", row=4):
        (open_attempt,) = ledger.read("abc")["attempts"]
        assert open_attempt["started"]
        assert (open_attempt["finished"], open_attempt["error"]) == (None, None)
    record = ledger.read("abc")
    (attempt,) = record["attempts"]
    assert record["row"] == 4
    assert datetime.fromisoformat(attempt["started"]) <= datetime.fromisoformat(attempt["finished"])
    assert attempt["error"] is ledger.error("abc") is None


@pytest.mark.parametrize("kind", [HepaticaError, SpecimenError, UnavailableError])
def test_what_a_user_can_mend_is_recorded_and_goes_no_further(ledger, kind):
    with ledger.entry("abc", row=2):
        raise kind("got 0 bytes, wanted a slide")
    assert ledger.error("abc") == f"{kind.__name__}: got 0 bytes, wanted a slide"
    assert ledger.read("abc")["attempts"][0]["finished"] is None


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ValueError, OSError, MemoryError])
def test_any_other_fault_is_recorded_and_raised(ledger, kind):
    with pytest.raises(kind, match="why"), ledger.entry("abc", row=2):
        raise kind("why")
    assert ledger.error("abc") == f"{kind.__name__}: why"


def test_attempts_add_up_and_the_last_one_counts(ledger):
    with ledger.entry("abc", row=2):
        raise SpecimenError("truncated")
    with ledger.entry("abc", row=3):
        pass
    record = ledger.read("abc")
    assert [attempt["error"] for attempt in record["attempts"]] == ["SpecimenError: truncated", None]
    assert record["row"] == 3
    assert ledger.error("abc") is None


def test_a_killed_attempt_stays_open_and_the_next_follows_it(ledger):
    script = (
        "import os, signal, sys; from pathlib import Path; from hepatica.cohort.preparation import Ledger\n"
        "with Ledger(Path(sys.argv[1])).entry('abc', row=2): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, os.fspath(ledger.folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (attempt,) = ledger.read("abc")["attempts"]
    assert attempt["started"]
    assert (attempt["finished"], attempt["error"]) == (None, None)
    with ledger.entry("abc", row=2):
        pass
    assert [bool(each["finished"]) for each in ledger.read("abc")["attempts"]] == [False, True]


def test_specimens_do_not_mix_and_files_are_plain_json(ledger):
    with ledger.entry("abc", row=2):
        raise SpecimenError("Größe 0")
    with ledger.entry("def", row=3):
        pass
    assert sorted(path.name for path in ledger.folder.iterdir()) == ["abc.json", "def.json"]
    assert json.loads((ledger.folder / "abc.json").read_text(encoding="utf-8"))["row"] == 2
    assert (ledger.error("abc"), ledger.error("def")) == ("SpecimenError: Größe 0", None)


def test_where_there_is_no_terminal_lines_say_what_is_done_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 10.0, 40.0, 50.0, 80.0])
    monkeypatch.setattr(preparation.time, "monotonic", lambda: next(clock))
    assert list(preparation.tracked(iter("abcd"), "Cutting", 4)) == [*"abcd"]
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["Cutting: 2 of 4, 40 s left", "Cutting: 4 of 4"]  # 2 in 40 s; none within 30 s of another
    assert preparation.in_words(200) == "3 min"
    assert preparation.in_words(3 * 3600) == "3.0 h"


def test_specimens_prepared_one_by_one_do_not_look_through_the_folder_each(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(preparation, "_sweep_once", lru_cache(looked.append))
    for key in ("a", "b"):
        one = {key: specimen(study)}
        prepare_each(one, lambda key, each: None, ledger=Ledger(tmp_path / "out" / "l"), label="x", workers=1)
    assert looked == [tmp_path / "out"]
