from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hepatica.cohort.errors import EvaluationError
from hepatica.saliency import Level, levels, save_levels

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
