"""Rows: columns as vectors, with their units and categories checked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hepatica.clinical.rows import column_of, read_rows
from hepatica.cohort import Cohort, CohortError, SettingsError, load_cohort
from hepatica.protocol.rows import MISSING, measure

HEAD = """
name = "h"
[endpoints.hcc]
label = "hcc"
"""


@pytest.fixture
def made(tmp_path: Path, write_cohort: Callable[..., Path]) -> Callable[[str, list[str]], Cohort]:
    def make(column: str, cells: list[str]) -> Cohort:
        rows = "".join(f"P{n},{n % 2},{cell}\n" for n, cell in enumerate(cells))
        patients = f"patient_id,hcc,{column}\n{rows}"
        folder = write_cohort(tmp_path, head=HEAD, patients=patients)
        (folder / "specimens.csv").unlink()
        return load_cohort(folder)

    return make


def test_a_category_is_read_in_any_case_and_a_blank_is_missing(made: Callable[..., Cohort]) -> None:
    np.testing.assert_array_equal(column_of(made("sex", ["Male", "female", ""]), "sex=male"), [1, 0, np.nan])
    np.testing.assert_array_equal(column_of(made("sex", ["female", "female"]), "sex=male"), [0, 0])


def test_an_absent_column_is_named_with_what_there_is(made: Callable[..., Cohort]) -> None:
    cohort = made("sex", ["Male"])
    with pytest.raises(CohortError, match=r"no column 'afp_ng_ml' in patients.csv; it has hcc, sex$"):
        column_of(cohort, "afp_ng_ml")
    with pytest.raises(CohortError, match=r"it has none: files alone have no patients.csv; give a cohort folder"):
        column_of(replace(cohort, patients=cohort.patients[[]]), "afp_ng_ml")


def test_other_names_of_categories_are_not_taken_for_another_category(made: Callable[..., Cohort]) -> None:
    with pytest.raises(CohortError, match=r"column sex of h has f, m, wanted female, male"):
        column_of(made("sex", ["M", "F"]), "sex=male")


def test_values_of_another_unit_are_refused(made: Callable[..., Cohort]) -> None:
    column_of(made("albumin_g_l", ["41"] * 8), "albumin_g_l")
    with pytest.raises(CohortError, match="look like g/dL"):
        column_of(made("albumin_g_l", ["4.1"] * 8), "albumin_g_l")


def test_what_is_missing_is_measured(made: Callable[..., Cohort]) -> None:
    store = read_rows(made("inr", ["1.0", ""]), columns=["inr", "hcc"])
    assert measure(store)[next(iter(MISSING))].tolist() == [0, 0.5]


def test_follow_up_is_no_variable(tmp_path: Path, write_cohort: Callable[..., Path]) -> None:
    cohort = load_cohort(write_cohort(tmp_path))
    for endpoint in cohort.endpoints:
        followed = cohort.survival(endpoint)
        for column in (followed.time, followed.event, f"log10 {followed.time}"):
            with pytest.raises(SettingsError, match="wanted one known at the index date"):
                column_of(cohort, column)
