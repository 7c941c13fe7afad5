"""Ranks: what the processes of a training fit is what the run locks."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hepatica.cohort import RunError
from hepatica.cohort.atomic import read_json
from hepatica.learn.launch import Meeting
from hepatica.protocol import override
from hepatica.runs import ranks, train
from hepatica.runs.engine import Shared


def test_the_run_locks_what_the_processes_have_fitted(trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launched = []

    def launch(code: str, *, processes: int, meeting: Meeting | None) -> None:
        launched.append(processes)
        assert meeting is None
        exec(code, {})
        monkeypatch.setattr("hepatica.learn.fit._train", None)  # the command itself fits nothing more

    monkeypatch.setattr(ranks, "launch", launch)
    fitted = tmp_path / "fitted"
    prepared = trained.run / "prepared"
    train(trained.system, trained.cohort, run=fitted, settings=trained.settings, prepared=prepared, processes=2)
    assert launched == [2]
    assert (fitted / "model.safetensors").read_bytes() == (trained.run / "model.safetensors").read_bytes()
    assert read_json(fitted / "metrics.json") == read_json(trained.run / "metrics.json")


class Elsewhere(Meeting):
    """Another machine than the first, which is there."""

    is_here = False

    def wait(self, *, over: Callable[[], bool]) -> bool:
        """Not at all."""
        return over()


def test_a_further_machine_fits_only_what_the_first_has_prepared(
    trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched: list[str] = []
    monkeypatch.setattr(ranks, "launch", lambda code, **_: launched.append(code))
    begun, own = tmp_path / "run", {"meeting": Elsewhere(machines=2, at="first:29500"), "settings": trained.settings}
    begun.mkdir()
    shutil.copyfile(trained.run / "settings.toml", begun / "settings.toml")
    for run in (begun, trained.run):  # the second is locked already
        with pytest.raises(Shared, match="first locks the model"):
            train(trained.system, trained.cohort, run=run, **own)
    (code,) = launched
    assert code.endswith(f"of_rank({str(begun / 'work' / 'ranks.json')!r})")
    assert [each.name for each in begun.iterdir()] == ["settings.toml"]
    other = override(trained.settings, {"seed": 77})
    with pytest.raises(RunError, match="was started with seed = 2023, not 77"):
        train(trained.system, trained.cohort, run=begun, **own | {"settings": other})
    with pytest.raises(RunError, match="elsewhere is not there; all machines must see it"):
        train(trained.system, trained.cohort, run=tmp_path / "elsewhere", **own)
    assert len(launched) == 1
