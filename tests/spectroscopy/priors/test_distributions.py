import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.spectroscopy.priors.distributions import Distribution, Measured, Range, logarithms, mean_sd


@given(st.floats(0.01, 10), st.floats(1, 10), st.booleans(), st.floats(0, 1))
def test_a_range_keeps_its_ends(low: float, factor: float, log: bool, share: float) -> None:
    value = Range(low=low, high=low * factor, log=log).at(np.array([share]))[0]
    assert low * (1 - 1e-12) <= value <= low * factor * (1 + 1e-12)


def test_the_middle_of_a_logarithmic_range_is_its_geometric_mean() -> None:
    assert Range(low=5, high=80, log=True).at(np.array(0.5)) == pytest.approx(20)


@pytest.mark.parametrize(
    ("distribution", "mean", "sd"),
    [
        (Range(low=-10, high=10), 0, 20 / np.sqrt(12)),
        (Range(low=3, high=3), 3, 0),
        (Range(low=1, high=np.e, log=True), np.e - 1, np.sqrt((np.e**2 - 1) / 2 - (np.e - 1) ** 2)),
    ],
)
def test_moments(distribution: Distribution, mean: float, sd: float) -> None:
    assert mean_sd(distribution) == pytest.approx((mean, sd), abs=1e-5)


def test_logarithms_of_a_uniform_number_are_exponential() -> None:
    logs = logarithms(Range(low=0, high=3))
    assert logs.mean() == pytest.approx(np.log(3) - 1, abs=2e-3)
    assert logs.var() == pytest.approx(1, abs=5e-3)


def test_measured_values_run_from_the_least_to_the_greatest() -> None:
    measured = Measured(values=(3.0, 1.0, 2.0))
    assert measured.at(np.array([0.0, 0.5, 1.0])).tolist() == [1, 2, 3]
    assert measured.told == Measured(values=(1.0, 2.0, 3.0)).told
