"""Importance: what `hepatica explain` found of the variables is drawn and tabulated; nothing is made up without it."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from hepatica.cohort import Target
from hepatica.report.chapters.variables.importance import section
from hepatica.report.page import Figure, Gallery, Section, Table

LINE = {"at": [1.0, 2.0], "score": [0.1, 0.2], "low": [0.05, 0.1], "high": [0.15, 0.3]}
FOUND = {
    "target": "recurrence",
    "statistic": "C-index",
    "patients": 40,
    "variables": [
        {"name": "log10 afp_ng_ml", "attribution": 0.7, "value": 0.08, "low": 0.02, "high": 0.14, "dependence": LINE},
        {"name": "sex=male", "attribution": 0.3, "value": -0.01, "low": -0.03, "high": 0.02, "dependence": LINE},
    ],
}


def run(found: dict | None) -> SimpleNamespace:
    results = SimpleNamespace(title="External: x", key="external_x", importance=lambda: found)
    return SimpleNamespace(cohorts=[results], targets=[Target(endpoint="recurrence", task="survival")])


def test_figures_and_table(tmp_path: Path, sketchbook: Callable[[Path], Gallery]) -> None:
    made = section(run(FOUND), sketchbook(tmp_path))
    assert isinstance(made, Section)
    assert sum(isinstance(block, Figure) for block in made.blocks) == 2
    (table,) = (block for block in made.blocks if isinstance(block, Table))
    assert [list(row) for row in table.rows] == [
        ["log10 AFP (ng/mL)", "0.080 (0.020 to 0.140)", "70%"],
        ["Sex: male", "-0.010 (-0.030 to 0.020)", "30%"],
    ]


def test_without_a_statistic_attributions_alone(tmp_path: Path, sketchbook: Callable[[Path], Gallery]) -> None:
    bare = [{"name": "blood.GPC3", "attribution": 1.0, "dependence": LINE}]
    made = section(run(FOUND | {"statistic": "", "variables": bare}), sketchbook(tmp_path))
    assert isinstance(made, Section)
    (table,) = (block for block in made.blocks if isinstance(block, Table))
    assert list(table.rows[0]) == ["GPC3 (blood)", "", "100%"]


def test_a_system_without_variables_has_no_word_of_it(tmp_path: Path, sketchbook: Callable[[Path], Gallery]) -> None:
    assert section(run(None), sketchbook(tmp_path)) == ""
