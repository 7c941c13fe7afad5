from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import measure

from hepatica.cohort import SlidePixels
from hepatica.pathology.phantom.histology import Uptake, aggressive_share, draw_tissue
from hepatica.pathology.phantom.layout import STANDARD

SMALL = replace(STANDARD, side=SlidePixels(512))


def draw(seed: int, *, grade: float, effect: float = 1.0) -> Uptake:
    return draw_tissue(np.random.default_rng(seed), grade=grade, effect=effect, settings=SMALL)


def nuclei(uptake: Uptake) -> np.ndarray:
    """Areas in square micrometres."""
    areas = np.bincount(measure.label(uptake.haematoxylin > 0.6).ravel())[1:]
    return areas[areas > 40] * SMALL.mpp**2


def test_same_stream_same_tissue() -> None:
    first, second = draw(0, grade=0.5), draw(0, grade=0.5)
    assert np.array_equal(first.haematoxylin, second.haematoxylin)
    assert np.array_equal(first.eosin, second.eosin)


def test_glass_takes_no_stain_and_tissue_does() -> None:
    uptake = draw(0, grade=0.0)
    assert uptake.haematoxylin.shape == uptake.eosin.shape == (512, 512)
    assert uptake.eosin.dtype == np.float32
    for stain in (uptake.haematoxylin, uptake.eosin):
        assert stain[:20, :20].max() == 0
        assert stain.min() >= 0
    assert np.median(uptake.eosin[200:300, 200:300]) > 0.2


def test_nuclei_grow_with_the_grade() -> None:
    mild, aggressive = (np.concatenate([nuclei(draw(seed, grade=grade)) for seed in range(3)]) for grade in (-2, 2))
    assert np.median(mild) == pytest.approx(np.pi * SMALL.nucleus_mild**2 / 4, rel=0.3)
    assert np.median(aggressive) > 1.7 * np.median(mild)


def test_without_effect_the_grade_is_not_seen() -> None:
    mild, aggressive = (
        np.concatenate([nuclei(draw(seed, grade=grade, effect=0)) for seed in range(3)]) for grade in (-2, 2)
    )
    assert np.median(aggressive) == pytest.approx(np.median(mild), rel=0.05)


def test_aggressive_tumours_have_fewer_lymphocytes() -> None:
    none = replace(SMALL, lymphocytes_mild=1e-9, lymphocytes_aggressive=1e-9)

    def area(grade: float) -> int:
        # lymphocytes are laid last onto the haematoxylin map, so all else is the same without them
        without = draw_tissue(np.random.default_rng(1), grade=grade, effect=1.0, settings=none)
        return int((draw(1, grade=grade).haematoxylin > without.haematoxylin + 0.1).sum())

    assert area(-2) > 3 * area(2) > 0


@settings(deadline=None, max_examples=30)
@given(st.floats(-4, 4), st.floats(-4, 4), st.floats(0, 1))
def test_share_rises_with_the_grade_around_one_half(low: float, high: float, effect: float) -> None:
    low, high = sorted((low, high))
    assert 0 <= aggressive_share(low, effect=effect) <= aggressive_share(high, effect=effect) <= 1
    assert aggressive_share(low, effect=effect) + aggressive_share(-low, effect=effect) == pytest.approx(1)
