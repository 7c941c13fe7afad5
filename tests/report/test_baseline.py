import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.report.baseline import is_category, standardised_difference


def test_standardised_difference_of_two_shares_by_hand() -> None:
    # 0.5 against 0.2: 0.3 / sqrt((0.25 + 0.16) / 2)
    first, second = pd.Series([1, 0] * 10), pd.Series([1, 0, 0, 0, 0] * 10)
    assert standardised_difference(first, second) == pytest.approx(0.3 / np.sqrt(0.205))


def test_standardised_difference_of_means_by_hand() -> None:
    # Means 10 apart, both with variance 2 (population): 10 / sqrt(2)
    first = pd.Series([8.0, 9, 10, 11, 12] * 4)
    assert standardised_difference(first, first + 10) == pytest.approx(10 / np.sqrt(2))


def test_text_of_two_categories_is_a_share() -> None:
    numbers = [pd.Series([1, 0] * 10), pd.Series([1, 0, 0, 0, 0] * 10)]
    texts = [each.map({1: "yes", 0: "no"}) for each in numbers]
    assert standardised_difference(*texts) == pytest.approx(standardised_difference(*numbers))


def test_a_group_without_values_has_no_difference() -> None:
    assert np.isnan(standardised_difference(pd.Series([1.0, 2.0]), pd.Series([np.nan])))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.sampled_from("ABC"), min_size=4, max_size=30), st.lists(st.sampled_from("ABC"), min_size=4, max_size=30)
)
def test_difference_is_symmetric_and_nought_with_oneself(first: list[str], second: list[str]) -> None:
    one, two = pd.Series(first), pd.Series(second)
    assert standardised_difference(one, two) == pytest.approx(standardised_difference(two, one), abs=1e-9)
    assert standardised_difference(one, one) == pytest.approx(0, abs=1e-9)


def test_few_values_are_categories_many_are_not() -> None:
    assert is_category(pd.Series([0, 1, 1, 0]))
    assert is_category(pd.Series(["A", "B"] * 10))
    assert not is_category(pd.Series(np.arange(20.0)))
