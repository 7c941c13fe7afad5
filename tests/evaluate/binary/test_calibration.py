import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss
from statsmodels.api import GLM, families

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.calibration import (
    brier,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    observed_to_expected,
)
from hepatica.evaluate.intervals import clopper_pearson


@pytest.fixture
def calibrated() -> tuple[np.ndarray, np.ndarray]:
    """4000 outcomes that happen as often as their probabilities say."""
    rng = np.random.default_rng(0)
    probability = expit(rng.normal(-0.5, 1.2, 4000))
    return rng.random(4000) < probability, probability


def test_brier_one_can_count() -> None:
    assert brier([1, 0, 1, 0], score=[0.8, 0.4, 0.5, 0.0]).value == pytest.approx((0.04 + 0.16 + 0.25) / 4)


def test_always_saying_a_half_gives_a_quarter() -> None:
    assert brier([1, 0, 0], score=[0.5] * 3).value == 0.25


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=4, max_size=30))
def test_brier_agrees_with_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    label, score = [True, False, *(label for label, _ in rows)], [0.5, 0.5, *(score for _, score in rows)]
    found = brier(label, score=score)
    assert found.value == pytest.approx(brier_score_loss(label, score))
    assert 0 <= (found.low or 0) <= found.value <= (found.high or 0) <= 1


