import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from hepatica.evaluate.mean import mean_of
from hepatica.evaluate.patients import patients_of

VALUES = np.array([1.0, 4.0, 2.0, 7.0, 3.0])
EACH_A_PATIENT = patients_of(None, rows=5)


def test_one_row_a_patient_gives_the_interval_of_the_t_test() -> None:
    found = mean_of(VALUES, EACH_A_PATIENT)
    theirs = stats.ttest_1samp(VALUES, 0).confidence_interval(0.95)
    assert (found.value, found.n, found.method) == (3.4, 5, "mean, linear scale")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_on_the_log_scale_the_limits_are_as_many_times_below_as_above() -> None:
    found, linear = mean_of(VALUES, EACH_A_PATIENT, scale="log"), mean_of(VALUES, EACH_A_PATIENT)
    assert found.low is not None
    assert found.high is not None
    assert linear.high is not None
    assert found.value / found.low == pytest.approx(found.high / found.value)
    assert np.log(found.high / found.value) == pytest.approx((linear.high - linear.value) / linear.value)


def test_shares_have_the_limits_of_students_t_on_the_logit_scale() -> None:
    found = mean_of(VALUES / 10, EACH_A_PATIENT, scale="logit")
    error = (VALUES / 10).std(ddof=1) / np.sqrt(5) / (0.34 * 0.66)
    expected = expit(logit(0.34) + np.array([-1, 1]) * stats.t.ppf(0.975, 4) * error)
    assert (found.low, found.high) == pytest.approx(tuple(expected))
    perfect = mean_of(np.ones(5), EACH_A_PATIENT, scale="logit")
    assert (perfect.low, perfect.high) == pytest.approx((0.025 ** (1 / 5), 1))  # Clopper and Pearson of 5 in 5


@pytest.mark.parametrize(("scale", "low", "high"), [("linear", -1, 1), ("log", 0.5, 6), ("logit", 0.4, 0.99)])
@pytest.mark.parametrize("rows", [1, 3])
def test_intervals_hold_the_truth_95_times_in_100(scale: str, low: float, high: float, rows: int) -> None:
    """1,000 samples of 10 patients, skewed as HD95 and Dice are: the share has a standard error of 0.7 %."""
    rng, group = np.random.default_rng(1), np.repeat(np.arange(10), rows)
    patients, held = patients_of(group, rows=group.size), 0
    for _ in range(1000):
        share = rng.beta(4, 2, 10)[group] * 0.7 + rng.beta(4, 2, group.size) * 0.3
        found = mean_of(low + (high - low) * share, patients, scale=scale)  # type: ignore[arg-type]
        assert found.low is not None
        assert found.high is not None
        held += found.low < low + (high - low) * 2 / 3 < found.high
    assert 0.93 < held / 1000 < 0.97


@pytest.mark.parametrize("scale", ["linear", "log", "logit"])
def test_copies_of_a_patients_rows_add_no_knowledge(scale: str) -> None:
    alone = mean_of(VALUES / 10, EACH_A_PATIENT, scale=scale)  # type: ignore[arg-type]
    copied = mean_of(np.tile(VALUES / 10, 3), patients_of(np.tile(np.arange(5), 3), rows=15), scale=scale)  # type: ignore[arg-type]
    assert (copied.value, copied.low, copied.high) == pytest.approx((alone.value, alone.low, alone.high))
    assert copied.n == 5
    assert copied.method.endswith(", clustered by patient")


@pytest.mark.parametrize("values", [np.full(4, 0.1), np.zeros(4), np.array([3.0])])
def test_without_variation_there_is_no_interval(values: np.ndarray) -> None:
    found = mean_of(values, patients_of(None, rows=values.size), scale="log")
    assert found.value == pytest.approx(values[0])
    assert (found.low, found.high) == (None, None)
    assert found.method == "mean, no interval: the sample shows no variation among patients"
