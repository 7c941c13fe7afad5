"""Workers: a killed process costs one attempt of one job, and nothing else."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hepatica.cohort import SpecimenError, UnavailableError
from hepatica.runs import workers
from hepatica.runs.jobs import ATTEMPTS, Job, Jobs
from hepatica.runs.workers import run_workers, work

MADE = """
import os, signal
from pathlib import Path

def square(job, progress):
    progress(0.5)
    return job.given["n"] ** 2

def once_killed(job, progress):
    if job.attempts == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return "at the second attempt"

def poison(job, progress):
    os.kill(os.getpid(), signal.SIGKILL)

KINDS = {"square": square, "once_killed": once_killed, "poison": poison}
"""


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path / "jobs.sqlite")


def test_an_error_ends_its_own_job_alone(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(job: Job, progress) -> None:
        raise SpecimenError("got a photograph, wanted a slide")

    def broken(job: Job, progress) -> None:
        raise ValueError("name of a patient")

    kinds = {"square": lambda job, progress: job.given["n"] ** 2, "refuse": refuse, "broken": broken}
    for kind in ("refuse", "broken", "unknown", "square"):
        jobs.add(kind, {"n": 4})
    assert work(jobs, kinds, worker="w") == 4
    states = [(each.state, each.result, each.error) for each in jobs.all()]
    assert states[0] == ("failed", None, "got a photograph, wanted a slide")
    assert states[1][0] == "failed"
    assert states[1][2].startswith("ValueError, a fault of hepatica")
    assert states[2][2] == "got a job of the kind unknown, wanted one of square, refuse, broken"
    assert states[3] == ("done", 16, "")
    assert "ValueError" in caplog.text


def test_a_long_job_keeps_its_lease(jobs: Jobs) -> None:
    jobs.add("slow", {})
    seen = []

    def slow(job: Job, progress) -> str:
        time.sleep(0.6)
        seen.append(jobs.claim("another"))
        return "done"

    work(jobs, {"slow": slow}, worker="w", lease_s=0.3)
    assert seen == [None]
    assert [(each.state, each.attempts) for each in jobs.all()] == [("done", 1)]


def test_a_sign_of_life_that_cannot_be_given_is_given_the_next_time(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key, beat, tries = jobs.add("slow", {}), jobs.beat, []

    def busy_once(job: Job, **given) -> bool:
        tries.append(job.key)
        if len(tries) == 1:
            raise sqlite3.OperationalError("database is locked")
        return beat(job, **given)

    monkeypatch.setattr(jobs, "beat", busy_once)
    work(jobs, {"slow": lambda job, progress: time.sleep(0.7)}, worker="w", lease_s=0.6)
    assert len(tries) >= 2
    assert caplog.messages == [f"no sign of life of job {key}: OperationalError"]
    assert jobs.get(key).state == "done"


def test_a_worker_goes_on_until_it_is_stopped(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_S", 0.01)
    stop = threading.Event()
    kinds = {"square": lambda job, progress: job.given["n"] ** 2}
    thread = threading.Thread(target=work, args=(jobs, kinds), kwargs={"worker": "w", "stop": stop})
    thread.start()
    key = jobs.add("square", {"n": 3})
    for _ in range(500):
        if jobs.get(key).state == "done":
            break
        time.sleep(0.01)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert jobs.get(key).result == 9


def test_killed_processes_are_replaced_and_poison_harms_no_other(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_for_workers.py").write_text(MADE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.syspath_prepend(tmp_path)  # for a fork server that an earlier test has started
    for kind, n in (("square", 2), ("poison", 0), ("once_killed", 0), ("square", 3)):
        jobs.add(kind, {"n": n})
    given = {"count": 2, "lease_s": 3600.0}
    thread = threading.Thread(
        target=run_workers, args=(jobs.where, "made_for_workers:KINDS"), kwargs=given, daemon=True
    )
    thread.start()
    thread.join(timeout=120)
    assert not thread.is_alive()  # no lease had to run out
    found = [(each.kind, each.state, each.attempts, each.result) for each in jobs.all()]
    assert found == [
        ("square", "done", 1, 4),
        ("poison", "quarantined", ATTEMPTS, None),
        ("once_killed", "done", 2, "at the second attempt"),
        ("square", "done", 1, 9),
    ]


class Ended:
    """A worker that is not there any more."""

    def is_alive(self) -> bool:
        return False

    def terminate(self) -> None: ...

    def join(self) -> None: ...


def test_workers_that_never_begin_a_job_are_not_replaced_for_ever(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_S", 0.01)
    jobs.add("square", {"n": 1})
    begun: list[str] = []
    with pytest.raises(UnavailableError, match="ended before they began a job"):
        run_workers(jobs.where, "none:KINDS", count=1, start=lambda name: begun.append(name) or Ended())
    assert len(begun) == workers.STILLBORN + 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(143)])
def test_a_stop_from_without_is_no_death_of_the_job(jobs: Jobs, stop: BaseException) -> None:
    def stopped(job: Job, progress) -> None:
        raise stop

    key = jobs.add("square", {"n": 1})
    with pytest.raises(type(stop)):
        work(jobs, {"square": stopped}, worker="w")
    assert (jobs.get(key).state, jobs.get(key).attempts) == ("waiting", 0)


@pytest.mark.parametrize("code", [0, 1, None, "usage: reader FILE"])
def test_a_library_that_ends_its_program_fails_its_own_job_alone(jobs: Jobs, code: object) -> None:
    def ends(job: Job, progress) -> None:
        raise SystemExit(code)

    for kind in ("ends", "square"):
        jobs.add(kind, {"n": 1})
    assert work(jobs, {"ends": ends, "square": lambda job, progress: 1}, worker="w") == 2
    assert [each.state for each in jobs.all()] == ["failed", "done"]
    assert jobs.all()[0].error.startswith("SystemExit, a fault of hepatica")


def test_jobs_of_a_supervisor_that_was_killed_need_not_wait_for_their_lease(jobs: Jobs) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    host = socket.gethostname()
    names = [f"{host}-{process.pid}-a", f"{host}-{os.getpid()}-b", f"elsewhere-{process.pid}-c"]
    keys = [jobs.add("square", {"n": n}) for n in range(3)]
    for name in names:
        jobs.claim(name)
    workers._release_orphans(jobs)
    assert jobs.claim("w").key == keys[0]
    assert jobs.claim("w") is None


def test_how_many_are_left_is_shown_while_they_are_done(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "IDLE_S", 0.01)
    for n in range(2):
        jobs.add("square", {"n": n})

    class Doing(Ended):
        def is_alive(self) -> bool:
            if job := jobs.claim("w"):
                jobs.finish(job)
            return True

    left: list[int] = []
    run_workers(jobs.where, "none:KINDS", count=1, start=lambda name: Doing(), left=left.append)
    assert left == [2, 2, 1]


SUPERVISOR = """
import sys
from pathlib import Path
from hepatica.runs.workers import run_workers

if __name__ == "__main__":
    run_workers(Path(sys.argv[1]), "made:KINDS", count=2)
"""


def test_a_supervisor_that_is_killed_takes_its_workers_along(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text("import time\nKINDS = {'slow': lambda job, progress: time.sleep(60)}\n")
    (tmp_path / "supervisor.py").write_text(SUPERVISOR)
    key = jobs.add("slow", {})
    command = [sys.executable, str(tmp_path / "supervisor.py"), str(jobs.where)]
    supervisor = subprocess.Popen(command, start_new_session=True)
    until = time.monotonic() + 60
    while jobs.get(key).state != "running" and time.monotonic() < until:
        time.sleep(0.1)
    supervisor.kill()
    supervisor.wait()
    while session(supervisor.pid) and time.monotonic() < until:
        time.sleep(0.1)
    left = session(supervisor.pid)
    for each in left:
        os.kill(each, signal.SIGKILL)
    assert left == []


def session(leader: int) -> list[int]:
    """Processes of the session that this one began."""
    return [each for each in (int(path.name) for path in Path("/proc").glob("[0-9]*")) if _session_of(each) == leader]


def _session_of(process: int) -> int:
    try:
        return os.getsid(process)
    except ProcessLookupError:
        return 0
