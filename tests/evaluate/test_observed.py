import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from scipy.stats import t as student

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import (
    at_horizon,
    auroc,
    binary_metrics,
    brier,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    compare_auroc,
    compare_paired,
    kaplan_meier,
    net_benefit,
    recalibrate,
    risk_capture,
)
from hepatica.evaluate.binary.smooth_calibration import smooth_calibration
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Risk
from hepatica.evaluate.observed import censoring

FIVE = at_horizon([1, 2, 3, 5, 6], event=[1, 0, 1, 0, 0], horizon=4)
"""Events at 1 and 3, lost at 2, two free: G is 3/4 from 2 on, so that the last three count 4/3 each."""

SCORE = [0.8, 0.5, 0.3, 0.2, 0.6]


def time_dependent_auroc(time: object, *, event: object, score: object, horizon: float) -> Estimate:
    return auroc(at_horizon(time, event=event, horizon=horizon), score=score)  # type: ignore[arg-type]


def weighted(time: np.ndarray, event: np.ndarray, score: np.ndarray, horizon: float, weight: np.ndarray) -> float:
    """Uno's estimator of patients that count `weight` times, time by time and pair by pair."""
    followed = np.ones(time.size)
    for moment in np.unique(time[~event]):
        leaving = (time == moment) & ~event
        under = (time > moment) | leaving
        followed[time > moment] *= 1 - weight[leaving].sum() / weight[under].sum()
    case, control = event & (time <= horizon), (time > horizon) | ((time == horizon) & ~event)
    of_case, of_control = (weight / followed)[case], weight[control]
    kernel = np.sign(score[case][:, None] - score[control][None, :]) / 2 + 0.5
    return float(of_case @ kernel @ of_control / (of_case.sum() * of_control.sum()))


def cohort(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = rng.normal(size=n)
    happens, ends = np.ceil(10 * rng.exponential(np.exp(-risk))), np.ceil(rng.uniform(0, 25, n))
    return np.minimum(happens, ends), happens <= ends, np.round(risk, 1)


def test_the_weights_one_can_count() -> None:
    """Times 1 event, 2 censored, 3 event, 5 and 6 free at horizon 4; risks 3, 9, 1, 2, 0.

    The case at 3 stands for itself and, with probability, for the one lost at 2: G(3-) = 3/4, weight 4/3. It is above
    one control of two, the case at 1 above both: (1 x 1 + 4/3 x 1/2) / (1 + 4/3) = 5/7.
    """
    found = time_dependent_auroc(
        [1, 2, 3, 5, 6], event=[1, 0, 1, 0, 0], score=Risk(np.array([3.0, 9, 1, 2, 0])), horizon=4
    )
    assert found.value == pytest.approx(5 / 7)
    assert found.n == 5


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(30, 80))
def test_the_value_is_unos(seed: int, n: int) -> None:
    time, event, score = cohort(seed, n)
    try:
        found = time_dependent_auroc(time, event=event, score=Risk(score), horizon=8)
    except EvaluationError:
        return
    assert found.value == pytest.approx(weighted(time, event, score, 8, np.ones(n)))
    assert 0 <= (found.low or 0) <= found.value <= (found.high or 0) <= 1


def test_the_interval_rests_on_the_derivative_by_each_patients_weight() -> None:
    time, event, score = cohort(1, 60)
    derivative = np.empty(60)
    for patient in range(60):
        step = np.zeros(60)
        step[patient] = 1e-5
        derivative[patient] = (
            weighted(time, event, score, 8, 1 + step) - weighted(time, event, score, 8, 1 - step)
        ) / 2e-5
    found = time_dependent_auroc(time, event=event, score=Risk(score), horizon=8)
    cases, controls = (event & (time <= 8)).sum(), ((time > 8) | (time == 8) & ~event).sum()
    quantile = student.ppf(0.975, min(cases, controls) - 1)
    margin = quantile * np.sqrt((derivative**2).sum() * 60 / 59) / (found.value * (1 - found.value))
    odds = found.value / (1 - found.value)
    assert found.low == pytest.approx(1 / (1 + np.exp(margin) / odds), abs=1e-6)
    assert found.high == pytest.approx(1 / (1 + np.exp(-margin) / odds), abs=1e-6)


