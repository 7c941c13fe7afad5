"""Permutation: P values whose exact form is known."""

import numpy as np
import pytest
from scipy.stats import hypergeom, mannwhitneyu

from hepatica.cohort import EvaluationError
from hepatica.evaluate.groups.permutation import permutation_p


def test_sixteen_of_seventeen_of_the_paper() -> None:
    # 7 of 7 found and 9 of 10 cleared (doi 10.2463/mrms.mp.2025-0064): 7 of the 8 called are ill.
    label = np.array([1] * 7 + [0] * 10)
    score = np.array([0.9] * 7 + [0.9] + [0.1] * 9)
    exact = hypergeom.sf(6, 17, 7, 8)
    assert exact == pytest.approx(8 / 19448)
    assert permutation_p(label, score=score, cutoff=0.5, permutations=200_000) == pytest.approx(exact, rel=0.25)


def test_auroc_is_the_rank_sum_test() -> None:
    rng = np.random.default_rng(1)
    label = np.arange(14) % 2
    score = rng.normal(size=14) + 0.9 * label
    exact = mannwhitneyu(score[label == 1], score[label == 0], alternative="greater", method="exact").pvalue
    assert permutation_p(label, score=score, permutations=100_000) == pytest.approx(exact, rel=0.1)


def test_p_is_never_0_and_1_for_the_worst() -> None:
    label, score = np.array([0] * 10 + [1] * 10), np.arange(20.0)
    assert permutation_p(label, score=score, permutations=1000) == pytest.approx(1 / 1001)
    assert permutation_p(label, score=-score, permutations=1000) == 1


def test_one_seed_gives_one_p() -> None:
    rng = np.random.default_rng(2)
    label, score = np.arange(30) % 2, rng.normal(size=30)
    first, second, other = (permutation_p(label, score=score, seed=seed) for seed in (0, 0, 1))
    assert first == second
    assert first != other


def test_bad_input_is_refused() -> None:
    with pytest.raises(EvaluationError, match="shuffles"):
        permutation_p([0, 1], score=[0.0, 1.0], permutations=0)
    with pytest.raises(EvaluationError, match="with 0 and with 1"):
        permutation_p([1, 1], score=[0.0, 1.0])
