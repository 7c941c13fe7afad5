"""Permutation: P values whose exact form is known."""

import numpy as np
import pytest
from scipy.stats import fisher_exact, hypergeom, mannwhitneyu

from hepatica.cohort import EvaluationError
from hepatica.evaluate.groups.permutation import permutation_null, permutation_p, power_curve, power_of_calls


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


PAPER = {"positives": 7, "negatives": 10}


def test_a_perfect_classifier_of_the_paper_s_test_set_is_always_found() -> None:
    assert power_of_calls(sensitivity=1, specificity=1, **PAPER) == pytest.approx(1)


def test_chance_is_found_no_more_often_than_alpha() -> None:
    for share in (0.2, 0.5, 0.9):
        assert power_of_calls(sensitivity=share, specificity=1 - share, **PAPER) <= 0.05


def test_it_is_what_simulated_test_sets_find() -> None:
    rng = np.random.default_rng(0)
    true, false = rng.binomial(7, 0.8, 2000), rng.binomial(10, 0.2, 2000)
    found = np.mean(
        [
            fisher_exact([[t, 7 - t], [f, 10 - f]], alternative="greater").pvalue <= 0.05
            for t, f in zip(true, false, strict=True)
        ]
    )
    assert power_of_calls(sensitivity=0.8, specificity=0.8, **PAPER) == pytest.approx(found, abs=0.03)


def test_power_rises_with_the_effect_and_with_patients() -> None:
    curve = power_curve(np.array([0.0, 1.0, 2.0, 4.0]), **PAPER)
    powers = [each.power for each in curve]
    assert powers == sorted(powers)
    assert (curve[0].sensitivity, curve[3].specificity) == (0.5, pytest.approx(0.977, abs=1e-3))
    more = power_of_calls(sensitivity=0.8, specificity=0.8, positives=14, negatives=20)
    assert more > power_of_calls(sensitivity=0.8, specificity=0.8, **PAPER)


@pytest.mark.parametrize("changes", [{"sensitivity": 1.1}, {"specificity": -0.1}, {"positives": 0}])
def test_impossible_numbers_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(EvaluationError, match="power: got"):
        power_of_calls(**{"sensitivity": 0.8, "specificity": 0.8, **PAPER, **changes})


def test_null_of_a_difference_of_two_groups_is_the_exact_one() -> None:
    # 3 against 3 of 1 … 6: the true groups have the largest difference, which 1 of the 20 dealings reaches.
    values, first = np.arange(1.0, 7.0), np.array([0, 0, 0, 1, 1, 1])
    found = permutation_null(lambda order: float(values[order] @ first), patients=6, permutations=40_000)
    assert found.observed == 15
    assert found.p == pytest.approx(1 / 20, rel=0.1)
    share = found.share_reaching(14)  # 4 + 5 + 6 and 3 + 5 + 6
    assert share.value == pytest.approx(2 / 20, rel=0.1)
    assert share.low < share.value < share.high


def test_null_finds_that_selection_by_the_outcome_finds_something_in_nothing() -> None:
    rng = np.random.default_rng(3)
    noise, outcome = rng.normal(size=(40, 60)), rng.normal(size=40)

    def best_of_all_columns(order: np.ndarray) -> float:
        return float(np.abs((noise - noise.mean(axis=0)).T @ outcome[order]).max())

    found = permutation_null(best_of_all_columns, patients=40)
    assert found.p > 0.01  # nothing is there
    with pytest.raises(EvaluationError, match="wanted 1 or more"):
        permutation_null(best_of_all_columns, patients=40, permutations=0)
