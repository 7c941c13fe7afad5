from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing
from scipy import stats

from hepatica.radiology.risk_score import from_share
from hepatica.report.page.blocks import Figure, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.wording import p_value
from hepatica.studies.wang_2021.chapters.pathology import PARAMETERS, compared, grouped, paint, risks, section
from hepatica.studies.wang_2021.chapters.published import TABLE_3

Sketch = Callable[[Path], Gallery]


def told(**columns: list[object]) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    return pd.DataFrame(columns | {"risk": np.arange(size, dtype=float), "cohort": "A"})


@pytest.mark.parametrize(
    ("key", "values", "groups"),
    [
        ("size", [5.0, 5.1, None], {"≤ 5 cm": [0], "> 5 cm": [1]}),
        ("stage", ["IIIA", "II", "IV", "IB", None, "T1"], {"I + II": [1, 3], "III + IV": [0, 2]}),
        ("number", [1, 2, 6], {"solitary": [0], "multiple": [1, 2]}),
        ("invasion", [0.0, 1.0, np.nan], {"no": [0], "yes": [1]}),
        ("fibrosis", [4, 0, 0], {"F0": [1, 2], "F1": [], "F2": [], "F3": [], "F4": [0]}),
        ("severe", [2, 3, 4], {"F0 to F2": [0], "F3 and F4": [1, 2]}),
        ("grade", [4.0, 1.0, np.nan], {"G1": [1], "G2": [], "G3": [], "G4": [0]}),
    ],
)
def test_patients_are_parted_as_in_table_3(key: str, values: list[object], groups: dict[str, list[float]]) -> None:
    parameter = PARAMETERS[key]
    found = grouped(told(**{parameter.column: values}), parameter)
    assert {name: each.tolist() for name, each in found.items()} == groups
    assert list(TABLE_3[key]) == ["P", *groups]


def test_a_column_that_is_not_there_has_empty_groups() -> None:
    assert {each.size for each in grouped(told(age_years=[1, 2]), PARAMETERS["grade"]).values()} == {0}


def test_two_groups_by_welch_and_by_ranks() -> None:
    first, second = np.array([1.0, 2, 3, 9]), np.array([4.0, 5, 6])
    found = compared([first, second])
    assert found.p == stats.ttest_ind(first, second, equal_var=False).pvalue
    assert found.rank_p == stats.mannwhitneyu(first, second).pvalue
    assert found.test == "Welch's t-test"


def test_more_groups_by_analysis_of_variance_and_by_ranks() -> None:
    groups = [np.array([1.0, 2, 3]), np.array([2.0, 5]), np.array([7.0, 8, 9]), np.array([5.0])]
    found = compared(groups)
    assert found.p == stats.f_oneway(*groups[:3]).pvalue  # a single patient has no spread
    assert found.rank_p == stats.kruskal(*groups[:3]).pvalue


@pytest.mark.parametrize("groups", [[[1.0, 1], [1.0, 1]], [[1.0, 2], [3.0]], [[1.0, 1], [2.0, 2]]])
def test_nothing_to_compare_has_no_p(groups: list[list[float]]) -> None:
    found = compared([np.array(each) for each in groups])
    assert np.isnan([found.p, found.rank_p]).all()


def test_only_patients_with_hcc_have_a_risk(study: Run) -> None:
    target = study.targets[0]
    outcomes = study.internal.outcomes(target).query("label == 1")
    np.testing.assert_allclose(risks(study.internal, target)["risk"], from_share(outcomes["score"]))


def test_where_resection_is_told_the_others_are_left_out(study: Run) -> None:
    ill = study.internal.outcomes(study.targets[0]).query("label == 1").index
    patients = study.internal.patients.assign(resected=study.internal.patients.index.isin(ill[:5]).astype(int))
    found = risks(replace(study.internal, patients=patients), study.targets[0])
    assert list(found.index) == list(ill[:5])


def test_a_score_rounded_up_to_1_stays_finite(study: Run) -> None:
    sure = study.internal.predictions.assign(score=1.0)
    found = risks(replace(study.internal, predictions=sure), study.targets[0])["risk"]
    np.testing.assert_allclose(found, 15.95, atol=0.01)


def test_tables_of_each_cohort_and_of_all(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    _, figure, *tables = section(study, sketchbook(tmp_path)).blocks
    assert isinstance(figure, Figure)
    assert len(figure.panels) == len(PARAMETERS)
    both = tables[-1]
    assert isinstance(both, Table)
    assert len(tables) == 3
    rows = {row[0].strip(): list(row[1:]) for row in both.rows}
    risk = pd.concat([risks(each, study.targets[0]) for each in study.cohorts])
    large = risk.loc[risk["tumour_size_cm"] > 5, "risk"]
    assert rows["> 5 cm"][0] == f"{large.mean():.4f} ± {large.std():.4f} ({len(large)})"
    assert rows["> 5 cm"][3] == "0.1594 ± 0.1404"
    small = risk.loc[risk["tumour_size_cm"] <= 5, "risk"]
    p = stats.ttest_ind(small, large, equal_var=False).pvalue
    assert rows["Tumour size: Welch's t-test"] == [
        "", p_value(p), p_value(stats.mannwhitneyu(small, large).pvalue), "", "0.057",
    ]  # fmt: skip


def test_no_pathology_is_told(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    columns = [each.column for each in PARAMETERS.values()]
    bare = tuple(replace(each, patients=each.patients.drop(columns=set(columns))) for each in study.cohorts)
    [none] = section(replace(study, cohorts=bare), sketchbook(tmp_path)).blocks
    assert isinstance(none, Text)
    assert "No patient with HCC has pathology told" in none.text


def test_a_panel_without_patients_says_so() -> None:
    figure = Drawing()
    paint(figure, table=told(grade=[None, None]), parameter=PARAMETERS["grade"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["Nothing is told of it."]
