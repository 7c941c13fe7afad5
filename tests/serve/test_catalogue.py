"""Catalogue: folders are found by names that lead nowhere else."""

from pathlib import Path

import pytest

from hepatica.serve.catalogue import cohorts, find_cohort, find_run, folder_of, modality_of, runs
from hepatica.serve.refusals import NotFoundError
from hepatica.serve.settings import Settings


def test_runs_and_cohorts_are_found_two_folders_deep(tmp_path: Path, tables) -> None:
    for path in ("a", "b/run", "b/run/external/c", "d/e/f", ".hidden", "own/runs/new"):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "settings.toml").touch()
        (tmp_path / path / "cohort.toml").touch()
    settings = Settings(data=tmp_path / "own", runs=tmp_path, cohorts=tmp_path / "b" / "run")
    assert set(runs(settings)) == {"a", "b--run", "own--runs", "new"} - {"own--runs"}
    assert cohorts(settings) == {"run": tmp_path / "b" / "run"}
    assert find_run(settings, "new") == folder_of(settings, "new")
    for name in ("../a", "a/..", "", "c", str(tmp_path / "a")):
        with pytest.raises(NotFoundError):
            find_run(settings, name)
        with pytest.raises(NotFoundError):
            find_cohort(settings, name)
    assert modality_of(tables.runs / "one") == "table"
    assert cohorts(Settings(data=tmp_path, runs=tmp_path)) == {}
