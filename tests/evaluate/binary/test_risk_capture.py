"""Risk capture: counted by hand, without information, and against the spread of new cohorts."""

import numpy as np
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate import risk_capture

# Events at the places 1, 2, 4 and 8 of 10.
LABEL, SCORE = np.array([1, 1, 0, 1, 0, 0, 0, 1, 0, 0]), np.arange(10.0)[::-1]


def test_ten_patients_by_hand() -> None:
    found = risk_capture(LABEL, score=SCORE)
    assert [found.captured(share).value for share in (0.2, 0.4, 0.8)] == pytest.approx([0.5, 0.75, 1])
    assert [found.needed(share).value for share in (0.5, 0.75, 0.999999999)] == pytest.approx([0.2, 0.4, 0.8])
    assert found.captured(0.4).low < 0.75 < found.captured(0.4).high
    assert found.captured(0.4).n == 10


def test_a_score_without_information_captures_what_it_takes() -> None:
    found = risk_capture(LABEL, score=np.zeros(10))
    assert found.captured(0.3).value == pytest.approx(0.3)
    assert found.needed(0.8).value == pytest.approx(0.8)


def test_interval_is_as_wide_as_the_spread_of_new_cohorts() -> None:
    rng = np.random.default_rng(0)

    def cohort() -> tuple[np.ndarray, np.ndarray]:
        score = rng.normal(size=400)
        return (rng.random(400) < 1 / (1 + np.exp(1 - score))).astype(int), score

    cohorts = (cohort() for _ in range(300))
    values = [risk_capture(label, score=score, resamples=2).captured(0.3).value for label, score in cohorts]
    label, score = cohort()
    found = risk_capture(label, score=score).captured(0.3)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(values), rel=0.25)


def test_one_seed_gives_one_interval() -> None:
    first, second = (risk_capture(LABEL, score=SCORE, seed=3).captured(0.4) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("share", [0, 1, 1.2])
def test_shares_outside_are_refused(share: float) -> None:
    with pytest.raises(EvaluationError, match="more than 0 and less than 1"):
        risk_capture(LABEL, score=SCORE).captured(share)
