"""Quantification: errors by hand, efficient estimates, intervals that cover as often as they say."""

import numpy as np
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate.groups.quantification import coverage, efficiency, normal_interval, quantity_errors

RNG = np.random.default_rng(4)
TRUTH = RNG.uniform(0, 10, 4000)
SD = RNG.uniform(0.5, 2, 4000)
ESTIMATE = TRUTH + SD * RNG.standard_normal(4000)


def test_errors_by_hand() -> None:
    found = quantity_errors([0, 5, 10, 10], estimate=[1, 5, 8, 11])
    assert found["bias"].value == 0
    assert found["rmse"].value == pytest.approx(np.sqrt(6 / 4))
    assert found["sd"].value == pytest.approx(np.sqrt(6 / 4))
    assert found["mae"].value == 1
    assert found["mape"].value == pytest.approx((1 / 1 + 0 + 0.2 + 0.1) / 4)  # 0 counts as a tenth of the range
    assert found["r2"].value == pytest.approx(1 - 6 / np.sum((np.array([0, 5, 10, 10]) - 6.25) ** 2))
    assert found["robust_sd"].value == pytest.approx(1.4826)


def test_slope_is_that_of_a_straight_line() -> None:
    found = quantity_errors(TRUTH, estimate=5 + 0.4 * (TRUTH - 5))
    assert found["slope"].value == pytest.approx(0.4)
    assert quantity_errors(TRUTH, estimate=ESTIMATE)["slope"].value == pytest.approx(
        np.polyfit(TRUTH, ESTIMATE, 1)[0], abs=1e-9
    )


def test_intervals_hold_the_known_value() -> None:
    found = quantity_errors(TRUTH, estimate=ESTIMATE)
    assert found["bias"].low < 0 < found["bias"].high
    assert found["rmse"].low < np.sqrt((SD**2).mean()) < found["rmse"].high
    assert found["robust_sd"].low < found["robust_sd"].value < found["robust_sd"].high


def test_an_estimate_at_its_bound_is_efficient() -> None:
    found = efficiency(TRUTH, estimate=ESTIMATE, bound=SD)
    assert found.low < 1 < found.high
    assert efficiency(TRUTH, estimate=TRUTH + 2 * (ESTIMATE - TRUTH), bound=SD).value == pytest.approx(2 * found.value)
    with pytest.raises(EvaluationError, match="wanted numbers above 0"):
        efficiency([1, 2], estimate=[1, 2], bound=[1, 0])


@pytest.mark.parametrize(("scale", "low", "high"), [(1, 0.94, 0.96), (0.5, 0.6, 0.75), (3, 0.999, 1)])
def test_coverage_of_true_and_of_false_intervals(scale: float, low: float, high: float) -> None:
    limits = normal_interval(ESTIMATE, sd=scale * SD)
    assert low < coverage(TRUTH, low=limits[0], high=limits[1]).value <= high


def test_where_the_truth_does_not_vary_nothing_is_divided_by_it() -> None:
    found = quantity_errors([2, 2, 2], estimate=[2, 3, 2])
    assert np.isnan(found["r2"].value)
    assert "hardly vary" in found["mape"].method
    assert found["mae"].value == pytest.approx(1 / 3)


def test_missing_estimates_are_refused() -> None:
    with pytest.raises(EvaluationError, match="estimate: got 1 of 2 missing"):
        quantity_errors([1, 2], estimate=[1, np.nan])
