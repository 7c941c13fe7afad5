"""Record: a value where the archive tells one, nothing where it does not, never a fault."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.fetch.record import day, no, number, records, text, words, yes

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("x"), inner, max_size=1),
    max_leaves=5,
)


@settings(deadline=None, max_examples=100)
@given(value=ANYTHING)
def test_nothing_an_archive_sends_is_a_fault(value):
    record = {"x": value}
    assert all(isinstance(each, dict) for each in records(record, "x"))
    assert "\n" not in text(record, "x")
    assert not (yes(record, "x") and no(record, "x"))
    assert (number(record, "x") or 0) >= 0
    assert abs(day(record, "x") or 0) <= 32872


@pytest.mark.parametrize("value", [None, "", "Not Reported", "unknown", " UNKNOWN ", "'--", [], ["unknown"], {}])
def test_what_is_not_told_is_empty(value):
    assert text({"x": value}, "x") == ""
    assert number({"x": value}, "x") is None
    assert day({}, "x") is None


def test_words_are_put_on_one_line():
    assert text({"x": "Stage\n  II"}, "x") == "Stage II"
    assert words({"x": ["Alcohol", "Unknown", "Hepatitis B Infection"]}, "x") == ["Alcohol", "Hepatitis B Infection"]
    assert text({"x": ["a", "b"]}, "x") == "a; b"


@pytest.mark.parametrize(("value", "wanted"), [(30, 30), ("30", 30), (30.0, 30), (-5, -5), (True, None), (40000, None)])
def test_days_come_as_numbers_or_words(value, wanted):
    assert day({"x": value}, "x") == wanted


@pytest.mark.parametrize("value", [True, "true", "Yes", "yes"])
def test_yes_is_said_in_several_ways(value):
    assert yes({"x": value}, "x")
    assert not no({"x": value}, "x")


def test_one_record_stands_for_a_list_of_one():
    assert records({"x": {"a": 1}}, "x") == [{"a": 1}]
    assert records({"x": [{"a": 1}, None, "b"]}, "x") == [{"a": 1}]
    assert records({}, "x") == []
