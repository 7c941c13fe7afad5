"""Digests: of every byte, computed once as long as the files stay as they are, and by row for a cohort."""

import hashlib
import os
import time
from multiprocessing import get_context
from pathlib import Path

import pytest

from hepatica.cohort import RunError, Specimen
from hepatica.cohort import digests as module
from hepatica.cohort.digests import (
    CONTENT,
    content_digest,
    content_digests,
    contents,
    digest_once,
    file_digest,
    refuse_replaced,
    remember,
)

LARGE = 40 * 2**20


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_known", {})
    return tmp_path / "cache" / "hepatica" / "digests"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "slide.svs"
    path.write_bytes(bytes(LARGE))
    return path


def settle(monkeypatch: pytest.MonkeyPatch, *, seconds: int = 3) -> None:
    """As if the files had been there for a while."""
    now = time.time_ns() + seconds * 10**9
    monkeypatch.setattr(module.time, "time_ns", lambda: now)


def change(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\1" * 2**21)


@pytest.mark.parametrize("place", [0, LARGE // 32 + 65536, LARGE - 2**21])
def test_two_of_forty_megabytes_changed_in_place_are_seen(
    large: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    settle(monkeypatch)
    before, times = content_digest(large), large.stat()
    change(large, place)
    os.utime(large, ns=(times.st_atime_ns, times.st_mtime_ns))  # as a tool does that keeps the time
    assert content_digest(large) != before


def test_a_folder_is_seen_whole_whatever_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    for name in "ab":
        (tmp_path / "study").mkdir(exist_ok=True)
        (tmp_path / "study" / name).write_bytes(name.encode() * 200_000)
    before = content_digest(tmp_path / "study")
    (tmp_path / "study" / "a").rename(tmp_path / "study" / "z")
    assert content_digest(tmp_path / "study") == before
    (tmp_path / "study" / "z").write_bytes(b"a" * 100_000 + b"b" + b"a" * 99_999)
    assert content_digest(tmp_path / "study") != before


def test_a_large_file_is_read_once_by_all_commands(large: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    first = content_digest(large)
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr(module, "_known", {})
    monkeypatch.setattr(module, "_read", lambda *_: pytest.fail("read again"))
    assert content_digest(large) == first


def _read_all(paths: list[Path], log: Path) -> None:
    read = module._read

    def slowly(path: Path, algorithm: str) -> bytes:
        with log.open("a") as file:
            file.write(f"{path.name}\n")
        time.sleep(0.2)
        return read(path, algorithm)

    module._read = slowly
    assert content_digests(paths) == [hashlib.sha256(each.read_bytes()).digest() for each in paths]


def test_processes_that_need_the_same_large_files_each_read_some(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    monkeypatch.setattr(module, "_LARGE", 1)
    paths = [tmp_path / f"{number}.svs" for number in range(12)]
    for each in paths:
        each.write_bytes(each.name.encode())
    context = get_context("fork")
    processes = [context.Process(target=_read_all, args=(paths, tmp_path / "log")) for _ in range(3)]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    assert [each.exitcode for each in processes] == [0, 0, 0]
    assert sorted((tmp_path / "log").read_text().split()) == sorted(each.name for each in paths)
    assert len(list(cache.iterdir())) == len(paths)  # no lock is left


def test_a_digest_is_that_of_the_file_on_any_machine(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    first, here = content_digest(large), large.stat()

    class Elsewhere:
        st_dev = here.st_dev + 1

        def __getattr__(self, name: str) -> object:
            return getattr(here, name)

    monkeypatch.setattr(module, "_known", {})
    monkeypatch.setattr(module, "_read", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr(Path, "stat", lambda self, **_: Elsewhere())
    assert content_digest(large) == first


def test_a_cache_that_cannot_be_written_is_done_without(
    large: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    cache.parent.parent.mkdir()
    cache.parent.touch()  # no folder
    assert content_digest(large) == bytes.fromhex(file_digest(large))


def test_a_file_just_written_is_read_again(large: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch, seconds=0)
    content_digest(large)
    assert not cache.exists()
    assert module._known == {}


def test_a_digest_that_is_known_need_not_be_computed(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(large, "md5", b"known to be right")
    assert digest_once(large, "md5") == b"known to be right"
    change(large, 0)
    assert digest_once(large, "md5") == hashlib.md5(large.read_bytes()).digest()


def test_a_damaged_cache_is_not_used(large: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    first = content_digest(large)
    next(cache.iterdir()).write_bytes(b"half")
    monkeypatch.setattr(module, "_known", {})
    assert content_digest(large) == first == bytes.fromhex(file_digest(large))


def test_what_is_not_there_has_no_content(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    assert {content_digest(tmp_path / name) for name in ("empty", "folder", "none")} == {b""}


def specimen(path: Path, row: int, **attachments: Path) -> Specimen:
    return Specimen(patient_id="P", specimen_id=f"S{row}", modality="ct", path=path, row=row, attachments=attachments)


def test_contents_are_of_files_and_what_belongs_to_them(tmp_path: Path) -> None:
    for name in ("one", "twin", "mask", "s.SDAT", "s.SPAR"):
        (tmp_path / name).write_text("same" if name in ("one", "twin") else name)

    def now() -> dict[str, str]:
        return contents([
            specimen(tmp_path / "one", 2),
            specimen(tmp_path / "twin", 3, mask=tmp_path / "mask"),
            specimen(tmp_path / "s.SDAT", 4),
            specimen(tmp_path / "none", 5),
            specimen(tmp_path / "none", 6),
        ])  # fmt: skip

    before = now()
    assert list(before) == list("23456")
    assert before["2"] == before["3"][:CONTENT] != before["3"]
    assert before["5"] != before["6"]
    (tmp_path / "mask").write_text("other")
    (tmp_path / "s.SPAR").write_text("other")
    with pytest.raises(RunError, match=r"specimens.csv rows 3, 4: files were replaced since the training began; put"):
        refuse_replaced(now(), before, since="the training began")
    refuse_replaced(before, {"2": before["2"], "9": ""}, since="anything")
