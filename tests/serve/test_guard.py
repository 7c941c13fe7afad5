"""Guard: a worker that takes too much ends with its job, and no other."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any

import pytest

from hepatica.runs.jobs import Job, Jobs
from hepatica.serve import guard
from hepatica.serve.guard import guarded, resident


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.setattr(guard, "EVERY_S", 0.02)
    monkeypatch.setattr(guard, "ASKED_S", 0.05)
    return Jobs(tmp_path / "jobs.sqlite")


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the process would have ended."""
    found = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda code: found.set() if code == 1 else None)
    return found


def claimed(jobs: Jobs) -> Job:
    jobs.add("predict", {})
    found = jobs.claim("w")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("limits", "error"),
    [({"memory": 1}, "MiB of memory, which one case may have"), ({"seconds": 0.1}, "it takes more than 0.1 s")],
)
def test_what_takes_too_much_ends(jobs: Jobs, ended: threading.Event, limits: dict[str, Any], error: str) -> None:
    job = claimed(jobs)
    with guarded(jobs, job, **limits):
        assert ended.wait(5)
    assert jobs.get(job.key).state == "failed"
    assert error in jobs.get(job.key).error


def test_the_limits_hold_where_the_database_is_away(
    jobs: Jobs, ended: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise OperationalError("database is locked")

    job = claimed(jobs)
    monkeypatch.setattr(jobs, "fail", away)
    with guarded(jobs, job, memory=1):
        assert ended.wait(5)


@pytest.mark.parametrize("taken", ["cancelled", "by another"])
def test_what_is_taken_away_ends(jobs: Jobs, ended: threading.Event, taken: str) -> None:
    job = claimed(jobs)
    with guarded(jobs, job):
        if taken == "cancelled":
            jobs.cancel(job.key)
        else:
            jobs.release("w")
            jobs.claim("another")
        assert ended.wait(5)


def test_within_its_limits_nothing_happens(jobs: Jobs, ended: threading.Event) -> None:
    job = claimed(jobs)
    with guarded(jobs, job, memory=resident() + 2**33, seconds=60):
        assert not ended.wait(0.3)
    assert jobs.finish(job)


def test_memory_is_counted_as_it_is_used() -> None:
    # in a process of its own: here, memory that an earlier test gave back may be used again
    script = (
        "import numpy as np; from hepatica.serve.guard import resident; before = resident()\n"
        "eaten = np.ones(2**25); print((resident() - before) / eaten.nbytes)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert 0.9 < float(done.stdout) < 1.1
