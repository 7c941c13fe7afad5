"""Balance: the cut-off is the one a search over all of them finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort import EvaluationError
from hepatica.evaluate.binary.balance import balanced_cutoff


def lesser(label: np.ndarray, score: np.ndarray, cutoff: float) -> float:
    called = score >= cutoff
    return min(called[label == 1].mean(), (~called)[label == 0].mean())


def test_by_hand() -> None:
    # At 0.5, 2 of 3 are found and 2 of 3 cleared; at 0.25 all are found, 2 of 3 cleared,
    # at 0.75 the other way round.
    assert balanced_cutoff([0, 0, 1, 0, 1, 1], score=[0.1, 0.2, 0.3, 0.7, 0.8, 0.9]) in (0.25, 0.75)
    assert balanced_cutoff([0, 0, 0, 1, 0, 1, 1], score=[0, 0.1, 0.2, 0.3, 0.7, 0.8, 0.9]) == pytest.approx(0.25)


def test_separated_classes_are_parted_halfway() -> None:
    assert balanced_cutoff([0, 0, 1, 1], score=[1, 2, 6, 8]) == pytest.approx(4)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=25))
def test_none_is_better(rows: list[tuple[bool, int]]) -> None:
    label, score = np.array([int(each[0]) for each in rows]), np.array([each[1] for each in rows], dtype=float)
    if label.min() == label.max():
        with pytest.raises(EvaluationError, match="wanted patients with 0 and with 1"):
            balanced_cutoff(label, score=score)
        return
    found = lesser(label, score, balanced_cutoff(label, score=score))
    assert found == max(lesser(label, score, cutoff) for cutoff in np.arange(-0.5, 8, 0.5))


def test_order_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    label, score, order = rng.integers(0, 2, 40), rng.normal(size=40), rng.permutation(40)
    assert balanced_cutoff(label, score=score) == balanced_cutoff(label[order], score=score[order])
