"""Spool: a study is looked at when it is quiet, and a death at any moment leaves it so that it will be."""

import os
from pathlib import Path

import pytest
from dicom_images import ct_image

from hepatica.radiology.phantom.dicom import encoded
from hepatica.serve.node.received import Received, name_of, of_file
from hepatica.serve.node.spool import OPEN, Spool

STUDY = name_of("1.2.3")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def spool(tmp_path: Path, clock: Clock) -> Spool:
    return Spool(tmp_path, clock=clock)


def an_object(number: int = 1) -> Received:
    return of_file(encoded(ct_image(number)), caller="PACS")


def test_a_study_is_quiet_when_nothing_came_for_long_enough(spool: Spool, clock: Clock) -> None:
    spool.store(an_object(1))
    assert spool.quiet(for_s=60) == {}
    clock.now = 59
    spool.store(an_object(2))
    assert spool.quiet(for_s=60) == {}
    clock.now = 118
    assert spool.quiet(for_s=60) == {}
    clock.now = 119
    assert set(spool.quiet(for_s=60)) == {STUDY}


def test_another_process_adds_to_a_study(spool: Spool, clock: Clock, tmp_path: Path) -> None:
    spool.store(an_object(1))
    spool.quiet(for_s=60)
    clock.now = 59
    Spool(tmp_path).store(an_object(2))
    spool.quiet(for_s=60)
    clock.now = 61
    assert spool.quiet(for_s=60) == {}


def test_a_study_that_grew_while_it_was_submitted_stays_open(spool: Spool, clock: Clock) -> None:
    spool.store(an_object(1))
    (word,) = spool.quiet(for_s=0).values()
    spool.store(an_object(2))
    spool.close(STUDY, word=word)
    assert set(spool.quiet(for_s=0)) == {STUDY}
    (word,) = spool.quiet(for_s=0).values()
    spool.close(STUDY, word=word)
    assert spool.quiet(for_s=0) == {}


def test_the_wait_begins_anew_after_a_restart_whatever_the_clock_says(spool: Spool, tmp_path: Path) -> None:
    spool.store(an_object(1))
    os.utime(tmp_path / STUDY / OPEN, (2e9, 2e9))
    clock = Clock()
    again = Spool(tmp_path, clock=clock)
    assert again.quiet(for_s=60) == {}
    clock.now = 60
    assert set(again.quiet(for_s=60)) == {STUDY}


def test_a_death_before_the_object_is_there_leaves_the_study_open(spool: Spool, tmp_path: Path, monkeypatch) -> None:
    def dies(path: Path, content: bytes) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", dies)
        with pytest.raises(KeyboardInterrupt):
            spool.store(an_object(1))
    assert spool.images(STUDY) == []
    assert (tmp_path / STUDY / OPEN).exists()


def test_an_open_study_is_not_removed(spool: Spool) -> None:
    spool.store(an_object(1))
    spool.remove(STUDY)
    assert len(spool.images(STUDY)) == 1
    spool.close(STUDY, word=spool.quiet(for_s=0)[STUDY])
    spool.remove(STUDY)
    assert spool.studies() == []


def test_half_a_file_of_a_process_that_died_is_swept(spool: Spool, tmp_path: Path) -> None:
    spool.store(an_object(1))
    (path,) = spool.images(STUDY)
    from hepatica.cohort.atomic import _HOST

    half = path.with_name(f".x.{_HOST}-99999999-abcdef01.part.dcm")
    half.write_bytes(b"half")
    Spool(tmp_path)
    assert not half.exists()
    assert spool.images(STUDY) == [path]


def test_a_study_closed_while_an_object_was_written_is_open_afterwards(spool: Spool, monkeypatch) -> None:
    whole = Path.write_bytes

    def slow(path: Path, content: bytes) -> int:
        spool.close(STUDY, word=spool.quiet(for_s=0)[STUDY])
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", slow)
    spool.store(an_object(1))
    assert set(spool.quiet(for_s=0)) == {STUDY}
