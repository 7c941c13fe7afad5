"""Importance: of the variables of a locked model, those that the outcome was made from come first."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import Survival, load_cohort, read_predictions
from hepatica.cohort.atomic import read_json
from hepatica.protocol import override
from hepatica.runs import explain, train
from hepatica.runs.importance import importance
from hepatica.runs.lock import open_run
from hepatica.systems.nam_2020_moral_ai import SYSTEM

HEAD = 'name = "made"\nhospital = "x"\n\n[endpoints.recurrence]\ntime = "months"\nevent = "event"\n'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of 120 patients whose recurrence follows the first of three columns, a linear model, explained."""
    folder, rng = tmp_path_factory.mktemp("importance"), np.random.default_rng(0)
    values = rng.normal(size=(120, 3)).round(3)
    values[::9, 2] = np.nan
    table = pd.DataFrame(values, columns=["cause", "noise", "gaps"])
    table.insert(0, "patient_id", [f"P{n}" for n in range(120)])
    table["months"] = (20 * rng.exponential(np.exp(-2 * values[:, 0]))).clip(0.1, 500).round(2)
    (folder / "cohort").mkdir()
    (folder / "cohort/cohort.toml").write_text(HEAD, encoding="utf-8")
    table.assign(event=rng.random(120) < 0.7).astype({"event": int}).to_csv(folder / "cohort/patients.csv", index=False)
    changes = {"columns": ["cause", "noise", "gaps"], "test": 0.5, "epochs": 15, "learning_rate": 1e-2}
    train(SYSTEM, folder / "cohort", run=folder / "run", settings=override(SYSTEM.settings, changes))
    explain(folder / "run", folder / "cohort", results=folder / "run", specimens=1)
    return folder / "cohort", folder / "run"


def test_the_cause_comes_first_and_its_drop_is_above_none(run: tuple[Path, Path]) -> None:
    found = read_json(run[1] / "explained/importance.json")
    assert (found["target"], found["statistic"], found["patients"]) == ("recurrence", "C-index", 60)
    first, *others = found["variables"]
    assert first["name"] == "cause"
    assert first["low"] > 0.1
    assert first["attribution"] > 0.5
    assert sum(each["attribution"] for each in found["variables"]) == pytest.approx(1)
    assert all(each["low"] < 0.05 for each in others)
    assert first["dependence"]["score"][-1] > first["dependence"]["score"][0]


def test_patients_without_scores_and_other_instruments_have_none(run: tuple[Path, Path], monkeypatch) -> None:
    locked, cohort = open_run(run[1]), load_cohort(run[0])
    table = read_predictions(run[1] / "predictions.parquet")
    few = table[table["fold"] == "train"].assign(fold="external")
    assert importance(locked, cohort, table=few.assign(score=float("nan")), folder=run[1] / "prepared") is None
    monkeypatch.setattr("hepatica.runs.importance.OF_VARIABLES", ("visits",))
    assert importance(locked, cohort, table=table, folder=run[1] / "prepared") is None
    assert isinstance(locked.system.tasks(locked.settings)[0], Survival)
