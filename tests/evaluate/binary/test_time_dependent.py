import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.discrimination import auroc, compare_auroc
from hepatica.evaluate.binary.time_dependent import censoring, compare_time_dependent_auroc, time_dependent_auroc
from hepatica.evaluate.inputs import Risk


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
    margin = 1.959964 * np.sqrt((derivative**2).sum() * 60 / 59) / (found.value * (1 - found.value))
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
    time = np.where(label == 1, 5.0, 20.0)
    found = compare_time_dependent_auroc(time, event=label, score_a=Risk(good), score_b=Risk(poor), horizon=12)
    by_delong = compare_auroc(label, score_a=good, score_b=poor)
    assert found.difference.value == pytest.approx(by_delong.difference.value)
    assert found.difference.low == pytest.approx(by_delong.difference.low, abs=0.01)
    assert found.p == pytest.approx(by_delong.p, rel=0.2)
    back = compare_time_dependent_auroc(time, event=label, score_a=Risk(poor), score_b=Risk(good), horizon=12)
    assert back.difference.value == -found.difference.value
    same = compare_time_dependent_auroc(time, event=label, score_a=Risk(good), score_b=Risk(2 * good), horizon=12)
    assert (same.difference.value, same.p) == (0, 1)
