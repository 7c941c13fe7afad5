import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from hepatica.evaluate import Estimate, heterogeneity_p
from hepatica.evaluate.intervals import Z


def ratio(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=50, method="given")


def of(logarithm: float, error: float) -> Estimate:
    return ratio(*np.exp(logarithm + np.array([0, -Z * error, Z * error])).tolist())


def test_altman_and_blands_example() -> None:
    # BMJ 2003;326:219: relative risks 0.67 (0.46 to 0.98) and 0.88 (0.71 to 1.08), z = -1.24, P = 0.2.
    found = heterogeneity_p([ratio(0.67, 0.46, 0.98), ratio(0.88, 0.71, 1.08)])
    assert found.value == pytest.approx(0.215, abs=0.01)
    assert found.n == 100


def test_cochrans_q_is_that_of_statsmodels() -> None:
    logarithms, errors = np.array([0.1, 0.8, 1.4]), np.array([0.3, 0.2, 0.5])
    theirs = combine_effects(logarithms, errors**2).test_homogeneity().pvalue
    found = heterogeneity_p([of(*each) for each in zip(logarithms, errors, strict=True)])
    assert found.value == pytest.approx(theirs)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(0.1, 1)), min_size=2, max_size=4), st.floats(-1, 1))
def test_neither_order_nor_a_common_factor_matters(given_: list[tuple[float, float]], shift: float) -> None:
    plain = heterogeneity_p([of(*each) for each in given_])
    assert 0 <= plain.value <= 1
    turned = [of(logarithm + shift, error) for logarithm, error in reversed(given_)]
    assert heterogeneity_p(turned).value == pytest.approx(plain.value, abs=1e-6)


def test_equal_ratios_are_no_sign_of_a_difference() -> None:
    assert heterogeneity_p([ratio(2, 1, 4), ratio(2, 1, 4)]).value == pytest.approx(1)


def test_one_subgroup_is_none() -> None:
    assert np.isnan(heterogeneity_p([ratio(2, 1, 4)]).value)
