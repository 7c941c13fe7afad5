"""Clusters: groups that are there come out alike, groups that are not do not."""

import numpy as np
import pytest
from sklearn.cluster import KMeans

from hepatica.cohort import EvaluationError
from hepatica.evaluate import cluster_stability


def halves(values: np.ndarray, seed: int) -> np.ndarray:
    return KMeans(2, n_init=3, random_state=seed).fit_predict(values)


def test_groups_far_apart_are_stable_and_one_cloud_is_not() -> None:
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(80, 6))
    parted = cloud + 8 * (np.arange(80) % 2)[:, None]
    assert cluster_stability(parted, cluster=halves, resamples=10).value == 1
    found = cluster_stability(cloud, cluster=halves, resamples=10, share=0.5)
    assert found.value < 0.7
    assert found.low < found.value < found.high
    assert found.n == 80


def test_random_groups_are_as_alike_as_chance() -> None:
    found = cluster_stability(
        np.arange(60), cluster=lambda rows, seed: np.random.default_rng(seed).integers(3, size=len(rows))
    )
    assert found.value == pytest.approx(0, abs=0.01)


def test_index_is_that_of_hubert_and_arabie_by_hand() -> None:
    # aabbbb against aaabbb: of 15 pairs 7 are joined in the first, 6 in the second, 1 + 3 = 4 in both; by chance
    # 7 * 6 / 15 = 2.8 would be. Index (4 - 2.8) / ((7 + 6) / 2 - 2.8) = 1.2 / 3.7.
    whole, part = [0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]
    found = cluster_stability(np.arange(6), cluster=lambda rows, seed: part if seed else whole, share=0.99)
    assert [found.value, found.low, found.high] == pytest.approx([1.2 / 3.7] * 3)


@pytest.mark.parametrize("options", [{"resamples": 1}, {"share": 1.0}, {"share": 0.01}])
def test_too_little_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(EvaluationError, match="wanted 2 or more"):
        cluster_stability(np.arange(20), cluster=halves, **options)
