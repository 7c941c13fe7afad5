import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import SettingsError
from hepatica.pathology.slide import extent
from hepatica.pathology.tiles import Tiling, grid

FULL = np.ones((40, 60), bool)


def test_whole_slide_of_tissue_by_hand():
    corners = grid(FULL, size=(600, 400), mpp=0.25, tiling=Tiling(side=64, mpp=0.5))
    assert corners.tolist() == [[x, y] for y in (0, 128, 256) for x in (0, 128, 256, 384)]
    assert corners.dtype == np.int64


@settings(deadline=None, max_examples=60)
@given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    native=st.floats(0.1, 4),
    side=st.integers(8, 300),
    mpp=st.floats(0.1, 4),
    seed=st.integers(0, 9),
)
def test_tiles_stay_inside_and_apart_in_raster_order(width, height, native, side, mpp, seed):
    tiling = Tiling(side=side, mpp=mpp)
    mask = np.random.default_rng(seed).random((17, 23)) < 0.7
    corners = grid(mask, size=(width, height), mpp=native, tiling=tiling)
    across = extent(side=side, mpp=mpp, native=native)
    assert (corners >= 0).all()
    assert (corners + across <= (width, height)).all()
    assert (corners % math.ceil(across) == 0).all()
    order = [(y, x) for x, y in corners.tolist()]
    assert order == sorted(set(order))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 999), share=st.floats(0, 1))
def test_share_of_background_agrees_with_counting(seed, share):
    mask = np.random.default_rng(seed).random((48, 48)) < 0.5
    corners = grid(mask, size=(48, 48), mpp=0.5, tiling=Tiling(side=8, mpp=0.5, background=share))
    expected = [
        [x, y]
        for y in range(0, 48, 8)
        for x in range(0, 48, 8)
        if 1 - mask[y : y + 8, x : x + 8].mean() <= share + 1e-9
    ]
    assert corners.tolist() == expected


def test_mask_pixels_are_counted_in_part():
    """Three mask pixels across two tiles: the middle one belongs half to each."""
    mask = np.array([[True, False, False]])
    sizes = {"size": (300, 150), "mpp": 0.5}
    third = Tiling(side=150, mpp=0.5, background=1 / 3)
    assert grid(mask, **sizes, tiling=third).tolist() == [[0, 0]]
    assert grid(mask, **sizes, tiling=Tiling(side=150, mpp=0.5, background=0.33)).tolist() == []


def test_limit_draws_a_seeded_sample_in_raster_order():
    size, mpp = (6000, 4000), 0.5
    everything = grid(FULL, size=size, mpp=mpp, tiling=Tiling()).tolist()
    some = [grid(FULL, size=size, mpp=mpp, tiling=Tiling(limit=20, seed=seed)).tolist() for seed in (1, 1, 2)]
    assert some[0] == some[1] != some[2]
    assert len(some[0]) == 20
    places = [everything.index(corner) for corner in some[0]]
    assert places == sorted(set(places))
    assert grid(FULL, size=size, mpp=mpp, tiling=Tiling(limit=10_000)).tolist() == everything


def test_slide_smaller_than_a_tile_has_none():
    assert grid(FULL, size=(200, 400), mpp=0.5, tiling=Tiling()).shape == (0, 2)


@pytest.mark.parametrize("wrong", [{"side": 0}, {"mpp": 0}, {"background": 1.5}, {"limit": 0}, {"mpp": float("nan")}])
def test_wrong_settings(wrong):
    with pytest.raises(SettingsError, match="wanted"):
        Tiling(**wrong)