def test_without_loss_before_the_horizon_it_is_the_auroc_of_the_labels() -> None:
    rng = np.random.default_rng(3)
    time, score = rng.exponential(10, 200), Risk(rng.normal(size=200))
    event = (time < 12) | (rng.random(200) < 0.5)
    found = time_dependent_auroc(time, event=event, score=score, horizon=12)
    plain = auroc(event & (time <= 12), score=score)
    assert found.value == pytest.approx(plain.value)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.002)


def test_whoever_is_censored_at_the_horizon_is_free_of_the_event_there() -> None:
    found = time_dependent_auroc([2, 12], event=[1, 0], score=Risk(np.array([1.0, 0.0])), horizon=12)
    assert found.value == 1


def test_a_high_risk_is_an_early_event() -> None:
    time, event, score = cohort(2, 300)
    assert time_dependent_auroc(time, event=event, score=Risk(score), horizon=8).value > 0.7
    assert time_dependent_auroc(time, event=event, score=Risk(-score), horizon=8).value < 0.3


@pytest.mark.parametrize(("horizon", "cases", "controls"), [(0.5, 0, 3), (9.0, 2, 0)])
def test_no_case_or_no_control_is_refused(horizon: float, cases: int, controls: int) -> None:
    with pytest.raises(EvaluationError, match=f"got {cases} patients with the event by then and {controls} followed"):
        time_dependent_auroc([1, 2, 3], event=[1, 1, 0], score=Risk(np.zeros(3)), horizon=horizon)


def test_rounding_of_the_weights_does_not_exceed_one() -> None:
    """Weights of these patients sum to a hair above their own sum; found by random trial."""
    time = [1.7, 1.9, 1.8, 1.1, 2.0, 1.9, 1.4, 1.0, 1.4, 1.9, 1.8, 1.7, 1.8]
    event = [1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0]
    found = time_dependent_auroc(time, event=event, score=Risk(2 - np.array(time)), horizon=1.8)
    assert (found.value, found.high) == (1, 1)


def test_the_curve_of_censoring_one_can_count() -> None:
    """Times 1 event, 2 censored, 2 event, 3 censored, 4 event: at 2 the event leaves first, 1 of 3 is censored."""
    found = censoring(np.array([1.0, 2, 2, 3, 4]), event=np.array([True, False, True, False, True]))
    assert found.leaving.tolist() == [0, 1, 1, 0]
    assert found.followed.tolist() == [4, 3, 2, 0]
    assert found.followed_until() == pytest.approx([1, 1, 1, 2 / 3, 1 / 3])


def test_without_ties_it_is_the_kaplan_meier_curve_of_being_censored() -> None:
    rng = np.random.default_rng(0)
    time, event = rng.permutation(50) + 1.0, rng.random(50) < 0.5
    theirs = KaplanMeierFitter().fit(time, ~event)
    found = censoring(time, event=event).followed_until()
    assert found == pytest.approx(theirs.survival_function_at_times(time - 0.5).to_numpy())


def test_without_censoring_everybody_is_followed_and_nobody_adds_anything() -> None:
    found = censoring(np.array([3.0, 1, 2]), event=np.ones(3, dtype=bool))
    assert found.followed_until().tolist() == [1, 1, 1]
    assert found.influence(np.array([0.2, -0.3, 0.1])).tolist() == [0, 0, 0]


