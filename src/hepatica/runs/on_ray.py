"""On Ray: workers as core tasks of a Ray cluster, which claim from the same table of jobs as all others."""

import os
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from hepatica.cohort import UnavailableError
from hepatica.runs.jobs import LEASE_S, PATIENCE_S, Jobs
from hepatica.runs.workers import IDLE_S, kinds_of, run_workers, work

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_enable_metrics_collection": "0", "RAY_DEDUP_LOGS": "0"}
"""Ray sends nothing to its makers and collects no metrics."""


def run_on_ray(
    where: Path | str,
    kinds: str,
    *,
    address: str,
    shares: Mapping[str, float],
    lease_s: float = LEASE_S,
    left: Callable[[int], object] = lambda left: None,
) -> None:
    """Do all jobs by tasks of the cluster at `address`, or `local`; a task that dies is replaced (`run_workers`).
    A connection that is there is used, and one that is made stays until the process ends, for the next jobs.

    `shares`: how many workers, 0 for as many as the cluster has room for now; cpus, gpus and memory_gb of each. The
    nodes see the same files by the same paths. UnavailableError without Ray, its cluster, or room in it.
    """
    os.environ.update(QUIET)
    try:
        ray: Any = import_module("ray")
    except ModuleNotFoundError as error:
        raise UnavailableError("Ray is not installed: pip install 'hepatica[cluster]', or use --jobs") from error
    if not ray.is_initialized():
        _connect(ray, address)
    memory = int(shares["memory_gb"] * 2**30) or None
    task = ray.remote(num_cpus=shares["cpus"], num_gpus=shares["gpus"], memory=memory, max_retries=0)(_work)
    run_workers(
        where,
        kinds,
        count=int(shares["workers"]) or _room(ray.cluster_resources(), shares),
        start=lambda name: _Task(ray, task.remote(str(where), kinds, name, lease_s)),
        left=left,
    )


def _connect(ray: Any, address: str) -> None:
    local: dict[str, Any] = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    own = local if address == "local" else {"address": address}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of a default of Ray's next version
        try:
            ray.init(log_to_driver=False, logging_level="ERROR", **own)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise UnavailableError(
                f"no Ray cluster answers at {address} ({error}); ray start --head begins one"
            ) from None


def _room(resources: Mapping[str, float], shares: Mapping[str, float]) -> int:
    """How many workers a cluster has room for; UnavailableError where it has none, for they would wait for ever."""
    asked = {"CPU": shares["cpus"], "GPU": shares["gpus"], "memory": shares["memory_gb"] * 2**30}
    room = min((int(resources.get(name, 0.0) / each) for name, each in asked.items() if each), default=1)
    if not room:
        raise UnavailableError(
            "the Ray cluster has no room for one worker of that size; ask for less by --ray cpus=, gpus= or memory_gb=,"
            " or give workers=N where the cluster grows by itself"
        )
    return room


class _Task:
    """A running task."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self.ray, self.reference = ray, reference

    def is_alive(self) -> bool:
        """Whether it is not done, lost with its node included."""
        return not self.ray.wait([self.reference], timeout=0)[0]

    def terminate(self) -> None:
        """Kill its process, unless it ends by itself now, which Ray then keeps for the next task."""
        if not self.ray.wait([self.reference], timeout=2 * IDLE_S)[0]:
            self.ray.cancel(self.reference, force=True)

    def join(self) -> None:
        """Wait for its end."""
        self.ray.wait([self.reference], timeout=10)


def _work(where: str, kinds: str, name: str, lease_s: float) -> int:
    """In a process of Ray: do jobs until none is left."""
    jobs = Jobs(where if "://" in where else Path(where), patience_s=PATIENCE_S)
    return work(jobs, kinds_of(kinds), worker=name, lease_s=lease_s)
