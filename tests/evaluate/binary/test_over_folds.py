"""Golden values by hand, and what must hold for any cross-validation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import EvaluationError
from hepatica.evaluate import auroc, auroc_over_folds, compare_auroc, compare_auroc_over_folds

LABEL = [1, 1, 0, 0, 1, 1, 0, 0]
SCORE = [0.9, 0.4, 0.5, 0.1, 0.8, 0.7, 0.6, 0.2]
FOLD = [1, 1, 1, 1, 2, 2, 2, 2]


def test_is_the_mean_of_the_folds_by_hand():
    # fold 1: 3 of 4 pairs in order; fold 2: 4 of 4
    found, folds = auroc_over_folds(LABEL, score=SCORE, fold=FOLD)
    assert folds == {"1": 0.75, "2": 1.0}
    assert found.value == pytest.approx(0.875)
    assert found.n == 8


def test_variance_is_the_sum_of_the_folds_over_the_square_of_their_number():
    # DeLong in fold 1: placements of events 1, 0.5 and of others 0.5, 1: each variance 0.125 over 2, 0.125 in all.
    # Fold 2 has no spread, so the mean has 0.125 / 4 = 0.03125; on the logit scale 1.96 x 0.17678 / (0.875 x 0.125).
    found, _ = auroc_over_folds(LABEL, score=SCORE, fold=FOLD)
    margin = 1.959964 * np.sqrt(0.03125) / (0.875 * 0.125)
    assert np.log(found.high / (1 - found.high)) == pytest.approx(np.log(7) + margin, rel=1e-5)


def test_scores_of_different_folds_are_never_compared():
    shifted = np.asarray(SCORE) + 10 * (np.asarray(FOLD) == 2)
    assert auroc_over_folds(LABEL, score=shifted, fold=FOLD) == auroc_over_folds(LABEL, score=SCORE, fold=FOLD)


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=25)
def test_one_fold_is_plain_auroc(seed: int):
    rng = np.random.default_rng(seed)
    label, a, b = np.r_[0, 1, rng.integers(0, 2, 20)], rng.normal(size=22), rng.normal(size=22)
    group, fold = rng.permutation(np.r_[np.arange(11), np.arange(11)]), np.zeros(22)
    found, _ = auroc_over_folds(label, score=a, fold=fold, group=group)
    plain = auroc(label, score=a, group=group)
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))
    two = compare_auroc_over_folds(label, score_a=a, score_b=b, fold=fold, group=group)
    assert two.p == pytest.approx(compare_auroc(label, score_a=a, score_b=b, group=group).p)


def test_comparison_turns_its_sign_with_its_order():
    other = SCORE[::-1]
    there = compare_auroc_over_folds(LABEL, score_a=SCORE, score_b=other, fold=FOLD)
    back = compare_auroc_over_folds(LABEL, score_a=other, score_b=SCORE, fold=FOLD)
    assert there.difference.value == pytest.approx(-back.difference.value)
    assert there.p == pytest.approx(back.p)


def test_a_fold_of_one_class_is_left_out_and_told():
    found, folds = auroc_over_folds([*LABEL, 1, 1], score=[*SCORE, 0.5, 0.6], fold=[*FOLD, 3, 3])
    assert list(folds) == ["1", "2"]
    assert "2 of 3 folds" in found.method


def test_only_folds_of_one_class_are_refused():
    with pytest.raises(EvaluationError, match="2 folds of one class each"):
        auroc_over_folds([1, 1, 0, 0], score=[0.1, 0.2, 0.3, 0.4], fold=[1, 1, 2, 2])


def test_a_fold_with_a_single_event_is_not_known_exactly():
    # Fold 1 has a variance of 0.125 (by hand above); fold 3, one event above two others, has none and borrows it.
    label, score = [*LABEL[:4], 1, 0, 0], [*SCORE[:4], 0.9, 0.2, 0.1]
    found, folds = auroc_over_folds(label, score=score, fold=[1, 1, 1, 1, 3, 3, 3])
    assert folds == {"1": 0.75, "3": 1.0}
    margin = 1.959964 * np.sqrt((0.125 + 0.125) / 4) / (0.875 * 0.125)
    assert np.log(found.high / (1 - found.high)) == pytest.approx(np.log(7) + margin, rel=1e-5)
