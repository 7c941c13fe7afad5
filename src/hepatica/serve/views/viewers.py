"""Viewers: processes that decode what was sent in, lest a file of a stranger exhaust or end the one that serves."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import ParamSpec, TypeVar

from hepatica.cohort.errors import UnavailableError
from hepatica.serve.guard import EVERY_S, resident

P = ParamSpec("P")
R = TypeVar("R")

COUNT = 2
"""Processes (ours): a study that takes seconds does not hold up the tiles of a slide."""

LONGEST_S = 120.0
"""Seconds that one answer may take (ours)."""

PRELOAD = ("hepatica.serve.views.slides", "hepatica.serve.views.volumes")

_begun: dict[int, float] = {}
"""In a viewer: when the answer was begun that it is at."""


class Viewers:
    """Processes that answer what a page asks about a file, begun when first asked, each with at most `memory` bytes
    and `seconds` an answer. One that dies is replaced.
    """

    def __init__(self, *, memory: int, seconds: float = LONGEST_S) -> None:
        self._memory, self._seconds, self._lock = memory, seconds, threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def ask(self, what: Callable[P, R], *args: P.args, **named: P.kwargs) -> R:
        """What `what`, a function of a module, answers, or the error that it raises.

        UnavailableError where it needs too much memory or time, or ends its process. It is asked twice, for a process
        may also be ended by what another page asked at the same time.
        """
        for _ in range(2):
            pool = self._opened()
            try:
                return pool.submit(_answer, partial(what, *args, **named)).result()
            except BrokenProcessPool:
                self._replace(pool)
        raise UnavailableError(
            f"the file cannot be shown: it needs more than {self._memory >> 20} MiB of memory or {self._seconds:g} s,"
            " or its reader fails on it; take the file itself"
        )

    def close(self) -> None:
        """End the processes; they are begun anew where something is asked."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _opened(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                context = get_context("forkserver")
                context.set_forkserver_preload([__name__, *PRELOAD])
                self._pool = ProcessPoolExecutor(
                    COUNT, mp_context=context, initializer=_begin, initargs=(self._memory, self._seconds)
                )
            return self._pool

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                self._pool = None
        broken.shutdown(wait=False)


def _begin(memory: int, seconds: float) -> None:
    """In a new viewer: Ctrl-C is for the server, and a watch ends the viewer at its limits and with the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = parent_process()

    def watch() -> None:
        while server is None or not wait([server.sentinel], timeout=EVERY_S):
            if resident() > memory or any(time.monotonic() > each + seconds for each in _begun.copy().values()):
                break
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _answer(what: Callable[[], R]) -> R:
    _begun[0] = time.monotonic()
    try:
        return what()
    finally:
        _begun.clear()