def test_good_probabilities_have_intercept_0_and_slope_1(calibrated: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = calibrated
    for statistic, right in ((calibration_intercept, 0), (calibration_slope, 1)):
        found = statistic(label, score=score)
        assert found.low is not None
        assert found.high is not None
        assert found.low < right < found.high
        assert found.high - found.low < 0.3


def test_scores_too_extreme_have_a_slope_below_1(calibrated: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = calibrated
    right, extreme = (calibration_slope(label, score=each) for each in (score, expit(2 * logit(score))))
    assert extreme.value == pytest.approx(right.value / 2, rel=1e-6)


def test_scores_too_low_have_an_intercept_above_0(calibrated: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = calibrated
    right, low = (calibration_intercept(label, score=each) for each in (score, expit(logit(score) - 1)))
    assert low.value == pytest.approx(right.value + 1, abs=1e-6)


def test_the_intercept_makes_the_mean_score_the_share_of_events(calibrated: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = calibrated
    found = calibration_intercept(label, score=score)
    assert expit(logit(score) + found.value).mean() == pytest.approx(label.mean())


def test_certain_scores_have_no_infinite_logit() -> None:
    rng = np.random.default_rng(1)
    score = rng.random(100).round(1)
    label = rng.random(100) < score
    label[:2] = True, False
    score[:2] = 0, 1
    assert math.isfinite(calibration_slope(label, score=score).value)
    assert math.isfinite(calibration_intercept(label, score=score).value)


@pytest.mark.parametrize(
    ("label", "score"),
    [
        ([0, 1, 0, 1], [0.3] * 4),
        ([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.8, 0.9]),
        ([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.3, 0.8, 0.9]),
        ([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4]),
    ],
    ids=["equal", "separated", "separated but for a tie", "separated the wrong way round"],
)
def test_a_slope_that_is_infinite_or_open_is_not_given(label: list[int], score: list[float]) -> None:
    found = calibration_slope(label, score=score)
    assert math.isnan(found.value)
    assert found.method == "not computable: the scores are equal or a cut-off separates the classes"


def test_intercept_and_slope_are_those_of_statsmodels(calibrated: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = (each[:300] for each in calibrated)
    log_odds = logit(score)
    patient = np.arange(300) // 3
    for group, options in (
        (None, {"cov_type": "HC0"}),
        (patient, {"cov_type": "cluster", "cov_kwds": {"groups": patient}}),
    ):
        for statistic, design, offset in (
            (calibration_intercept, np.ones((300, 1)), log_odds),
            (calibration_slope, np.stack([log_odds, np.ones(300)], axis=1), None),
        ):
            theirs = GLM(label * 1.0, design, family=families.Binomial(), offset=offset).fit(**options)
            found = statistic(label, score=score, group=group)
            assert found.value == pytest.approx(theirs.params[0], abs=1e-6)
            assert (found.low, found.high) == pytest.approx(tuple(theirs.conf_int()[0]), abs=0.005)


@pytest.mark.parametrize("statistic", [brier, calibration_curve, calibration_intercept, calibration_slope])
def test_scores_that_are_no_probabilities_are_refused(statistic: object) -> None:
    with pytest.raises(EvaluationError, match="got values from -1 to 2, wanted probabilities"):
        statistic([0, 1], score=[-1, 2])  # type: ignore[operator]


def test_grouping_by_patient_widens(calibrated: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = (np.tile(each, 3) for each in calibrated)
    patient = np.tile(np.arange(4000), 3)
    for statistic in (brier, calibration_intercept, calibration_slope):
        rows, patients = statistic(label, score=score), statistic(label, score=score, group=patient)
        alone = statistic(*calibrated[:1], score=calibrated[1])
        assert (rows.n, patients.n) == (12000, 4000)
        assert patients.high - patients.low == pytest.approx(alone.high - alone.low, rel=0.05)
        assert rows.high - rows.low < 0.7 * (patients.high - patients.low)


def test_the_curve_one_can_count() -> None:
    score, label = np.repeat([0.1, 0.4, 0.8], 10), np.repeat([0, 1, 0, 1], [9, 5, 6, 10])
    found = calibration_curve(label, score=score, groups=3)
    assert [group.score for group in found] == pytest.approx([0.1, 0.4, 0.8])
    assert [group.observed.value for group in found] == pytest.approx([0.1, 0.4, 1.0])
    assert [group.observed.n for group in found] == [10, 10, 10]
    assert (found[0].observed.low, found[0].observed.high) == clopper_pearson(1, 10)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 200), st.integers(1, 12), st.integers(0, 1000))
def test_every_patient_is_in_one_group_of_the_curve(n: int, groups: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    label, score = rng.permutation(np.arange(n) % 2), rng.random(n).round(1)
    found = calibration_curve(label, score=score, groups=groups)
    assert sum(group.observed.n for group in found) == n
    assert 1 <= len(found) <= groups
    assert [group.score for group in found] == sorted(group.score for group in found)


@pytest.mark.parametrize("statistic", [calibration_intercept, calibration_slope])
def test_rows_of_one_patient_are_too_few(statistic: object) -> None:
    found = statistic([0, 1, 0, 1], score=[0.2, 0.1, 0.6, 0.7], group=["a"] * 4)  # type: ignore[operator]
    assert math.isnan(found.value)
    assert found.n == 1


def test_the_sandwich_of_two_events_one_can_count() -> None:
    """Scores of a half, 2 of 6 with the event: influences (label - 1/3) / (6 x 2/9), one degree of freedom."""
    found = calibration_intercept([1, 1, 0, 0, 0, 0], score=[0.5] * 6)
    variance = 6 / 5 * (2 * (2 / 3) ** 2 + 4 * (1 / 3) ** 2) / (6 * 2 / 9) ** 2
    assert found.value == pytest.approx(math.log(1 / 2))
    assert found.high - found.value == pytest.approx(12.706205 * math.sqrt(variance), rel=1e-6)
    assert found.method == "logistic regression with the logit as offset, sandwich"


def test_observed_over_expected_one_can_count() -> None:
    """2 of 4 with the event, 0.4 expected; each adds 0.5 / 4 to the share, up or down."""
    found = observed_to_expected([1, 1, 0, 0], score=[0.4] * 4)
    assert found.value == pytest.approx(1.25)
    error = math.sqrt(4 / 3 * 4 * (0.5 / 4) ** 2) / 0.5
    assert found.high == pytest.approx(1.25 * math.exp(1.959964 * error))
