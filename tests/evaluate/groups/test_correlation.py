import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.api import OLS, add_constant

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.groups.correlation import linear, pearson

# Anscombe 1973, first set: r = 0.816, P = 0.00217 (R's `anscombe`); Fisher z limits by hand:
# tanh(atanh(0.81642) -/+ 1.95996 / sqrt(8)) = tanh(1.14606 -/+ 0.69295) = 0.4244, 0.9507.
X = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
Y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]

VALUES = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=4, max_size=30).filter(
    lambda rows: all(len(set(column)) > 1 for column in zip(*rows, strict=True))
)


def test_anscombe() -> None:
    found = pearson(X, y=Y)
    assert found.r.value == pytest.approx(0.81642, abs=5e-6)
    assert found.p == pytest.approx(0.00217, abs=5e-6)
    assert (found.r.low, found.r.high) == pytest.approx((0.4244, 0.9507), abs=1e-4)
    assert found.r.n == 11


@settings(deadline=None, max_examples=50)
@given(rows=VALUES)
def test_units_and_order_do_not_matter(rows: list[tuple[int, int]]) -> None:
    x, y = np.array(rows, dtype=float).T
    one = pearson(x, y=y)
    assert pearson(y, y=x).r.value == pytest.approx(one.r.value, abs=1e-9)
    assert pearson(3 * x + 7, y=y[:]).r.value == pytest.approx(one.r.value, abs=1e-9)
    assert pearson(-x, y=y).r.value == pytest.approx(-one.r.value, abs=1e-9)
    assert (one.r.low or 0) - 1e-12 <= one.r.value <= (one.r.high or 0) + 1e-12
    assert 0 <= one.p <= 1


def test_a_line_is_a_correlation_of_one() -> None:
    found = pearson([1, 2, 3, 4], y=[2, 4, 6, 8])
    assert found.r.value == pytest.approx(1)


@pytest.mark.parametrize(
    ("x", "y", "complaint"),
    [
        ([1, 2, 3], [1, 2, 3], "got 3 patients"),
        ([1, 1, 1, 1], [1, 2, 3, 4], "the same for all patients"),
        ([1, 2, 3, 4], [1, 2, 3], "y: got 3 values for 4 patients"),
        ([1e14, 1e14 + 1, 1e14, 1e14], [1, 2, 3, 4], "hardly varies"),
    ],
)
def test_what_has_no_correlation_is_refused(x: list[float], y: list[float], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        pearson(x, y=y)


# Anscombe 1973, first set (R's `anscombe`): intercept 3.0001, slope 0.5001, R squared 0.6665, P 0.00217.
def test_anscombes_line() -> None:
    found = linear(Y, x=X)
    assert (found.slope.value, found.intercept) == pytest.approx((0.5001, 3.0001), abs=5e-5)
    assert found.r_squared == pytest.approx(0.6665, abs=5e-5)
    assert found.p == pytest.approx(0.00217, abs=5e-6)
    # Standard error 0.1179, 9 degrees of freedom: 0.5001 -/+ 2.2622 x 0.1179.
    assert (found.slope.low, found.slope.high) == pytest.approx((0.2334, 0.7668), abs=1e-4)


def test_the_band_agrees_with_statsmodels() -> None:
    at = np.array([0.0, 9.0, 20.0])
    theirs = OLS(np.array(Y), add_constant(np.array(X, dtype=float))).fit().get_prediction(add_constant(at))
    middle, low, high = linear(Y, x=X).at(at)
    assert middle == pytest.approx(theirs.predicted_mean)
    assert np.stack([low, high], axis=1) == pytest.approx(theirs.conf_int())


@settings(deadline=None, max_examples=50)
@given(slope=st.floats(-5, 5), intercept=st.floats(-5, 5), x=st.lists(st.integers(-9, 9), min_size=3, unique=True))
def test_a_line_is_found_again(slope: float, intercept: float, x: list[int]) -> None:
    found = linear([intercept + slope * each for each in x], x=x)
    assert (found.slope.value, found.intercept) == pytest.approx((slope, intercept), abs=1e-6)
    assert found.at(x)[0] == pytest.approx([intercept + slope * each for each in x], abs=1e-6)


@pytest.mark.parametrize(
    ("y", "x", "complaint"),
    [
        ([1, 2], [1, 2], "got 2 patients"),
        ([1, 2, 3], [4, 4, 4], "x is the same"),
        ([1, 2, np.inf], [1, 2, 3], "y: got 1 of 3 missing or infinite"),
    ],
)
def test_what_has_no_line_is_refused(y: list[float], x: list[float], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        linear(y, x=x)
