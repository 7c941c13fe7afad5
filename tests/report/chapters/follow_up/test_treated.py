from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hepatica.evaluate import compare_groups, compare_shares, pearson
from hepatica.report.chapters.baseline import HALVES
from hepatica.report.chapters.follow_up.treated import (
    FOLD,
    _baseline,
    _treatments,
    correlated,
    section,
    tile_scores,
    with_treated,
)
from hepatica.report.page.blocks import Figure, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Results, Run, read_run
from hepatica.report.page.wording import p_value


@pytest.fixture
def run(finished: Path) -> Run:
    return read_run(finished, external=[finished / "external" / "hospital_b"])


def test_tile_scores_are_means_over_all_tiles_of_a_patient(run: Run) -> None:
    table, regions = tile_scores(run.internal, run.targets[0]), run.internal.regions()[0]
    assert set(table.index) == set(run.internal.outcomes(run.targets[0], fold=FOLD).index)
    one = table.index[0]
    tiles = regions.loc[regions["patient_id"] == one, "score"]
    assert len(tiles) == 6
    assert table.loc[one, "tiles"] == pytest.approx(tiles.mean())


def test_r_stands_in_the_table_and_in_the_figure(run: Run, tmp_path: Path, sketchbook: Callable[..., Any]) -> None:
    gallery = sketchbook(tmp_path)
    found = section(run, gallery)
    outcomes = tile_scores(run.internal, run.targets[0])
    told = f"{pearson(outcomes['tiles'], y=outcomes['time']).r.value:.2f} ("
    table = next(each for each in found.blocks if isinstance(each, Table))
    assert next(row for row in table.rows if row[0].startswith("Mean tile score"))[1].startswith(told)
    assert f"r {told}" in gallery.words["treated_tiles_internal"]
    assert sum(isinstance(each, Figure) for each in found.blocks) == 2


def test_one_patient_has_no_correlation(run: Run) -> None:
    assert "got 1 patients" in str(correlated(tile_scores(run.internal, run.targets[0])[:1]))


def test_nobody_was_treated(
    make_run: Callable[..., tuple[Path, list[Path]]], tmp_path: Path, sketchbook: Callable[..., Gallery]
) -> None:
    path, external = make_run(treated=False)
    run = read_run(path, external=external)
    assert with_treated(run) == []
    assert "No treated patients were set aside" in str(section(run, sketchbook(tmp_path)))


def test_a_blank_treatment_is_not_called_nan(run: Run) -> None:
    bare = replace(run.internal, patients=run.internal.patients.assign(treatment=None))
    assert _treatments([bare]) == "treatment unknown"
    assert _treatments([run.internal, bare]) == f"{_treatments([run.internal])}, treatment unknown"


@pytest.fixture
def results(finished: Path) -> Results:
    return read_run(finished, external=[finished / "external" / "hospital_b"]).external[0]


def test_shares_are_tested_by_group_and_by_outcome(results: Results) -> None:
    target = results.targets[0]
    outcomes = results.outcomes(target, fold="set_aside")
    old = results.patients.loc[outcomes.index, "age_years"] >= HALVES["age_years"]
    table = _baseline(results, target)
    row = next(row for row in table.rows if row[0] == "Age (years), 50 or more")
    for split, cell in ((outcomes["group"] == "high", row[3]), (outcomes["event"] == 1, row[6])):
        counts = [[(old[side] == each).sum() for side in (~split, split)] for each in (True, False)]
        expected = compare_shares(counts)
        assert cell == f"{p_value(expected.p)}, {expected.test.removesuffix(' test')}"
        assert sum(map(sum, counts)) == len(outcomes)


def test_columns_count_the_patients(results: Results) -> None:
    outcomes = results.outcomes(results.targets[0], fold="set_aside")
    header = " ".join(_baseline(results, results.targets[0]).header).replace("\N{NO-BREAK SPACE}", " ")
    for name, n in (
        ("Low risk", (outcomes["group"] == "low").sum()),
        ("High risk", (outcomes["group"] == "high").sum()),
        ("No recurrence", (outcomes["event"] == 0).sum()),
        ("Recurrence", (outcomes["event"] == 1).sum()),
    ):
        assert f"{name} (n = {n})" in header


def test_categories_stand_one_below_the_other_with_one_p(results: Results) -> None:
    rows = _baseline(results, results.targets[0]).rows
    at = next(place for place, row in enumerate(rows) if row[0] == "BCLC stage")
    assert [row[0].strip() for row in rows[at + 1 : at + 4]] == ["0", "A", "B"]
    assert rows[at][3]
    assert [row[3] for row in rows[at + 1 : at + 4]] == ["", "", ""]


def test_other_numbers_are_compared_as_numbers(results: Results) -> None:
    patients = results.patients.rename(columns={"age_years": "albumin_g_l"})
    table = _baseline(replace(results, patients=patients), results.targets[0])
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
    rows = _baseline(replace(results, patients=patients), results.targets[0]).rows
    assert next(row for row in rows if row[0] == "Sex")[3] == "\N{EN DASH}"


def test_no_covariates(results: Results) -> None:
    keep = [name for name in results.patients if name not in results.covariates()]
    bare = replace(results, patients=results.patients[keep])
    assert _baseline(bare, results.targets[0]).rows == [["The cohort tables hold no covariates."]]


def test_a_few_treated_patients_are_not_listed_by_their_ages(results: Results) -> None:
    others = results.outcomes(results.targets[0], fold="set_aside").index[3:]
    kept = results.predictions[~results.predictions["patient_id"].isin(others)]
    rows = _baseline(replace(results, predictions=kept), results.targets[0]).rows
    assert "Age (years), 50 or more" in [row[0] for row in rows]