def test_difference_of_two_scores_in_the_same_patients() -> None:
    rng = np.random.default_rng(4)
    label = rng.integers(0, 2, 120)
    good, poor = label + rng.normal(0, 1, 120), label + rng.normal(0, 3, 120)
    outcome = at_horizon(np.where(label == 1, 5.0, 20.0), event=label, horizon=12)
    found = compare_auroc(outcome, score_a=good, score_b=poor)
    by_delong = compare_auroc(label, score_a=good, score_b=poor)
    assert found.difference.value == pytest.approx(by_delong.difference.value)
    assert found.difference.low == pytest.approx(by_delong.difference.low, abs=0.01)
    assert found.p == pytest.approx(by_delong.p, rel=0.2)
    assert compare_auroc(outcome, score_a=poor, score_b=good).difference.value == -found.difference.value
    same = compare_auroc(outcome, score_a=good, score_b=2 * good)
    assert (same.difference.value, same.p) == (0, 1)


def test_every_statistic_at_a_horizon_one_can_count() -> None:
    """At 0.5 there are called one case (1) and one free (4/3), and not one case (4/3) and one free (4/3)."""
    found = binary_metrics(FIVE, score=SCORE, cutoff=0.5)
    counted = {
        "sensitivity": 3 / 7,
        "specificity": 1 / 2,
        "ppv": 3 / 7,
        "npv": 1 / 2,
        "accuracy": 7 / 15,
        "f1": 3 / 7,
        "kappa": -1 / 14,
        "brier": (0.04 + 4 / 3 * (0.49 + 0.04 + 0.36)) / 5,
        "observed_to_expected": 7 / 15 / 0.48,
    }
    assert {name: found[name].value for name in counted} == pytest.approx(counted)
    assert net_benefit(FIVE, score=SCORE, threshold=0.5).value == pytest.approx((1 - 4 / 3) / 5)
    assert found["ppv"].method == "logit scale, weighted for censoring"
    assert risk_capture(FIVE, score=SCORE).captured(0.2).value == pytest.approx(3 / 7)


def test_calibration_at_a_horizon_one_can_count() -> None:
    """Scores of two values: observed odds 3/4 where the log odds are 1, and 1 where they are -1."""
    high, low = 1 / (1 + np.exp([-1, 1]))
    score = [high, high, low, low, high]
    assert calibration_slope(FIVE, score=score).value == pytest.approx(np.log(3 / 4) / 2)
    found = recalibrate(FIVE, score=score, slope=True)
    assert (found.intercept, found.slope) == pytest.approx((np.log(3 / 4) / 2, np.log(3 / 4) / 2))
    assert calibration_intercept(FIVE, score=[0.5] * 5).value == pytest.approx(np.log(7 / 8))
    only = calibration_curve(FIVE, score=score, groups=1)
    assert (only[0].observed.value, only[0].observed.n) == (pytest.approx(7 / 15), 5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(10, 60))
def test_the_weighted_share_is_that_of_kaplan_and_meier(seed: int, n: int) -> None:
    time, event, _ = cohort(seed, n)
    if not (event & (time <= 8)).any() or not ((time > 8) | ((time == 8) & ~event)).any():
        return
    outcome = at_horizon(time, event=event, horizon=8)
    free = kaplan_meier(time, event=event).survival_at(8).value
    assert outcome.weight @ outcome.event / n == pytest.approx(1 - free)
    assert outcome.weight.sum() == pytest.approx(n)


def test_a_competing_event_leaves_free_for_good() -> None:
    outcome = at_horizon([1, 2, 3, 5], event=[2, 0, 1, 0], horizon=4)
    assert outcome.event.tolist() == [False, False, True, False]
    assert outcome.weight == pytest.approx([1, 0, 3 / 2, 3 / 2])


