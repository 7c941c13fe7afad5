"""Guard: a worker that takes too much ends with its job, and no other."""

import subprocess
import sys
from pathlib import Path

import pytest

from hepatica.runs.jobs import Jobs
from hepatica.serve.guard import guarded, resident

SCRIPT = """
import sys, time
from pathlib import Path
from hepatica.runs.jobs import Jobs
from hepatica.serve import guard

guard.EVERY_S = 0.05
jobs = Jobs(Path(sys.argv[1]))
job = jobs.claim("w")
with guard.guarded(jobs, job, **eval(sys.argv[2])):
    if sys.argv[3] == "cancel":
        jobs.cancel(job.key)
    eaten = bytearray(3 * 2**28) if sys.argv[3] == "eat" else b""
    eaten[::4096] = bytes(len(eaten[::4096]))
    time.sleep(20)
"""


@pytest.mark.parametrize(
    ("limits", "act", "state", "error"),
    [
        ("{'memory': guard.resident() + 2**28}", "eat", "failed", "MiB of memory"),
        ("{'seconds': 0.2}", "sleep", "failed", "it takes more than 0.2 s"),
        ("{}", "cancel", "cancelled", ""),
    ],
)
def test_the_process_ends(tmp_path: Path, limits: str, act: str, state: str, error: str) -> None:
    jobs = Jobs(tmp_path / "jobs.sqlite")
    key = jobs.add("predict", {})
    script = SCRIPT if act == "eat" else SCRIPT.replace("    eaten[::4096]", "    # eaten[::4096]")
    done = subprocess.run([sys.executable, "-c", script, jobs.where, limits, act], timeout=60)
    assert done.returncode == 1
    assert jobs.get(key).state == state
    assert error in jobs.get(key).error


def test_within_its_limits_nothing_happens(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "jobs.sqlite")
    jobs.add("predict", {})
    job = jobs.claim("w")
    with guarded(jobs, job, memory=resident() + 2**33, seconds=60):
        pass
    assert jobs.finish(job)
