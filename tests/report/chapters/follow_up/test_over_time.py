from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import Target
from hepatica.report.chapters.follow_up.over_time import section

TARGET = Target(endpoint="recurrence", task="survival")


def results(seed: int, *, title: str) -> Any:
    """The score follows the risk, albumin opposes it, age has nothing to do with it; all are followed for 70 months."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=150)
    names = [f"{title}{n}" for n in range(150)]
    months, ends = 20 * rng.exponential(np.exp(-risk)), 70.0
    outcomes = pd.DataFrame({"time": np.minimum(months, ends), "event": (months <= ends).astype(int)}, index=names)
    outcomes["cause"] = outcomes["event"]
    outcomes["score"] = risk + 0.3 * rng.normal(size=150)
    patients = pd.DataFrame({"albumin_g_l": 40 - 2 * risk + rng.normal(0, 2, 150)}, index=names)
    patients["age_years"] = rng.normal(60, 8, 150)
    return SimpleNamespace(
        title=title,
        outcomes=lambda target, fold=None: outcomes[: 0 if fold == "validation" else None],
        patients=patients,
        covariates=lambda: ["albumin_g_l", "age_years"],
    )


@pytest.fixture(scope="module")
def tables() -> list[Any]:
    internal, external = results(1, title="Internal"), results(2, title="External")
    run: Any = SimpleNamespace(internal=internal, cohorts=[internal, external], targets=[TARGET])
    return list(section(run, None).blocks[1:])  # type: ignore[arg-type]


def test_there_is_a_table_a_cohort_and_horizon(tables: list[Any]) -> None:
    assert [each.caption.split(":")[0] for each in tables] == ["Internal"] * 3 + ["External"] * 3


def test_a_factor_counts_in_the_direction_it_has_in_the_training_patients(tables: list[Any]) -> None:
    for table in (each for each in tables if "12 months" in each.caption):
        score, albumin, age = table.rows
        assert float(score[1][:5]) > float(albumin[1][:5]) > 0.6
        assert albumin[2].startswith("+")
        assert float(age[1][:5]) < 0.65
        assert age[3] == "< 0.001"
