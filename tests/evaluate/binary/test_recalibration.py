import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import auroc, recalibrate


def patients(seed: int, *, intercept: float, slope: float, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels whose true log odds are intercept + slope times those of the scores."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(0, 1.2, n)
    return (rng.random(n) < expit(intercept + slope * log_odds)).astype(int), expit(log_odds)


def test_two_groups_by_hand() -> None:
    # 10 of 40 with a score of 0.2 and 30 of 40 with 0.8 have the event: a line through two points is exact, from log
    # odds -ln 4 and ln 4 to -ln 3 and ln 3.
    score, label = np.repeat([0.2, 0.8], 40), np.repeat([1, 0, 1, 0], [10, 30, 30, 10])
    found = recalibrate(label, score=score, slope=True)
    assert (found.intercept, found.slope) == (pytest.approx(0, abs=1e-6), pytest.approx(np.log(3) / np.log(4)))
    assert found.apply([0.2, 0.8]) == pytest.approx([0.25, 0.75])


def test_an_intercept_by_hand() -> None:
    # All have a score of 0.5 and a quarter have the event: log odds 0 are to be ln(1/3).
    found = recalibrate([1, 0, 0, 0], score=[0.5] * 4, slope=False)
    assert (found.intercept, found.slope) == (pytest.approx(-np.log(3)), 1)


def test_what_was_done_to_the_scores_is_found() -> None:
    label, score = patients(1, intercept=-0.8, slope=0.5, n=100_000)
    found = recalibrate(label, score=score, slope=True)
    assert (found.intercept, found.slope) == (pytest.approx(-0.8, abs=0.03), pytest.approx(0.5, abs=0.03))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(-1, 1), st.floats(0.5, 1.5), st.booleans())
def test_recalibrated_scores_need_nothing_more(seed: int, intercept: float, slope: float, both: bool) -> None:
    label, score = patients(seed, intercept=intercept, slope=slope)
    updated = recalibrate(label, score=score, slope=both).apply(score)
    assert updated.mean() == pytest.approx(label.mean(), abs=1e-6)
    again = recalibrate(label, score=updated, slope=both)
    assert (again.intercept, again.slope) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-5))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.booleans())
def test_the_order_of_patients_stays(seed: int, both: bool) -> None:
    label, score = patients(seed, intercept=-1, slope=0.8)
    updated = recalibrate(label, score=score, slope=both).apply(score)
    assert auroc(label, score=updated).value == auroc(label, score=score).value


def test_certain_scores_stay_finite() -> None:
    found = recalibrate([0, 1, 0, 1], score=[0.0, 0.3, 0.6, 1.0], slope=True)
    assert np.isfinite(logit(found.apply([0.0, 1.0]))).all()


def test_a_slope_that_does_not_exist_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no slope fits"):
        recalibrate([0, 0, 1, 1], score=[0.1, 0.2, 0.3, 0.4], slope=True)
    with pytest.raises(EvaluationError, match="probabilities from 0 to 1"):
        recalibrate([0, 1], score=[0.1, 1.2], slope=False)
