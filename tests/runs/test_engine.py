"""Engine: what goes together, where the ledger is, and how many threads a worker has."""

import os
import sys
from pathlib import Path

import pytest
import torch

from hepatica.cli.options import engine_of
from hepatica.cohort import SettingsError
from hepatica.runs.engine import ALONE, LEDGER, Engine, ledger
from hepatica.runs.jobs import ATTEMPTS, Jobs


@pytest.mark.parametrize(
    ("jobs", "ray", "fault"),
    [
        ("0", None, "1 or more"),
        ("many", None, "wanted a number of processes, or share"),
        ("-1", None, "wanted a number"),
        ("2", ["local"], "not two"),
        ("share", ["local"], "not two"),
        ("1", ["a:1", "b:1"], "wanted one address"),
        ("1", ["cpus=2"], "wanted one address"),
        ("1", ["local", "gpu=1"], "got gpu for Ray, wanted workers, cpus, gpus, memory_gb"),
    ],
)
def test_what_does_not_go_together_is_refused(jobs: str, ray: list[str] | None, fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        engine_of(jobs, ray)


def test_options_name_the_engine() -> None:
    assert engine_of("1", None) == ALONE
    assert engine_of("4", None) == Engine(processes=4)
    assert engine_of("share", None) == Engine(share=True)
    asked = engine_of("1", ["auto", "cpus=2", "gpus=0.25"])
    assert asked == Engine(ray="auto", shares={"cpus": 2, "gpus": 0.25})
    assert [each.alone for each in (ALONE, Engine(processes=2), Engine(share=True), asked)] == [True, *[False] * 3]


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert [Engine(processes=each).threads for each in (2, 3, 16)] == [4, 2, 1]
    assert Engine(ray="local", shares={"cpus": 3}).threads == 3
    assert Engine(share=True).threads == torch.get_num_threads()


def test_the_ledger_is_beside_the_prepared_specimens_or_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(LEDGER, raising=False)
    assert ledger(tmp_path) == tmp_path / "jobs.sqlite"
    monkeypatch.setenv(LEDGER, "postgresql://host/jobs")
    assert ledger(tmp_path) == "postgresql://host/jobs"


def test_a_share_outlives_the_death_of_its_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_for_shares.py").write_text(MADE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    monkeypatch.syspath_prepend(tmp_path)  # for a fork server that an earlier test has started
    jobs = Jobs(tmp_path / "jobs.sqlite")
    jobs.add_all([("poison", {}), ("harmless", {})])
    Engine(share=True).run(jobs.where, "made_for_shares:KINDS", label="counting", total=2)
    poison, other = jobs.all()
    assert (poison.state, poison.attempts) == ("quarantined", ATTEMPTS)
    assert (other.state, other.attempts) == ("done", 1)


MADE = """
import os, signal
KINDS = {
    "poison": lambda job, progress: os.kill(os.getpid(), signal.SIGKILL),
    "harmless": lambda job, progress: None,
}
"""
