"""On Ray: tasks of Ray claim from the same ledger; one that is killed costs one attempt."""

import os
import sys
import warnings
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from hepatica.cohort import UnavailableError
from hepatica.runs.engine import Engine
from hepatica.runs.jobs import Jobs

MADE = """
import os, signal

def square(job, progress):
    return job.given["n"] ** 2

def once_killed(job, progress):
    if job.attempts == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.environ.get("RAY_USAGE_STATS_ENABLED")

KINDS = {"square": square, "once_killed": once_killed}
"""


class Stand:
    """A cluster of 3 processors whose first task is lost with its node; the others are done in this process."""

    def __init__(self) -> None:
        self.asked, self.begun, self.cancelled = {}, 0, []

    def is_initialized(self) -> bool:
        return True

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 3.0, "GPU": 1.0, "memory": 4.0 * 2**30}

    def remote(self, **asked):
        self.asked = asked
        return lambda work: SimpleNamespace(remote=partial(self.begin, work))

    def begin(self, work, where: str, kinds: str, name: str, lease_s: float) -> int:
        self.begun += 1
        if self.begun == 1:
            Jobs(Path(where)).claim(name)
        else:
            work(where, kinds, name, lease_s)
        return self.begun

    def wait(self, tasks: list[int], *, timeout: float) -> tuple[list[int], list[int]]:
        return tasks, []

    def cancel(self, task: int, *, force: bool) -> None:
        self.cancelled.append(task)


KINDS = {"square": lambda job, progress: job.given["n"] ** 2}


def test_a_task_that_is_lost_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Stand()
    monkeypatch.setitem(sys.modules, "ray", cluster)
    jobs = Jobs(tmp_path / "jobs.sqlite")
    jobs.add_all([("square", {"n": n}) for n in (2, 3)])
    engine = Engine(ray="auto", shares={"cpus": 3, "gpus": 0.25, "memory_gb": 2})
    engine.run(jobs.where, f"{__name__}:KINDS", label="x", total=2)
    assert [(each.state, each.attempts, each.result) for each in jobs.all()] == [("done", 2, 4), ("done", 1, 9)]
    assert cluster.asked == {"num_cpus": 3, "num_gpus": 0.25, "memory": 2 * 2**30, "max_retries": 0}
    assert cluster.begun == 2


@pytest.mark.skipif(os.environ.get("HEPATICA_REQUIRE") != "1", reason="Ray takes half a minute to start its processes")
def test_a_killed_task_costs_one_attempt_and_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    (tmp_path / "made_for_ray.py").write_text(MADE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    jobs = Jobs(tmp_path / "jobs.sqlite")
    jobs.add_all([("square", {"n": 2}), ("once_killed", {}), ("square", {"n": 3})])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Ray's own
            Engine(ray="local", shares={"workers": 2}).run(jobs.where, "made_for_ray:KINDS", label="x", total=3)
    finally:
        ray.shutdown()
    assert [(each.state, each.attempts, each.result) for each in jobs.all()] == [
        ("done", 1, 4),
        ("done", 2, "0"),
        ("done", 1, 9),
    ]


def test_no_cluster_and_no_ray_are_one_sentence_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UnavailableError, match="Ray is not installed"):
        Engine(ray="local").run(tmp_path / "jobs.sqlite", "made:KINDS", label="x", total=0)


def test_workers_for_which_the_cluster_has_no_room_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Stand()
    monkeypatch.setitem(sys.modules, "ray", cluster)
    for shares in ({"gpus": 2}, {"cpus": 4}, {"memory_gb": 5}):
        with pytest.raises(UnavailableError, match="no room for one worker"):
            Engine(ray="auto", shares=shares).run(tmp_path / "jobs.sqlite", "made:KINDS", label="x", total=0)
    Engine(ray="auto", shares={"gpus": 2, "workers": 2}).run(tmp_path / "jobs.sqlite", "made:KINDS", label="x", total=0)
    Engine(ray="auto", shares={"cpus": 0}).run(tmp_path / "jobs.sqlite", "made:KINDS", label="x", total=0)
