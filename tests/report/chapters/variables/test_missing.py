"""Missing: shares by cohort and outcome, and what is missing together, of a table counted by hand."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from hepatica.cohort import Months, Target
from hepatica.report.chapters.variables.missing import section
from hepatica.report.page import Gallery, Section, Table

PATIENTS = pd.DataFrame(
    {
        "afp_ng_ml": [np.nan, np.nan, 3, 4, 5, 6],
        "albumin_g_l": [np.nan, 40, 41, 42, np.nan, 44],
        "age_years": range(6),
        "label": [1, 1, 1, 0, 0, np.nan],
    },
    index=[f"P{n}" for n in range(6)],
)


def run(patients: pd.DataFrame, *, task: str = "binary") -> SimpleNamespace:
    results = SimpleNamespace(
        title="External: x",
        reported=patients,
        covariates=lambda: ["afp_ng_ml", "albumin_g_l", "age_years"],
        endpoint=lambda target: SimpleNamespace(label=lambda table, horizon: table["label"]),
    )
    return SimpleNamespace(cohorts=[results], targets=[Target(endpoint="hcc", task=task, horizon=Months(0))])


def test_shares_are_of_patients_with_and_without_the_event(
    tmp_path: Path, sketchbook: Callable[[Path], Gallery]
) -> None:
    made = section(run(PATIENTS), sketchbook(tmp_path))
    assert isinstance(made, Section)
    shares, patterns = (each for each in made.blocks if isinstance(each, Table))
    assert list(shares.header[1:]) == ["External: x, with HCC", "External: x, without"]
    assert [list(row) for row in shares.rows] == [
        ["AFP (ng/mL)", "2\u00a0(67%)", "0\u00a0(0%)"],
        ["Albumin (g/L)", "1\u00a0(33%)", "1\u00a0(50%)"],
    ]
    assert [row[1] for row in patterns.rows] == ["3\u00a0(50%)", *["1\u00a0(17%)"] * 3]
    assert {row[0] for row in patterns.rows} == {
        "none", "AFP (ng/mL), Albumin (g/L)", "AFP (ng/mL)", "Albumin (g/L)",
    }  # fmt: skip


def test_without_a_yes_or_no_all_are_one_group(tmp_path: Path, sketchbook: Callable[[Path], Gallery]) -> None:
    made = section(run(PATIENTS, task="survival"), sketchbook(tmp_path))
    assert isinstance(made, Section)
    (shares, _) = (each for each in made.blocks if isinstance(each, Table))
    assert list(shares.rows[0]) == ["AFP (ng/mL)", "2\u00a0(33%)"]


def test_a_complete_table_has_no_chapter(tmp_path: Path, sketchbook: Callable[[Path], Gallery]) -> None:
    assert section(run(PATIENTS.dropna()), sketchbook(tmp_path)) == "No covariate has missing values."
