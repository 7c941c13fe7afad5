"""Workers: processes that do jobs, replaced when they die."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import uuid4

from hepatica.cohort.errors import HepaticaError
from hepatica.runs.jobs import LEASE_S, Job, Jobs

Work = Callable[[Job, Callable[[float], bool]], Any]
"""Does a job and returns its result, which JSON can hold; done twice, it leaves the same. It may say how far it is,
0 to 1, and is answered whether the job is still its own; if not it should end.
"""

LOG = logging.getLogger(__name__)

IDLE_S = 0.5
"""Seconds between two looks at an empty table."""


def work(
    jobs: Jobs, kinds: Mapping[str, Work], *, worker: str, lease_s: float = LEASE_S, stop: threading.Event | None = None
) -> int:
    """Do jobs until none is left to wait for, or for ever with `stop`, until it is set; how many were begun.

    An error ends its job and no other; one of our own code is logged with its traceback, and its text is not shown.
    """
    begun = 0
    while not (stop and stop.is_set()):
        job = jobs.claim(worker, lease_s=lease_s)
        if job is not None:
            begun += 1
            _do(jobs, job, kinds, lease_s=lease_s)
        elif stop is None and not jobs.unfinished():
            break
        else:
            (stop or threading.Event()).wait(IDLE_S)
    return begun


def _do(jobs: Jobs, job: Job, kinds: Mapping[str, Work], *, lease_s: float) -> None:
    if job.kind not in kinds:
        jobs.fail(job, f"got a job of the kind {job.kind}, wanted one of {', '.join(kinds)}")
        return
    with _alive(jobs, job, lease_s=lease_s):
        try:
            result = kinds[job.kind](job, lambda share: jobs.beat(job, progress=share, lease_s=lease_s))
        except HepaticaError as error:
            jobs.fail(job, str(error))
        except Exception as error:
            LOG.exception("job %s", job.key)
            jobs.fail(job, f"{type(error).__name__}, a fault of hepatica; the log of the worker has more")
        else:
            jobs.finish(job, result)


@contextmanager
def _alive(jobs: Jobs, job: Job, *, lease_s: float) -> Iterator[None]:
    """Signs of life, three a lease, within the block."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(lease_s / 3) and jobs.beat(job, lease_s=lease_s):
            pass

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def run_workers(
    where: Path | str,
    kinds: str,
    *,
    count: int,
    lease_s: float = LEASE_S,
    stop: threading.Event | None = None,
) -> None:
    """Do all jobs by `count` processes of their own, or for ever with `stop`, until it is set.

    `kinds` names a mapping of kinds to `Work` as module:NAME. A process that dies is replaced, and its job begun anew
    by another; after `ATTEMPTS` deaths the job is set aside and the others go on.
    """
    jobs, running = Jobs(where), dict[str, BaseProcess]()
    context = get_context("forkserver")  # a new process need not import everything again
    context.set_forkserver_preload([__name__, kinds.partition(":")[0]])
    try:
        while not (stop and stop.is_set()) and (stop or jobs.unfinished()):
            for name, process in list(running.items()):
                if not process.is_alive():
                    jobs.release(name)
                    del running[name]
            while len(running) < count and (stop or jobs.unfinished()):
                name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
                running[name] = context.Process(target=_one, args=(where, kinds, name, lease_s))
                running[name].start()
            time.sleep(IDLE_S / 5)
    finally:
        for name, process in running.items():
            process.terminate()
            process.join()
            jobs.release(name)


def _one(where: Path | str, kinds: str, name: str, lease_s: float) -> None:
    module, _, attribute = kinds.partition(":")
    supervisor = parent_process()  # not os.getppid(): that is the fork server, which outlives it as long as workers do
    stop = threading.Event()

    def watch() -> None:  # a supervisor that was killed takes its workers along
        if supervisor is not None:
            supervisor.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    work(Jobs(where), getattr(import_module(module), attribute), worker=name, lease_s=lease_s, stop=stop)
