import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from hepatica.evaluate.survival.censoring import censoring


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
