"""Comparators: who is evaluable, on which side of a rule, and the difference on the same patients."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from hepatica.cohort import Months, Target
from hepatica.evaluate import Risk, auroc, c_index
from hepatica.report.chapters.variables.comparators import section
from hepatica.report.page import Gallery, Section, Table

INDEX = pd.Index([f"P{n}" for n in range(8)], name="patient_id")
FOLLOWED = pd.DataFrame(
    {"time": [3, 5, 8, 13, 20, 30, 40, 50], "event": [1, 1, 0, 1, 1, 0, 0, 1], "score": np.arange(8)[::-1] / 10},
    index=INDEX,
)
BESIDE = pd.DataFrame(
    {"milan": [1, 1, 0, 0, 0, 0, np.nan, 0], "baseline": [1, 5, 3, 2, np.nan, 4, 2, 0.0], "kyoto": np.nan}, index=INDEX
)


def run(outcomes: pd.DataFrame, target: Target, beside: pd.DataFrame | None) -> SimpleNamespace:
    results = SimpleNamespace(
        title="Internal test: x", comparators=lambda: beside, outcomes=lambda _: outcomes, targets=[target]
    )
    return SimpleNamespace(cohorts=[results])


def rows(outcomes: pd.DataFrame, target: Target, gallery: Gallery) -> dict[str, list[str]]:
    made = section(run(outcomes, target, BESIDE), gallery)
    assert isinstance(made, Section)
    (table,) = (each for each in made.blocks if isinstance(each, Table))
    return {row[0]: list(row[1:]) for row in table.rows}


def test_survival_is_compared_on_the_evaluable_patients(tmp_path: Path, sketchbook: Callable[[Path], Gallery]) -> None:
    found = rows(FOLLOWED, Target(endpoint="recurrence", task="survival"), sketchbook(tmp_path))
    known = FOLLOWED[BESIDE["baseline"].notna()]
    time, event = known["time"].to_numpy(), known["event"].to_numpy()
    theirs = c_index(time, event=event, score=Risk(BESIDE["baseline"].dropna().to_numpy()))
    assert found["Baseline"][:3] == ["7\u00a0(88%)", "", str(theirs)]
    assert found["Baseline"][3] == str(c_index(time, event=event, score=Risk(known["score"].to_numpy())))
    assert found["Milan criteria"][1] == "2\u00a0(29%)"  # of 7 who are beyond
    assert found["Kyoto criteria"] == ["0\u00a0(0%)", "", "not computable", "not computable", "not computable", ""]


def test_a_diagnosis_is_compared_by_auroc(tmp_path: Path, sketchbook: Callable[[Path], Gallery]) -> None:
    outcomes = FOLLOWED.drop(columns=["time", "event"]).assign(label=[1, 1, 0, 1, 0, np.nan, 0, 0])
    found = rows(outcomes, Target(endpoint="hcc", horizon=Months(0)), sketchbook(tmp_path))
    known = outcomes["label"].notna() & BESIDE["baseline"].notna()
    assert found["Baseline"][0] == "6\u00a0(86%)"
    assert found["Baseline"][2] == str(auroc(outcomes.loc[known, "label"], score=BESIDE.loc[known, "baseline"]))


def test_a_system_without_comparators_has_no_word_of_it(tmp_path: Path, sketchbook: Callable[[Path], Gallery]) -> None:
    assert section(run(FOLLOWED, Target(endpoint="recurrence", task="survival"), None), sketchbook(tmp_path)) == ""
