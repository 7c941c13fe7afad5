"""Guard: ends a worker that needs too much memory or time, or whose job was taken away, and says so in the job."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hepatica.runs.jobs import Job, Jobs

EVERY_S, ASKED_S = 0.5, 2.0
"""Seconds between two looks at the process, and at its job in the database."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def guarded(jobs: Jobs, job: Job, *, memory: int | None = None, seconds: float | None = None) -> Iterator[None]:
    """End this process, within the block, when its resident memory is above `memory` bytes, when the block takes longer
    than `seconds`, or when the job was cancelled; the supervisor replaces it.

    A limit of the operating system on addresses would not do: torch reserves far more than it uses.
    """
    done = threading.Event()

    def watch() -> None:
        until = time.monotonic() + (seconds or float("inf"))
        asked = time.monotonic()
        while not done.wait(EVERY_S):
            if memory is not None and resident() > memory:
                _end(jobs, job, f"it needs more than {memory >> 20} MiB of memory, which one case may have")
            if time.monotonic() > until:
                _end(jobs, job, f"it takes more than {seconds:g} s, which one case may take")
            if time.monotonic() > asked + ASKED_S:
                asked = time.monotonic()
                with suppress(Exception):  # a database that is away for a moment ends no job
                    found = jobs.get(job.key)
                    if found is None or (found.state, found.attempts, found.worker) != (
                        "running", job.attempts, job.worker,
                    ):  # fmt: skip
                        os._exit(1)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def resident(process: int | None = None) -> int:
    """Bytes of memory that a process has, by default this one; 0 where it is no longer there."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return int(Path(f"/proc/{process or 'self'}/statm").read_text().split()[1]) * _PAGE
    return 0


def _end(jobs: Jobs, job: Job, why: str) -> None:
    with suppress(Exception):  # where the database is away, the limit holds, and the job is one whose worker died
        jobs.fail(job, why)
    os._exit(1)
