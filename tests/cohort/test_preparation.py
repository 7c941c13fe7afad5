"""Preparation: each specimen once, by its content; faults stay with the specimen they are of."""

import errno
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest

from hepatica.cohort import Ledger, Specimen, SpecimenError, UnavailableError
from hepatica.cohort.digests import content_digest
from hepatica.cohort.preparation import (
    content_of,
    gather,
    prepare_each,
    selected,
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


@dataclass(frozen=True)
class Store:
    index: pd.DataFrame
    specimens: pd.DataFrame
    failures: pd.DataFrame
    other: str


def test_all_tables_of_a_store_keep_the_rows_wanted_in_their_order() -> None:
    rows = pd.DataFrame({"patient_id": list("ABCA"), "specimen_id": list("1234")})
    store = Store(index=rows, specimens=rows.iloc[::-1], failures=rows[:0], other="kept")
    found = selected(store, patient_id=iter("CA"), specimen_id=None)
    assert found.index["specimen_id"].tolist() == ["1", "3", "4"]
    assert found.specimens["specimen_id"].tolist() == ["4", "3", "1"]
    assert found.specimens.index.tolist() == [0, 1, 2]
    assert selected(store, patient_id="A", specimen_id="4").index["specimen_id"].tolist() == ["4"]
    assert found.failures.empty
    assert found.other == "kept"
