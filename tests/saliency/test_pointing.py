import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.saliency import pointing


def lesion() -> np.ndarray:
    mask = np.zeros((1, 8, 8), dtype=bool)
    mask[0, 2:4, 2:6] = True
    return mask


def bright(*places: tuple[int, int]) -> np.ndarray:
    values = np.zeros((1, 8, 8))
    for place in places:
        values[0][place] = 1
    return values


def test_the_brightest_place_hits_or_misses() -> None:
    assert pointing(bright((3, 5)), lesion()) == 1
    assert pointing(bright((4, 5)), lesion()) == 0


def test_a_near_miss_counts_where_it_may() -> None:
    assert pointing(bright((5, 6)), lesion(), tolerance=2) == 0  # the root of 5 pixels away
    assert pointing(bright((5, 6)), lesion(), tolerance=2.3) == 1


def test_places_alike_count_by_their_share() -> None:
    assert pointing(bright((3, 5), (7, 7)), lesion()) == 0.5
    assert pointing(np.zeros((1, 8, 8)), lesion()) == 8 / 64


def test_a_batch_is_its_images_one_by_one() -> None:
    maps, masks = np.concatenate([bright((3, 3)), bright((0, 0))]), lesion().repeat(2, axis=0)
    assert pointing(maps, masks).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("maps", "masks", "message"),
    [
        (np.zeros((1, 8, 8)), np.zeros((1, 8, 8)), "without a lesion"),
        (np.zeros((1, 8, 7)), lesion(), "8, 7"),
        (np.full((1, 8, 8), np.nan), lesion(), "no numbers"),
    ],
)
def test_what_cannot_be_judged_is_refused(maps: np.ndarray, masks: np.ndarray, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        pointing(maps, masks)
