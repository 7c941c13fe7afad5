"""Viewers: they answer, keep their limits, and one that dies is replaced."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from hepatica.cohort.errors import SpecimenError, UnavailableError
from hepatica.serve.refusals import TooOftenError
from hepatica.serve.views.viewers import Viewers

MEMORY = 2**30
MADE = """
import os, time
from hepatica.cohort.errors import SpecimenError

def fill():
    taken = []
    while True:
        taken.append(b"x" * 2**26)
        time.sleep(0.02)

def refuse(path):
    raise SpecimenError(f"{path.name} is no slide")

def die_once(mark):  # as where another page's file has ended the process
    if not mark.exists():
        mark.touch()
        os._exit(1)
    return "answered"
"""
SERVER = """
import os, time
from hepatica.serve.refusals import TooOftenError
from hepatica.serve.views.viewers import Viewers
if __name__ == "__main__":
    print(Viewers(memory=2**30).ask(os.getpid), flush=True)
    time.sleep(100)
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module that viewers can import too."""
    (tmp_path / "made_for_viewers.py").write_text(MADE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "made_for_viewers", raising=False)
    return import_module("made_for_viewers")


@pytest.fixture
def viewers() -> Iterator[Viewers]:
    found = Viewers(memory=MEMORY, seconds=3)
    yield found
    found.close()


def test_another_process_answers(viewers: Viewers, made: Any) -> None:
    assert viewers.ask(os.getpid) != os.getpid()
    with pytest.raises(SpecimenError, match=r"^a.svs is no slide$"):
        viewers.ask(made.refuse, Path("a.svs"))


@pytest.mark.parametrize(("what", "given"), [("fill", ()), ("time.sleep", (60,)), ("os._exit", (1,))])
def test_what_it_cannot_bear_is_refused_and_the_next_is_answered(
    viewers: Viewers, made: Any, what: str, given: tuple[int, ...]
) -> None:
    with pytest.raises(UnavailableError, match="more than 1024 MiB of memory or 3 s"):
        viewers.ask(attrgetter(what)(made), *given)
    assert viewers.ask(abs, -1) == 1


def test_time_is_up_also_for_a_reader_that_lets_no_thread_run(viewers: Viewers) -> None:
    began = time.monotonic()
    with pytest.raises(UnavailableError):
        viewers.ask(sum, range(10**10))
    assert time.monotonic() - began < 60


def test_bad_files_take_the_viewers_from_none(viewers: Viewers) -> None:
    with ThreadPoolExecutor(6) as pool:
        slow = pool.submit(viewers.ask, time.sleep, 1)
        bad = [pool.submit(viewers.ask, os._exit, 1) for _ in range(5)]
        assert slow.result() is None
        assert all(isinstance(each.exception(), UnavailableError) for each in bad)


def test_who_waits_too_long_for_a_turn_is_refused(viewers: Viewers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hepatica.serve.views.viewers.PATIENCE_S", 0.01)
    viewers._turns = threading.BoundedSemaphore(1)
    with viewers._turns, pytest.raises(TooOftenError):
        viewers.ask(abs, -1)


def test_ending_waits_for_no_answer() -> None:
    found = Viewers(memory=MEMORY)
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(found.ask, time.sleep, 50) for _ in range(5)]
        while not found._pool:
            time.sleep(0.01)
        time.sleep(0.5)
        found.close()
        assert all(isinstance(each.exception(timeout=20), UnavailableError) for each in asked)


def test_who_shares_a_process_with_what_ended_it_is_answered(viewers: Viewers, made: Any, tmp_path: Path) -> None:
    assert viewers.ask(made.die_once, tmp_path / "mark") == "answered"


def test_they_end_with_a_server_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    server = subprocess.Popen([sys.executable, tmp_path / "server.py"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    viewer = int(server.stdout.readline())
    server.send_signal(signal.SIGKILL)
    server.communicate()
    until = time.monotonic() + 60
    while alive(viewer):
        assert time.monotonic() < until
        time.sleep(0.1)


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
