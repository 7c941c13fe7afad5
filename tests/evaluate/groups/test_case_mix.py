import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import Estimate, rate_difference, standardised_difference

LEVELS = st.lists(st.sampled_from("ABC"), min_size=4, max_size=30)


def test_two_shares_by_hand() -> None:
    # 0.5 against 0.2: 0.3 / sqrt((0.25 + 0.16) / 2)
    first, second = pd.Series([1, 0] * 10), pd.Series([1, 0, 0, 0, 0] * 10)
    assert standardised_difference(first, second=second) == pytest.approx(0.3 / np.sqrt(0.205))


def test_two_means_by_hand() -> None:
    # Means 10 apart, both with variance 2 (population): 10 / sqrt(2)
    first = pd.Series([8.0, 9, 10, 11, 12] * 4)
    assert standardised_difference(first, second=first + 10) == pytest.approx(10 / np.sqrt(2))


def test_three_levels_by_hand() -> None:
    # Shares A, B, C of 1/3 each against 1/2, 1/4, 1/4; of B and C: apart (1/12, 1/12), covariances
    # [[2/9, -1/9], [-1/9, 2/9]] and [[3/16, -1/16], [-1/16, 3/16]]. By symmetry (1, 1) is an eigenvector of their mean,
    # with eigenvalue (1/9 + 1/8) / 2 = 17/144: squared distance 2 (1/12)^2 / (17/144) = 2/17.
    first, second = pd.Series(list("ABC") * 4), pd.Series(list("AABC") * 3)
    assert standardised_difference(first, second=second) == pytest.approx(np.sqrt(2 / 17))


def test_text_of_two_categories_is_a_share() -> None:
    numbers = [pd.Series([1, 0] * 10), pd.Series([1, 0, 0, 0, 0] * 10)]
    texts = [each.map({1: "yes", 0: "no"}) for each in numbers]
    assert standardised_difference(texts[0], second=texts[1]) == pytest.approx(
        standardised_difference(numbers[0], second=numbers[1])
    )


def test_missing_values_are_left_out_and_nothing_else_is_no_difference() -> None:
    first = pd.Series([1.0, 2.0, np.nan])
    assert standardised_difference(first, second=pd.Series([1.0, 2.0])) == 0
    assert np.isnan(standardised_difference(first, second=pd.Series([np.nan])))


@pytest.mark.parametrize(("first", "second"), [("AAA", "BBB"), ("AAA", "BBC")])
def test_groups_without_a_level_in_common_are_endlessly_unlike(first: str, second: str) -> None:
    assert standardised_difference(pd.Series(list(first)), second=pd.Series(list(second))) == np.inf


@settings(deadline=None, max_examples=25)
@given(LEVELS, LEVELS)
def test_symmetric_and_nought_with_oneself(first: list[str], second: list[str]) -> None:
    one, two = pd.Series(first), pd.Series(second)
    there, back = standardised_difference(one, second=two), standardised_difference(two, second=one)
    assert there == pytest.approx(back, abs=1e-9)
    assert standardised_difference(one, second=one) == pytest.approx(0, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(-50, 50), min_size=5, max_size=20, unique=True), st.integers(1, 100), st.integers(-100, 100)
)
def test_unit_and_origin_do_not_matter(values: list[int], unit: int, origin: int) -> None:
    first, second = pd.Series(values, dtype=float), pd.Series(values[:4], dtype=float)
    scaled = standardised_difference(first * unit + origin, second=second * unit + origin)
    assert scaled == pytest.approx(standardised_difference(first, second=second), abs=1e-9)


def share(part: int, whole: int) -> Estimate:
    low, high = proportion_confint(part, whole, method="wilson")
    return Estimate(value=part / whole, low=float(low), high=float(high), n=whole, method="Wilson")


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((5, 56), (0, 29), -0.0381, 0.1926)],
)
def test_newcombes_examples(first: tuple[int, int], second: tuple[int, int], low: float, high: float) -> None:
    # Newcombe, Stat Med 1998;17:873, table II, method 10, contrasts a, b and d.
    found = rate_difference(share(*first), second=share(*second))
    assert found.value == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))
    assert found.n == first[1] + second[1]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 20), st.integers(0, 30))
def test_turned_round_the_difference_changes_its_sign(a: int, b: int) -> None:
    there, back = rate_difference(share(a, 20), second=share(b, 30)), rate_difference(share(b, 30), second=share(a, 20))
    assert there.low is not None
    assert back.high is not None
    assert (there.value, there.low) == (pytest.approx(-back.value), pytest.approx(-back.high))
    assert there.low <= there.value


def test_a_share_nobody_knows_has_no_difference() -> None:
    unknown = Estimate(value=np.nan, low=None, high=None, n=5, method="not computable")
    assert np.isnan(rate_difference(unknown, second=share(1, 5)).value)
    with pytest.raises(EvaluationError, match="without an interval"):
        rate_difference(share(1, 5), second=Estimate(value=0.2, low=None, high=None, n=5, method="none"))
