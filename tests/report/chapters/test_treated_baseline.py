from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from hepatica.evaluate import compare_groups, compare_shares
from hepatica.report.chapters.treated_baseline import HALVES, baseline
from hepatica.report.page.results import Results, read_run
from hepatica.report.page.wording import p_value


@pytest.fixture
def results(finished: Path) -> Results:
    return read_run(finished, external=[finished / "external" / "hospital_b"]).external[0]


def test_shares_are_tested_by_group_and_by_outcome(results: Results) -> None:
    target = results.targets[0]
    outcomes = results.outcomes(target, fold="set_aside")
    old = results.patients.loc[outcomes.index, "age_years"] >= HALVES["age_years"]
    table = baseline(results, target)
    row = next(row for row in table.rows if row[0] == "Age (years), 50 or more")
    for split, cell in ((outcomes["group"] == "high", row[3]), (outcomes["event"] == 1, row[6])):
        counts = [[(old[side] == each).sum() for side in (~split, split)] for each in (True, False)]
        expected = compare_shares(counts)
        assert cell == f"{p_value(expected.p)}, {expected.test.removesuffix(' test')}"
        assert sum(map(sum, counts)) == len(outcomes)


def test_columns_count_the_patients(results: Results) -> None:
    outcomes = results.outcomes(results.targets[0], fold="set_aside")
    header = " ".join(baseline(results, results.targets[0]).header).replace("\N{NO-BREAK SPACE}", " ")
    for name, n in (
        ("Low risk", (outcomes["group"] == "low").sum()),
        ("High risk", (outcomes["group"] == "high").sum()),
        ("No recurrence", (outcomes["event"] == 0).sum()),
        ("Recurrence", (outcomes["event"] == 1).sum()),
    ):
        assert f"{name} (n = {n})" in header


def test_categories_stand_one_below_the_other_with_one_p(results: Results) -> None:
    rows = baseline(results, results.targets[0]).rows
    at = next(place for place, row in enumerate(rows) if row[0] == "BCLC stage")
    assert [row[0].strip() for row in rows[at + 1 : at + 4]] == ["0", "A", "B"]
    assert rows[at][3]
    assert [row[3] for row in rows[at + 1 : at + 4]] == ["", "", ""]


def test_other_numbers_are_compared_as_numbers(results: Results) -> None:
    patients = results.patients.rename(columns={"age_years": "albumin_g_l"})
    table = baseline(replace(results, patients=patients), results.targets[0])
    row = next(row for row in table.rows if row[0] == "Albumin (g/L)")
    outcomes = results.outcomes(results.targets[0], fold="set_aside")
    values, high = patients.loc[outcomes.index, "albumin_g_l"], (outcomes["group"] == "high").to_numpy()
    expected = compare_groups(values[~high], second=values[high])
    assert row[1:4] == [
        f"{values[~high].median():.3g}",
        f"{values[high].median():.3g}",
        f"{p_value(expected.p)}, {expected.test.removesuffix(' test')}",
    ]


def test_what_all_patients_share_has_no_p(results: Results) -> None:
    patients = results.patients.assign(sex="male", age_years=pd.NA)
    rows = baseline(replace(results, patients=patients), results.targets[0]).rows
    assert next(row for row in rows if row[0] == "Sex")[3] == "\N{EN DASH}"


def test_no_covariates(results: Results) -> None:
    keep = [name for name in results.patients if name not in results.covariates()]
    bare = replace(results, patients=results.patients[keep])
    assert baseline(bare, results.targets[0]).rows == [["The cohort tables hold no covariates."]]


def test_a_few_treated_patients_are_not_listed_by_their_ages(results: Results) -> None:
    others = results.outcomes(results.targets[0], fold="set_aside").index[3:]
    kept = results.predictions[~results.predictions["patient_id"].isin(others)]
    rows = baseline(replace(results, predictions=kept), results.targets[0]).rows
    assert "Age (years), 50 or more" in [row[0] for row in rows]
