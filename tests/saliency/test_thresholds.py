from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hepatica.cohort.errors import EvaluationError
from hepatica.saliency import Level, dice_at, levels, pointing, save_levels

SLIDE = {"extent": 100, "size": (400, 400)}


def test_cut_offs_are_quantiles() -> None:
    """Of 0, 0.1 … 1 the top 30 % begin at 0.7 and the bottom 30 % end at 0.3."""
    (found,) = levels(np.linspace(0, 1, 11), shares=[0.3])
    assert (found.low, found.high) == pytest.approx((0.3, 0.7))


def test_classes_take_their_cut_offs_in() -> None:
    found = Level(share=0.3, low=0.3, high=0.7).classes(np.array([0.2, 0.3, 0.5, 0.7, 0.9]))
    np.testing.assert_array_equal(found, [0, 0, np.nan, 1, 1])


def test_equal_scores_are_high_not_both() -> None:
    assert levels(np.full(4, 0.5))[0].classes(np.full(4, 0.5)).tolist() == [1, 1, 1, 1]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_stricter_level_never_adds_a_tile(scores: list[float]) -> None:
    values = np.array(scores)
    high = [level.classes(values) == 1 for level in levels(values)]
    for loose, strict in pairwise(high):
        assert not (strict & ~loose).any()


def test_a_picture_is_written_even_where_no_tile_is_extreme(tmp_path: Path) -> None:
    picture = tmp_path / "levels.png"
    save_levels(
        picture,
        thumbnail=np.full((40, 40, 3), 200, np.uint8),
        corners=np.array([[0, 0], [100, 0]]),
        scores=np.array([0.4, 0.6]),
        levels=[Level(share=0.5, low=0.5, high=0.5), Level(share=0.1, low=0.0, high=1.0)],
        meaning="score",
        note="phantom",
        **SLIDE,
    )
    with Image.open(picture) as opened:
        pixels = np.asarray(opened.convert("RGB")).astype(int)
    red, blue = pixels[..., 0] - pixels[..., 2] > 60, pixels[..., 2] - pixels[..., 0] > 60
    left = np.arange(pixels.shape[1]) < pixels.shape[1] // 2
    top = np.arange(pixels.shape[0])[:, None] < pixels.shape[0] * 0.75  # the key below has both colours
    assert (red & left & top).any()
    assert (blue & left & top).any()
    assert not ((red | blue) & ~left & top).any()
    assert [each.name for each in tmp_path.iterdir()] == ["levels.png"]


def test_scores_outside_their_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="one \\(x, y\\) a score"):
        save_levels(
            tmp_path / "levels.png",
            thumbnail=np.zeros((4, 4, 3), np.uint8),
            corners=np.zeros((2, 3)),
            scores=np.array([0.0, 1.0]),
            levels=levels(np.array([0.0, 1.0])),
            meaning="",
            note="",
            **SLIDE,
        )


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
        (np.full((1, 8, 8), np.nan), lesion(), "not numbers"),
    ],
)
def test_what_cannot_be_judged_is_refused(maps: np.ndarray, masks: np.ndarray, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        pointing(maps, masks)


MASK = np.zeros((1, 4, 5), dtype=bool)
MASK[0, 1:3, 1:4] = True


def test_a_map_of_the_lesion_covers_it() -> None:
    assert dice_at(MASK.astype(float), MASK) == 1
    assert dice_at(1.0 - MASK, MASK, quantile=0.5) == 0


def test_half_of_it_by_hand() -> None:
    # 20 pixels valued 0 to 19; from the 90th centile up lie the last two. One lies in the lesion of 6: 2 * 1 / (2 + 6).
    values = np.arange(20.0).reshape(1, 4, 5)
    mask = np.zeros_like(MASK)
    mask[0, 3, 4] = mask[0, 0] = True
    assert dice_at(values, mask, quantile=0.9) == 2 / 8


def test_a_map_without_differences_marks_nothing() -> None:
    assert dice_at(np.ones((1, 4, 5)), MASK) == 0
    assert dice_at(np.zeros((1, 4, 5)), MASK, quantile=0.95) == 0


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1000))
def test_a_batch_is_its_images_one_by_one_and_scales_mean_nothing(seed: int) -> None:
    chance = np.random.default_rng(seed)
    maps, masks = chance.random((3, 4, 5)), chance.random((3, 4, 5)) < 0.5
    masks[:, 0, 0] = True
    together = dice_at(maps, masks)
    assert ((together >= 0) & (together <= 1)).all()
    np.testing.assert_array_equal(together, [dice_at(a[None], b[None])[0] for a, b in zip(maps, masks, strict=True)])
    np.testing.assert_array_equal(together, dice_at(8 * maps, masks))


def test_an_image_without_a_lesion_is_refused() -> None:
    with pytest.raises(EvaluationError, match="without a lesion"):
        dice_at(np.ones((1, 4, 5)), np.zeros((1, 4, 5)))


def test_no_maps_have_no_overlap() -> None:
    assert dice_at(np.zeros((0, 4, 4)), np.zeros((0, 4, 4), bool)).shape == (0,)
