"""Columns: numbers, classes and blanks of one column, and the cells that are none of its kind."""

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort.columns import (
    class_column,
    covariate,
    event_column,
    label_column,
    time_column,
    value_column,
    without_codes,
)
from hepatica.cohort.faults import Faults


def table(**columns):
    return pd.DataFrame(columns, index=pd.RangeIndex(2, 2 + len(next(iter(columns.values())))))


def test_times_and_events_are_numbers():
    faults = Faults()
    months = time_column(table(months=["0", "12.5", "1e2"]), "months", faults)
    event = event_column(table(event=["0", "1", "2.0"]), "event", faults)
    assert (months.tolist(), event.tolist(), len(faults)) == ([0, 12.5, 100], [0, 1, 2], 0)


def test_each_bad_cell_is_one_fault():
    faults = Faults()
    time_column(table(months=["-1", "", "inf", "x", "3"]), "months", faults)
    event_column(table(event=["3", "", "no", "0", "1"]), "event", faults)
    assert str(faults).startswith("patients.csv rows 2, 3, 4, 5 column months: got '-1', '', 'inf', 'x', wanted months")
    assert "patients.csv rows 2, 3, 4 column event: got '3', '', 'no', wanted 1 (happened)" in str(faults)
    assert len(faults) == 7


def test_days_given_for_months_are_a_fault_where_they_are_long():
    faults = Faults()
    time_column(table(months=["50", "1190", "601"]), "months", faults)
    wanted = "wanted months of follow-up, 0 to 600; divide days by 30.4375"
    assert str(faults) == f"patients.csv rows 3, 4 column months: got '1190', '601', {wanted}"
    assert len(faults) == 2


def test_days_given_for_months_are_warned_about_where_they_are_short():
    with pytest.warns(
        UserWarning, match=r"column months: the median follow-up is 180 months \(15 years\); if these are"
    ):
        time_column(table(months=["50", "180", "500"]), "months", Faults())


def test_a_label_may_be_unknown():
    faults = Faults()
    label = label_column(table(hcc=["1", "", "0", "1.0"]), "hcc", faults)
    np.testing.assert_array_equal(label, [1, np.nan, 0, 1])
    assert (label.index.tolist(), len(faults)) == ([2, 3, 4, 5], 0)


def test_a_label_is_yes_or_no_and_nothing_else():
    faults = Faults()
    label_column(table(hcc=["2", "", "yes", "1"]), "hcc", faults)
    wanted = "wanted 1 (present), 0 (absent) or an empty cell (unknown)"
    assert str(faults) == f"patients.csv rows 2, 4 column hcc: got '2', 'yes', {wanted}"


def test_a_class_is_one_of_those_declared_or_unknown():
    faults = Faults()
    classes = ("cyst", "haemangioma", "hcc")
    found = class_column(table(kind=["hcc", "", "hemangioma", "zzz"]), "kind", faults, classes=classes)
    assert found.isna().tolist() == [False, True, True, True]
    first, second = str(faults).split("; patients")
    assert first == (
        "patients.csv row 4 column kind: got 'hemangioma', wanted a class of cohort.toml (cyst, haemangioma, hcc);"
        " did you mean haemangioma?"
    )
    assert ".csv row 5 column kind: got 'zzz'" in second


def test_a_value_is_a_number_in_its_unit_or_unknown():
    faults = Faults()
    values = value_column(table(kpa=["3.5", "", "-1e3", "soft", "inf"]), "kpa", faults, unit="kPa")
    np.testing.assert_array_equal(values, [3.5, np.nan, -1000, np.nan, np.nan])
    assert "rows 5, 6 column kpa: got 'soft', 'inf', wanted a number in kPa or an empty cell (unknown)" in str(faults)
    assert len(faults) == 2


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
    faults = Faults()
    pd.testing.assert_series_equal(covariate(pd.Series(cells), faults, file="patients.csv"), pd.Series(expected))
    assert not faults


@pytest.mark.parametrize("cell", [">1000", "6O", "inf", "nan", "NA", "1000 ng/mL", "1,2"])
@pytest.mark.parametrize("others", [["12", "3.5", "80"], ["1", "2", "3", "4", "5", "6"]])
def test_a_cell_that_would_make_measured_values_text_is_a_fault(cell, others):
    faults = Faults()
    column = pd.Series([*others, "", cell], index=range(2, 4 + len(others)), name="afp")
    found = covariate(column, faults, file="patients.csv")
    place = f"patients.csv row {3 + len(others)} column afp: got '{cell}', wanted a number as in {len(others)} other"
    assert str(faults).startswith(place)
    assert "missing = [-999, 'NA']" in str(faults)
    assert found.dtype == float
    assert found.isna().sum() == 2


@pytest.mark.parametrize("cells", [["0", "A", "B", "0", "0"], ["1", "2", "3a", "3b", "1"], ["I", "2.5", "II", "IV"]])
def test_stages_and_grades_stay_text(cells):
    faults = Faults()
    assert covariate(pd.Series(cells), faults, file="patients.csv").tolist() == cells
    assert not faults


def test_declared_codes_of_missing_values_are_empty_cells():
    faults = Faults()
    raw = table(patient_id=["-999", "B", "C"], afp=["-999", "-999.0", "5"], sex=["NA", "male", "-9"])
    found = without_codes(raw, (-999, "NA"), faults, file="patients.csv", kept=("patient_id",))
    assert found.to_dict("list") == {"patient_id": ["-999", "B", "C"], "afp": ["", "", "5"], "sex": ["", "male", "-9"]}
    assert not faults


def test_nines_are_asked_about_unless_values_may_be_negative_or_codes_are_declared():
    faults = Faults()
    raw = table(afp=["-999", "5", ""], depth=["-99", "-3", "1"], note=["-99", "x", ""])
    assert without_codes(raw, None, faults, file="patients.csv", kept=()).equals(raw)
    assert str(faults).startswith("patients.csv row 2 column afp: got '-999', wanted a value or an empty cell; a code")
    assert len(faults) == 1
    without_codes(raw, (), faults, file="patients.csv", kept=())
    assert len(faults) == 1
