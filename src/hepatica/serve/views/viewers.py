"""Viewers: processes that decode what was sent in, lest a file of a stranger exhaust or end the one that serves."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import ParamSpec, TypeVar

from hepatica.cohort.errors import UnavailableError
from hepatica.serve.guard import EVERY_S, resident
from hepatica.serve.refusals import TooOftenError

P = ParamSpec("P")
R = TypeVar("R")

COUNT = 2
"""Processes (ours): a study that takes seconds does not hold up the tiles of a slide."""

WAITING, PATIENCE_S = 16, 20.0
"""Questions that may wait for an answer, and seconds that a further one waits for its turn (ours): the threads of the
server, of which there are 40, must not all wait here.
"""

LONGEST_S = 60.0
"""Seconds that one answer may take (ours)."""

ENDING = "the workbench is ending; try again in a moment"
PRELOAD = ("hepatica.serve.views.slides", "hepatica.serve.views.volumes")


class Viewers:
    """Processes that answer what a page asks about a file, begun when first asked, each with at most `memory` bytes
    and `seconds` an answer. One that dies is replaced.
    """

    def __init__(self, *, memory: int, seconds: float = LONGEST_S) -> None:
        self._memory, self._seconds, self._lock = memory, seconds, threading.Lock()
        self._turns, self._closed = threading.BoundedSemaphore(WAITING), False
        self._pool: ProcessPoolExecutor | None = None

    def ask(self, what: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
        """What `what`, a function of a module, answers, or the error that it raises.

        UnavailableError where it needs too much memory or time, or ends its process; TooOftenError where too many wait.
        """
        if not self._turns.acquire(timeout=PATIENCE_S):
            raise TooOftenError("too many files are being opened; try again in a moment")
        try:
            return self._asked(partial(what, *args, **named))
        except CancelledError:
            raise UnavailableError(ENDING) from None
        finally:
            self._turns.release()

    def _asked(self, what: Callable[[], R]) -> R:
        pool = self._opened()
        try:
            return pool.submit(_answer, what, self._seconds).result()
        except BrokenProcessPool:
            self._replace(pool)
        alone = self._new(1)  # what ended the process may have been another's question
        try:
            return alone.submit(_answer, what, self._seconds).result()
        except BrokenProcessPool:
            raise UnavailableError(
                f"the file cannot be shown: it needs more than {self._memory >> 20} MiB of memory or {self._seconds:g}"
                " s, or its reader fails on it; take the file itself"
            ) from None
        finally:
            alone.shutdown(wait=False)

    def close(self) -> None:
        """End the processes, whatever they are at."""
        with self._lock:
            pool, self._pool, self._closed = self._pool, None, True
        if pool is not None:
            for each in list((pool._processes or {}).values()):  # Python 3.14 has kill_workers
                each.kill()
            pool.shutdown(cancel_futures=True)

    def _opened(self) -> ProcessPoolExecutor:
        with self._lock:
            self._pool = self._pool or self._new(COUNT)
            return self._pool

    def _new(self, count: int) -> ProcessPoolExecutor:
        if self._closed:
            raise UnavailableError(ENDING)
        context = get_context("forkserver")
        context.set_forkserver_preload([__name__, *PRELOAD])
        return ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(self._memory,))

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                self._pool = None
        broken.shutdown(wait=False)


def _begin(memory: int) -> None:
    """In a new viewer: Ctrl-C is for the server, and a child of its own ends it with the server, or at its limit.

    A thread would not do: a reader written in C may keep all threads from running.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server, viewer = parent_process(), os.getpid()
    if server is None or os.fork():
        return
    try:
        while os.getppid() == viewer:
            if wait([server.sentinel], timeout=EVERY_S) or resident(viewer) > memory:
                os.kill(viewer, signal.SIGKILL)
    finally:
        os._exit(0)


def _answer(what: Callable[[], R], seconds: float) -> R:
    signal.setitimer(signal.ITIMER_REAL, seconds)  # ends the process, whatever its threads do
    try:
        return what()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
