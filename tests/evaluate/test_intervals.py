import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.evaluate.intervals import (
    NO_SPREAD,
    clopper_pearson,
    difference_limits,
    sum_variance,
    two_sided_p,
    within_unit,
)


def test_clopper_pearson_of_171_in_218() -> None:
    """Paper 004, Table 2: sensitivity .784 (.724 to .837)."""
    assert clopper_pearson(171, 218) == pytest.approx((0.7238, 0.8371), abs=5e-5)


def test_clopper_pearson_at_the_edges_has_its_closed_form() -> None:
    assert clopper_pearson(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10) == pytest.approx((0.025**0.1, 1))


@settings(deadline=None, max_examples=50)
@given(
    st.floats(0, 1, allow_subnormal=False).filter(lambda v: v in (0, 1) or v > 1e-30),
    st.floats(0, 0.25),
    st.integers(1, 1000),
)
def test_limits_lie_within_0_and_1_around_the_value(value: float, variance: float, units: int) -> None:
    low, high, method = within_unit(value, variance=variance, units=units, method="usual")
    assert method.startswith("usual" if 0 < value < 1 and variance >= NO_SPREAD else f"Clopper-Pearson of {units} ")
    assert 0 <= low <= value <= high <= 1


def test_without_variation_the_limits_are_those_of_so_few_patients() -> None:
    assert within_unit(1.0, variance=0.0, units=3, method="usual")[:2] == clopper_pearson(3, 3)
    assert within_unit(0.5, variance=0.0, units=8, method="usual")[:2] == clopper_pearson(4, 8)


def test_sum_variance_is_that_of_a_mean() -> None:
    values = np.array([1.0, 4.0, 4.0, 9.0])
    assert sum_variance((values - values.mean()) / 4) == pytest.approx(values.var(ddof=1) / 4)
    assert sum_variance(np.array([0.3])) == 0


def test_two_sided_p() -> None:
    assert two_sided_p(1.959964, variance=1.0) == pytest.approx(0.05, abs=1e-7)
    assert two_sided_p(-1.959964, variance=1.0) == pytest.approx(0.05, abs=1e-7)
    assert two_sided_p(0.0, variance=0.0) == 1
    assert np.isnan(two_sided_p(0.5, variance=0.0))


def test_difference_limits() -> None:
    assert difference_limits(0.1, variance=0.01) == pytest.approx((0.1 - 0.1959964, 0.1 + 0.1959964))
    assert difference_limits(0.9, variance=0.04)[1] == 1
    assert difference_limits(0.5, variance=0.0) == (None, None)
