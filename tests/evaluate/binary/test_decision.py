import numpy as np
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate import net_benefit

LABEL, SCORE = [1, 1, 0, 0, 0], [0.9, 0.2, 0.6, 0.1, 0.3]


@pytest.mark.parametrize(
    ("threshold", "wanted"),
    [
        (0.5, (1 - 1) / 5),  # by hand: one true and one false positive, odds 1
        (0.2, (2 - 2 / 4) / 5),  # two and two, odds 1/4
        (0.75, 1 / 5),  # one and none
    ],
)
def test_by_hand(threshold: float, wanted: float) -> None:
    assert net_benefit(LABEL, score=SCORE, threshold=threshold).value == pytest.approx(wanted)


def test_treating_all_loses_the_odds_for_each_without_the_event() -> None:
    assert net_benefit(LABEL, score=np.ones(5), threshold=0.25).value == pytest.approx((2 - 3 / 3) / 5)


def test_rows_of_one_patient_widen_the_interval() -> None:
    label, score, patient = np.tile(LABEL, 6), np.tile(SCORE, 6), np.tile(np.arange(5), 6)
    alone, clustered = (net_benefit(label, score=score, threshold=0.2, group=each) for each in (None, patient))
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize(("score", "threshold"), [(SCORE, 0.0), (SCORE, 1.0), ([2.0, 0, 0, 0, 0], 0.5)])
def test_what_is_no_probability_is_refused(score: list[float], threshold: float) -> None:
    with pytest.raises(EvaluationError):
        net_benefit(LABEL, score=score, threshold=threshold)
