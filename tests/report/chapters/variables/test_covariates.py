"""Covariates: scores by covariate with the test of two or more groups, and two groups compared in theirs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing
from scipy import stats

from hepatica.evaluate import compare_groups
from hepatica.report.chapters.variables.covariates import (
    MOST_LEVELS,
    Parameter,
    Scale,
    compared,
    diseased,
    grouped,
    paint,
    parts,
    section,
)
from hepatica.report.page.blocks import Figure, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.wording import p_value
from hepatica.studies.wang_2021_hccnet.chapters.printed import RISK, TABLE_3

Sketch = Callable[[Path], Gallery]


def test_small_and_large_are_divided_at_5_cm() -> None:
    split = parts(pd.Series([5.0, 5.1, None, 1.0], name="tumour_size_cm"))
    assert {name: members.tolist() for name, members in split.items()} == {
        "≤ 5": [True, False, False, True],
        "> 5": [False, True, False, False],
    }


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1.0, 0.0, 1.0], ["no", "yes"]),
        (["cyst", "hcc", None], ["HCC", "cyst"]),
        ([1.0, 1.0, 1.0], []),
        ([1.5, 2.5, 3.5, 4.5, 5.5, 6.5], []),
        ([f"kind {n}" for n in range(MOST_LEVELS + 1)], []),
        ([None, None], []),
    ],
)
def test_a_covariate_divides_patients(values: list[object], names: list[str]) -> None:
    assert sorted(parts(pd.Series(values, name="x"))) == names


def test_levels_may_be_limited() -> None:
    assert list(parts(pd.Series(list("BAB"), name="grade"), most=4)) == ["A", "B"]
    assert parts(pd.Series(list("ABCDE"), name="grade"), most=4) == {}
    assert parts(pd.Series([1.0, 2.0], name="tumour_size_cm"), most=4) == {}


def test_two_groups_by_the_rule_of_evaluate() -> None:
    first, second = np.array([1.0, 2, 3, 9]), np.array([4.0, 5, 6])
    found = compare_groups(first, second=second)
    assert compared([first, second]) == (found.test, found.p)


def test_more_groups_by_ranks_without_those_of_one_patient() -> None:
    groups = [np.array([1.0, 2, 3]), np.array([2.0, 5]), np.array([7.0, 8, 9]), np.array([5.0])]
    assert compared(groups) == ("Kruskal-Wallis test", stats.kruskal(*groups[:3]).pvalue)


@pytest.mark.parametrize("groups", [[[1.0, 1], [1.0, 1]], [[1.0, 2], [3.0]], [[1.0, 1], [2.0, 2]]])
def test_nothing_to_compare_has_no_p(groups: list[list[float]]) -> None:
    test, p = compared([np.array(each) for each in groups])
    assert test == "no test"
    assert np.isnan(p)


def test_where_a_column_says_so_the_others_are_left_out(study: Run) -> None:
    ill = study.internal.outcomes(study.targets[0]).query("label == 1").index
    patients = study.internal.patients.assign(resected=study.internal.patients.index.isin(ill[:5]).astype(int))
    found = diseased(replace(study.internal, patients=patients), Scale(only="resected"))
    assert list(found.index) == list(ill[:5])


def test_tables_of_each_cohort_and_of_all(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    made = section(study, sketchbook(tmp_path), parameters=TABLE_3, scale=RISK)
    assert not isinstance(made, str)
    _, figure, *tables = made.blocks
    assert isinstance(figure, Figure)
    assert len(figure.panels) == len(TABLE_3)
    both = tables[-1]
    assert isinstance(both, Table)
    assert len(tables) == 3
    rows = {row[0].strip(): list(row[1:]) for row in both.rows}
    risk = pd.concat([diseased(each, RISK) for each in study.cohorts])
    large, small = risk[risk["tumour_size_cm"] > 5]["value"], risk[risk["tumour_size_cm"] <= 5]["value"]
    assert rows["> 5 cm"] == [
        f"{large.mean():.4f} ± {large.std():.4f} ({len(large)})", "", "0.1594 ± 0.1404", "",
    ]  # fmt: skip
    found = compare_groups(small, second=large)
    assert rows[f"Tumour size: {found.test}"] == ["", p_value(found.p), "", "0.057"]


def test_without_a_paper_the_cohorts_own_covariates_are_shown(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    made = section(study, sketchbook(tmp_path))
    assert not isinstance(made, str)
    table = made.blocks[2]
    assert isinstance(table, Table)
    assert list(table.header) == ["", "Mean ± SD (n)", "P"]
    assert any(row[0].startswith("Sex: ") for row in table.rows)


def test_no_covariate_has_no_chapter(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    columns = [each.column for each in TABLE_3]
    bare = tuple(replace(each, patients=each.patients.drop(columns=set(columns))) for each in study.cohorts)
    told = section(replace(study, cohorts=bare), sketchbook(tmp_path), parameters=TABLE_3)
    assert "No patient with HCC has a covariate" in str(told)


def test_a_panel_without_patients_says_so() -> None:
    table = pd.DataFrame({"grade": [None, None], "value": [1.0, 2.0], "cohort": "A"})
    figure, parameter = Drawing(), Parameter(title="Grade", column="grade")
    paint(figure, table=table, parameter=parameter, ylabel="Score")
    assert [text.get_text() for text in figure.axes[0].texts] == ["Not recorded."]
    assert grouped(table.drop(columns="grade"), parameter) == {}
