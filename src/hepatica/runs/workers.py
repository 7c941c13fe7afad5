"""Workers: processes that do jobs, replaced when they die."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from hepatica.cohort.atomic import runs
from hepatica.cohort.errors import HepaticaError, UnavailableError
from hepatica.runs.jobs import LEASE_S, PATIENCE_S, Job, Jobs

Work = Callable[[Job, Callable[[float], bool]], Any]
"""Does a job and returns its result, which JSON can hold; done twice, it leaves the same. It may say how far it is,
0 to 1, and is answered whether the job is still its own; if not it should end.
"""

LOG = logging.getLogger(__name__)

IDLE_S = 0.5
"""Seconds between two looks at an empty table."""

STILLBORN = 5
"""Workers, for each that is wanted, that may end one after the other without having begun a job (ours)."""


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
        except BaseException as error:
            if _from_without(error):
                jobs.give_back(job.worker)
                raise
            LOG.exception("job %s", job.key)
            jobs.fail(job, f"{type(error).__name__}, a fault of hepatica; the log of the worker has more")
        else:
            jobs.finish(job, result)


def _from_without(error: BaseException) -> bool:
    """Whether it says that the process is to end, as `fit` answers SIGTERM too; a library may end itself otherwise."""
    if isinstance(error, SystemExit):
        return error.code == 128 + signal.SIGTERM
    return not isinstance(error, Exception)


@contextmanager
def _alive(jobs: Jobs, job: Job, *, lease_s: float) -> Iterator[None]:
    """Signs of life, three a lease, within the block."""
    done = threading.Event()

    def beat() -> None:
        mine = True
        while mine and not done.wait(lease_s / 3):
            try:
                mine = jobs.beat(job, lease_s=lease_s)
            except Exception as error:  # such as a database that is busy: the next sign may still come in time
                LOG.warning("no sign of life of job %s: %s", job.key, type(error).__name__)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class Worker(Protocol):
    """Another process that does jobs for ever."""

    def is_alive(self) -> bool:
        """Whether it still does."""

    def terminate(self) -> None:
        """End it."""

    def join(self) -> None:
        """Wait until it has ended."""


Start = Callable[[str], Worker]
"""Starts a worker of that name."""


def run_workers(
    where: Path | str,
    kinds: str,
    *,
    count: int,
    lease_s: float = LEASE_S,
    stop: threading.Event | None = None,
    start: Start | None = None,
    left: Callable[[int], object] = lambda left: None,
    preload: Sequence[str] = (),
) -> None:
    """Do all jobs by `count` processes of their own, or for ever with `stop`, until it is set.

    `kinds` names a mapping of kinds to `Work` as module:NAME. A process that dies is replaced, and its job begun anew
    by another; after `ATTEMPTS` deaths the job is set aside and the others go on. `start` begins other workers than
    processes of this machine; `left` is called with the number of jobs that are left; `preload` are modules that the
    processes need not import each. Raises UnavailableError where workers die before they have begun a job.
    """
    jobs, running, begin = (
        Jobs(where, patience_s=PATIENCE_S),
        dict[str, Worker](),
        start or _processes(where, kinds, lease_s=lease_s, preload=preload),
    )
    _release_orphans(jobs)
    still = 0
    try:
        while not (stop and stop.is_set()) and ((remaining := jobs.unfinished()) or stop):
            left(remaining)
            for name in [name for name, worker in running.items() if not worker.is_alive()]:
                still = 0 if jobs.release(name) else still + 1
                del running[name]
            if still > STILLBORN * count:
                raise UnavailableError(f"{still} workers ended before they began a job; see what they printed")
            while len(running) < (count if stop else min(count, remaining)):
                name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
                running[name] = begin(name)
            time.sleep(IDLE_S / 5)
    finally:
        for worker in running.values():
            worker.terminate()
        for name, worker in running.items():
            worker.join()
            jobs.give_back(name)


def _release_orphans(jobs: Jobs) -> None:
    """Jobs of this machine's workers whose supervisor has been killed need not wait for the end of their leases."""
    for worker in {job.worker for job in jobs.all(state="running")}:
        host, _, supervisor = worker.rpartition("-")[0].rpartition("-")
        if host == socket.gethostname() and supervisor.isdecimal() and not runs(int(supervisor)):
            jobs.release(worker)


def _processes(where: Path | str, kinds: str, *, lease_s: float, preload: Sequence[str]) -> Start:
    context = get_context("forkserver")  # a new process need not import everything again
    context.set_forkserver_preload([__name__, kinds.partition(":")[0], *preload])

    def start(name: str) -> Worker:
        process = context.Process(target=_one, args=(where, kinds, name, lease_s))
        process.start()
        return process

    return start


def _one(where: Path | str, kinds: str, name: str, lease_s: float) -> None:
    jobs, stop = Jobs(where, patience_s=PATIENCE_S), threading.Event()
    supervisor = parent_process()  # not os.getppid(): that is the fork server, which outlives it as long as workers do
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes; the supervisor ends its own

    def watch() -> None:  # a supervisor that was killed takes its workers along
        if supervisor is not None:
            supervisor.join()
            try:
                jobs.give_back(name)
            finally:  # also where the table cannot be written
                os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    work(jobs, kinds_of(kinds), worker=name, lease_s=lease_s, stop=stop)


def kinds_of(kinds: str) -> Mapping[str, Work]:
    """The mapping of that name, module:NAME."""
    module, _, attribute = kinds.partition(":")
    found: Mapping[str, Work] = getattr(import_module(module), attribute)
    return found
