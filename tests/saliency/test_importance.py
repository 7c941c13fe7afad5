"""Importance: what is not used matters nothing, what is used matters, and its interval holds it."""

import numpy as np
import pytest

from hepatica.saliency import partial_dependence, permutation_importance

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(200, 3))
TRUE = 2 * VALUES[:, 0] + RNG.normal(size=200)


def score(values: np.ndarray) -> np.ndarray:
    return 2 * values[:, 0] + 0.5 * values[:, 2]


def correlation(scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.array([np.cov(TRUE, scores, fweights=each)[0, 1] / TRUE.std() / scores.std() for each in counts])


def test_only_what_is_read_and_goes_with_the_outcome_drops() -> None:
    used, unread, harmful = permutation_importance(score, VALUES, columns=[0, 1, 2], statistic=correlation)
    own = correlation(score(VALUES), np.ones((1, 200), dtype=int))[0]
    assert used.value == pytest.approx(own, abs=0.15)  # dealt to others, it has no correlation left
    assert used.low > 0.5
    assert (unread.value, unread.low, unread.high) == pytest.approx((0, 0, 0), abs=1e-12)
    assert harmful.low < 0.02


def test_one_seed_gives_one_result_and_values_stay_as_they_were() -> None:
    before = VALUES.copy()
    first, second = (
        permutation_importance(score, VALUES, columns=[0], statistic=correlation, resamples=20, seed=4) for _ in "ab"
    )
    assert first == second
    assert (before == VALUES).all()


def test_dependence_on_a_linear_term_is_a_line() -> None:
    found = partial_dependence(score, VALUES, column=0)
    slopes = np.diff(found.score) / np.diff(found.at)
    assert slopes == pytest.approx(np.full(10, 2.0))
    assert found.score[5] == pytest.approx(score(np.where([True, False, False], found.at[5], VALUES)).mean())
    assert (found.low < found.score).all()
    assert (found.score < found.high).all()


def test_a_category_has_two_points_and_padding_stays_empty() -> None:
    visits = np.full((4, 3, 2), np.nan)
    visits[:, 0] = [[0, 1], [1, 1], [0, 2], [1, 5]]
    seen = []

    def count(values: np.ndarray) -> np.ndarray:
        seen.append(values)
        return np.nansum(values[..., 0], axis=1) + np.arange(4)

    found = partial_dependence(count, visits, column=0)
    assert found.at.tolist() == [0, 1] or set(found.at) >= {0.0, 1.0}
    assert np.isnan(seen[-1][:, 1:]).all()
    assert found.score[-1] - found.score[0] == pytest.approx(1)