def calibrated(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Time, event, the true risk at 1, and the whole truth, of patients of whom a third is lost before that."""
    rng = np.random.default_rng(0)
    risk = 1 / (1 + np.exp(-rng.normal(-0.4, 1.2, n)))
    happens, ends = rng.exponential(-1 / np.log1p(-risk)), rng.exponential(1.7, n)
    return np.minimum(happens, ends), happens <= ends, risk, happens <= 1


def test_a_calibrated_model_is_found_calibrated_and_dropping_the_censored_finds_it_not() -> None:
    time, event, risk, truth = calibrated(6000)
    lost = (time < 1) & ~event
    assert 0.28 < lost.mean() < 0.38
    weighted_, whole, dropped = (
        binary_metrics(label, score=score)
        for label, score in (
            (at_horizon(time, event=event, horizon=1), risk),
            (truth, risk),
            (truth[~lost], risk[~lost]),
        )
    )
    for name, right in (("calibration_intercept", 0), ("calibration_slope", 1), ("observed_to_expected", 1)):
        found = weighted_[name]
        assert found.low < right < found.high
    assert weighted_["calibration_intercept"].value == pytest.approx(0, abs=0.1)
    assert dropped["calibration_intercept"].low > 0.2
    for name in ("ppv", "npv", "sensitivity", "specificity", "brier", "auroc", "average_precision"):
        assert weighted_[name].value == pytest.approx(whole[name].value, abs=0.02)
        assert weighted_[name].high - weighted_[name].low > 0.9 * (whole[name].high - whole[name].low)
    assert dropped["ppv"].value > whole["ppv"].value + 0.03


def test_the_smooth_curve_of_a_calibrated_model_is_the_diagonal() -> None:
    time, event, risk, _ = calibrated(3000)
    curve = smooth_calibration(at_horizon(time, event=event, horizon=1), score=risk)
    assert curve is not None
    inside = (curve.score > 0.1) & (curve.score < 0.8)
    assert curve.observed[inside] == pytest.approx(curve.score[inside], abs=0.07)
    assert ((curve.low <= curve.score) & (curve.score <= curve.high)).mean() > 0.8


def test_intervals_of_rates_rest_on_the_derivative_by_each_patients_weight() -> None:
    time, event, score = cohort(1, 60)
    probability = 1 / (1 + np.exp(-score))

    def found(weight: np.ndarray) -> np.ndarray:
        """Brier score and PPV at a half, of patients that count `weight` times."""
        followed = np.ones(60)
        for moment in np.unique(time[~event]):
            leaving = (time == moment) & ~event
            under = (time > moment) | leaving
            followed[time > moment] *= 1 - weight[leaving].sum() / weight[under].sum()
        end = followed[time >= 8].max() if (time == 8).any() else followed[time > 8].max()
        counts = weight * np.where(event & (time <= 8), 1 / followed, np.where(time >= 8, 1 / end, 0.0))
        happened, called = event & (time <= 8), probability >= 0.5
        squares = counts @ (probability - happened) ** 2 / counts.sum()
        return np.array([squares, counts @ (happened & called) / (counts @ called)])

    steps = 1e-5 * np.eye(60)
    derivative = np.array([(found(1 + step) - found(1 - step)) / 2e-5 for step in steps])
    outcome = at_horizon(time, event=event, horizon=8)
    estimates = brier(outcome, score=probability), binary_metrics(outcome, score=probability)["ppv"]
    assert [each.value for each in estimates] == pytest.approx(found(np.ones(60)).tolist())
    for each, own, degrees in zip(estimates, derivative.T, (outcome.rarer - 1, estimates[1].n - 1), strict=True):
        margin = student.ppf(0.975, degrees) * np.sqrt((own**2).sum() * 60 / 59) / (each.value * (1 - each.value))
        assert np.log(each.high / (1 - each.high)) - np.log(each.value / (1 - each.value)) == pytest.approx(margin)


def test_two_scores_at_a_horizon_are_compared_in_all_statistics() -> None:
    time, event, risk, _ = calibrated(400)
    noise = np.random.default_rng(1).random(400)
    outcome = at_horizon(time, event=event, horizon=1)
    found = compare_paired(outcome, score_a=risk, score_b=noise, cutoff_a=0.5, cutoff_b=0.5)
    each = [binary_metrics(outcome, score=score) for score in (risk, noise)]
    for name, comparison in found.items():
        assert comparison.difference.value == pytest.approx(each[0][name].value - each[1][name].value)
    assert found["auroc"].p < 0.001
    assert np.isfinite(found["accuracy"].p)
