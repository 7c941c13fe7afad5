"""Ranks: what the processes of a training fit is what the run locks."""

from pathlib import Path

import pytest

from hepatica.cohort.atomic import read_json
from hepatica.runs import ranks, train


def test_the_run_locks_what_the_processes_have_fitted(trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launched = []

    def launch(code: str, *, processes: int) -> None:
        launched.append(processes)
        exec(code, {})
        monkeypatch.setattr("hepatica.learn.fit._train", None)  # the command itself fits nothing more

    monkeypatch.setattr(ranks, "launch", launch)
    fitted = tmp_path / "fitted"
    prepared = trained.run / "prepared"
    train(trained.system, trained.cohort, run=fitted, settings=trained.settings, prepared=prepared, processes=2)
    assert launched == [2]
    assert (fitted / "model.safetensors").read_bytes() == (trained.run / "model.safetensors").read_bytes()
    assert read_json(fitted / "metrics.json") == read_json(trained.run / "metrics.json")
