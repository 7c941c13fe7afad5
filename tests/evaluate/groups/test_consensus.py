import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from hepatica.cohort import EvaluationError
from hepatica.evaluate.groups.consensus import consensus

RNG = np.random.default_rng(0)
TRUTH = np.repeat([0, 1, 2], 12)
THREE = RNG.normal(0, 0.4, (36, 4)) + np.array([[0, 0, 0, 0], [6, 0, 0, 0], [0, 6, 0, 0]])[TRUTH]


def test_three_groups_are_found_and_counted() -> None:
    found = consensus(THREE, most=5, parts=15, seed=0)
    assert found.count == found.least_ambiguous == found.count_by_gap == 3
    assert adjusted_rand_score(TRUTH, found.groups) == 1
    assert found.ambiguous[3] == 0
    assert found.ambiguous[3] < found.ambiguous[4]


def test_there_are_as_many_groups_as_asked_for_even_where_pairs_are_alike() -> None:
    # Of two parts, most pairs were always together or never, so that the tree has ties at one height.
    for seed in range(6):
        found = consensus(THREE[::3], most=3, parts=2, count=3, seed=seed)
        assert sorted(set(found.groups)) == [0, 1, 2]


def test_one_cloud_has_the_gap_of_a_single_group() -> None:
    cloud = np.random.default_rng(1).normal(size=(60, 2))
    assert consensus(cloud, most=4, parts=4, seed=0).count_by_gap == 1


def test_a_number_of_groups_can_be_asked_for_and_the_seed_decides() -> None:
    first, second = (consensus(THREE, most=4, parts=5, seed=1, count=2) for _ in range(2))
    assert first.count == 2
    np.testing.assert_array_equal(first.groups, second.groups)
    assert first.least_ambiguous == 3


@pytest.mark.parametrize("changes", [{"most": 1}, {"parts": 1}, {"count": 9}])
def test_what_cannot_be_done_is_refused(changes: dict) -> None:
    with pytest.raises(EvaluationError, match="wanted"):
        consensus(THREE, **{"most": 4, "parts": 3, "seed": 0} | changes)
    with pytest.raises(EvaluationError, match="wanted 6"):
        consensus(THREE[:5], most=2, parts=3, seed=0)
