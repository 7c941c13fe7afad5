"""Engine: which processes do the jobs of a call: this one, others of this machine, Ray's, or an array's elements."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from hepatica.cohort import SettingsError
from hepatica.cohort.preparation import Lines
from hepatica.runs.workers import run_workers

LEDGER = "HEPATICA_LEDGER"
"""Environment variable with the URL of a PostgreSQL database, where machines share no disk; it may hold a password."""

SHARES = {"workers": 0.0, "cpus": 1.0, "gpus": 0.0, "memory_gb": 0.0}
"""What may be asked of Ray: workers (0: one for each free share), and what each of them needs."""


SLOW = ("timm",)
"""What most networks are made of, and takes seconds to import."""


class Shared(Exception):  # noqa: N818 - no error
    """A call has done its share, as its text says, and another one puts the outputs together."""

    def __init__(
        self, text: str = "no specimen is left; the same command without --jobs share puts the results together"
    ) -> None:
        super().__init__(text)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """`processes` of this machine, 1: the call itself, without jobs; tasks of Ray at the address `ray`, or `local`,
    each with `shares`; or, with `share`, one process beside those of other calls of the same command, which then raise
    `Shared`.

    Raises SettingsError for what does not go together.
    """

    processes: int = 1
    ray: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    share: bool = False

    def __post_init__(self) -> None:
        if self.processes < 1 or (self.processes > 1 and (self.ray or self.share)) or (self.ray and self.share):
            raise SettingsError(
                "got jobs of several kinds; give --jobs N of 1 or more, --jobs share, or --ray, not two"
            )
        if unknown := self.shares.keys() - SHARES.keys():
            raise SettingsError(f"got {', '.join(sorted(unknown))} for Ray, wanted {', '.join(SHARES)}")

    @property
    def alone(self) -> bool:
        """Whether the call itself does all."""
        return self.processes == 1 and not self.ray and not self.share

    @property
    def threads(self) -> int:
        """Threads of torch in a worker, of which results were not seen to depend (docs/how_to/cluster.md)."""
        if self.share:
            return torch.get_num_threads()
        if self.ray:
            return max(1, int(self.shares.get("cpus", SHARES["cpus"])))
        return max(1, (os.cpu_count() or 1) // self.processes)

    def run(self, where: Path | str, kinds: str, *, label: str, total: int) -> None:
        """Do all jobs of a table by `kinds`, as `run_workers`; how many of `total` are done is shown on stderr."""
        lines = Lines(label, total)

        def left(count: int) -> None:
            lines.show(max(0, total - count))

        if self.ray:
            from hepatica.runs.on_ray import run_on_ray

            run_on_ray(where, kinds, address=self.ray, shares=SHARES | dict(self.shares), left=left)
        else:  # a share by one, whose death the call sees and outlives
            run_workers(where, kinds, count=self.processes, left=left, preload=SLOW)


ALONE = Engine()
"""The call itself."""


def ledger(folder: Path) -> Path | str:
    """Where the table of jobs of a folder of prepared specimens is."""
    return os.environ.get(LEDGER) or folder / "jobs.sqlite"
