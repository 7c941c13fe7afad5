"""Columns: numbers, words and blanks of one column, and the way a fault is told."""

import csv
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import CohortError
from hepatica.cohort.columns import Faults, as_covariate, event_column, label_column, read_table, time_column

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0\ufeff", exclude_categories=["Cs"]), max_size=8)


def table(**columns):
    return pd.DataFrame(columns, index=pd.RangeIndex(2, 2 + len(next(iter(columns.values())))))


def test_no_fault_raises_nothing():
    Faults().raise_if_any(Path("cohort"))


def test_the_same_fault_is_told_once():
    faults = Faults()
    for _ in range(2):
        faults.add("patients.csv", "is blank", 4, "age")
    with pytest.raises(CohortError, match=r"^cohort has 1 fault: patients\.csv row 4 column age: is blank$"):
        faults.raise_if_any(Path("cohort"))


def test_times_and_events_are_numbers():
    faults = Faults()
    months = time_column(table(months=["0", "12.5", "1e2"]), "months", faults)
    event = event_column(table(event=["0", "1", "1.0"]), "event", faults)
    assert (months.tolist(), event.tolist(), faults.found) == ([0, 12.5, 100], [0, 1, 1], [])


def test_each_bad_cell_is_one_fault():
    faults = Faults()
    time_column(table(months=["-1", "", "inf", "x", "3"]), "months", faults)
    event_column(table(event=["2", "", "no", "0", "1"]), "event", faults)
    assert [fault.split(":")[0] for fault in faults.found] == [
        "patients.csv row 3 column months",
        "patients.csv row 5 column months",
        "patients.csv row 2 column months",
        "patients.csv row 4 column months",
        "patients.csv row 3 column event",
        "patients.csv row 4 column event",
        "patients.csv row 2 column event",
    ]


def test_a_label_may_be_unknown():
    faults = Faults()
    label = label_column(table(hcc=["1", "", "0", "1.0"]), "hcc", faults)
    np.testing.assert_array_equal(label, [1, np.nan, 0, 1])
    assert (label.index.tolist(), faults.found) == ([2, 3, 4, 5], [])


def test_a_label_is_yes_or_no_and_nothing_else():
    faults = Faults()
    label_column(table(hcc=["2", "", "yes", "1"]), "hcc", faults)
    wanted = "wanted 1 (present), 0 (absent) or an empty cell (unknown)"
    assert faults.found == [
        f"patients.csv row 4 column hcc: got 'yes', {wanted}",
        f"patients.csv row 2 column hcc: got '2', {wanted}",
    ]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2.5", ""], [1.0, 2.5, np.nan]),
        (["1", "unknown", ""], ["1", "unknown", np.nan]),
        (["1", "NA", "None"], ["1", "NA", "None"]),
        (["", "", ""], [np.nan, np.nan, np.nan]),
    ],
)
def test_a_covariate_is_numeric_only_when_every_filled_cell_is(cells, expected):
    pd.testing.assert_series_equal(as_covariate(pd.Series(cells)), pd.Series(expected))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_whatever_the_cells_hold_comes_back_stripped(rows):
    faults = Faults()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patients.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["a", "b", "c"], *rows])
        read = read_table(path, faults, wanted=(), unique=())
    kept = {row: cells for row, raw in enumerate(rows, start=2) if any(cells := [cell.strip() for cell in raw])}
    assert read is not None
    assert read.index.tolist() == list(kept)
    assert read.to_numpy().tolist() == list(kept.values())
    assert faults.found == ([] if kept else ["patients.csv has no rows"])
