from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import Target
from hepatica.report.chapters.subtypes import GENOMIC, _beside_genes, _genomic

TARGET = Target(endpoint="overall_survival", task="subtypes")


def results(genes: list[str], *, groups: list[str]) -> Any:
    count = len(groups)
    rng = np.random.default_rng(0)
    outcomes = pd.DataFrame({"group": groups, "event": 1}, index=[f"p{n}" for n in range(count)])
    outcomes["time"] = rng.exponential(np.where(outcomes["group"] == "S1", 6.0, 30.0))
    patients = pd.DataFrame({GENOMIC: genes}, index=outcomes.index)
    return SimpleNamespace(outcomes=lambda target: outcomes, patients=patients, title="External: x")


def test_groups_that_are_the_genomic_clusters_agree_and_add_nothing_to_them() -> None:
    table = _beside_genes(results(["a", "b"] * 30, groups=["S1", "S2"] * 30), TARGET)
    assert table.rows[0][1:] == ["1.000", "P = 0.001"]
    alone, adjusted = table.rows[1][1:]
    assert float(alone.split(" ")[0]) < 0.5
    assert "not computable" in adjusted


def test_groups_unrelated_to_them_keep_their_hazard_ratio() -> None:
    rng = np.random.default_rng(3)
    table = _beside_genes(results(list(rng.choice(["a", "b", "c"], 600)), groups=["S1", "S2", "S2"] * 200), TARGET)
    assert abs(float(table.rows[0][1])) < 0.1
    alone, adjusted = (float(each.split(" ")[0]) for each in table.rows[1][1:])
    assert adjusted == pytest.approx(alone, rel=0.15)


def test_a_cohort_without_the_column_has_no_such_table() -> None:
    bare = SimpleNamespace(patients=pd.DataFrame({"age": [1]}))
    assert _genomic(SimpleNamespace(cohorts=[bare], targets=[TARGET])) == []
