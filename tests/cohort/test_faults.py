"""Faults: each once, by file, row and column; many are counted, and the nearest name is asked for."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort import CohortError
from hepatica.cohort.faults import MOST_OF_A_COLUMN, MOST_SHOWN, Faults, did_you_mean, rows_in_words, slip_of


def test_no_fault_raises_nothing():
    Faults().raise_if_any(Path("cohort"))
    assert not Faults()


def test_the_same_fault_is_one():
    faults = Faults()
    for _ in range(2):
        faults.add("patients.csv", "is blank", 4, "age")
    with pytest.raises(CohortError, match=r"^cohort has 1 fault: patients\.csv row 4 column age: is blank$"):
        faults.raise_if_any(Path("cohort"))


def test_a_fault_of_many_rows_is_one_sentence_and_each_row_counts():
    faults = Faults()
    faults.add_cells("a.csv", pd.Series(["x"] * 8, index=range(2, 10), name="age"), wanted="years")
    assert len(faults) == 8
    assert str(faults) == "a.csv rows 2, 3, 4, 5, 6 and 3 more column age: got 'x', wanted years"


def test_rows_that_got_different_things_where_one_is_wanted_are_one_sentence():
    faults = Faults()
    faults.add_cells("a.csv", pd.Series(["x", "y", "x"], index=[2, 4, 7], name="age"), wanted="years")
    assert str(faults) == "a.csv rows 2, 4, 7 column age: got 'x', 'y', wanted years"


def test_thousands_of_faults_are_a_short_message_that_counts_them_all():
    faults = Faults()
    for row in range(2, 4002):
        faults.add("specimens.csv", f"no such file: {row}.svs", row, "path")
    faults.add("patients.csv", "is blank", 7, "age")
    with pytest.raises(CohortError) as caught:
        faults.raise_if_any("x")
    message = str(caught.value)
    assert message.startswith("x has 4001 faults: ")
    assert "patients.csv row 7 column age: is blank" in message
    assert message.endswith("and 3995 more (3995 in specimens.csv column path)")
    assert len(message) < 600


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(2, 9), st.sampled_from(["", "age"])))
)
def test_what_is_shown_and_what_is_counted_are_all(added):
    faults = Faults()
    for file, message, row, column in added:
        faults.add(file, message, row, column)
    assert len(faults) == len(set(added))
    assert str(faults).count("; ") <= MOST_SHOWN
    shown = [each for each in str(faults).split("; ") if each and not each.startswith("and ")]
    assert len(shown) == len({(file, message, column) for file, message, _, column in added})


def test_one_column_does_not_hide_the_others():
    faults = Faults()
    for column in ("a", "b"):
        for row in range(2, 30):
            faults.add("t.csv", f"wrong {row}", row, column)
    assert str(faults).count("column b: wrong") == MOST_OF_A_COLUMN


@pytest.mark.parametrize(
    ("rows", "words"), [([3], "row 3"), ([3, 4], "rows 3, 4"), (range(3, 10), "rows 3, 4, 5, 6, 7 and 2 more")]
)
def test_rows_in_words(rows, words):
    assert rows_in_words(rows) == words


def test_the_nearest_name_is_asked_for_or_all_are_listed():
    assert did_you_mean("recured", ["patient_id", "Recurred"]) == "did you mean Recurred?"
    assert did_you_mean("zzz", ["a", "b"], known="wanted") == "wanted a, b"
    assert did_you_mean("zzz", map(str, range(9))) == "it has 0, 1, 2, 3, 4 and 4 more"


@pytest.mark.parametrize("name", ["Liver_Mask", "liver mask", "livermask", "liver_masks", "lver_mask"])
def test_a_slip_is_seen(name):
    assert slip_of(name, ["mask", "liver_mask"]) == "liver_mask"


@pytest.mark.parametrize("name", ["scanner", "liver_volume_ml", "treatment_date", "masked_by", "pretreatment_afp"])
def test_another_name_is_no_slip(name):
    assert slip_of(name, ["mask", "liver_mask", "treatment", "water"]) is None
