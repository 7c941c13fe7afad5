import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from hepatica.cohort.array_store import open_arrays
from hepatica.cohort.errors import SettingsError
from hepatica.pathology.slide import extent
from hepatica.pathology.tiles import Tiling, grid, writing

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


CORNERS = np.array([[0, 0], [8, 0], [0, 8], [123456789012, 8], [8, 16]])
TILES = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


def write(path, *, pieces=(2, 4)):
    with writing(path, corners=CORNERS, side=8, about={"mpp": 0.5, "stain": [[0.1, 0.9]]}) as append:
        for piece in np.split(TILES, pieces):
            append(piece)


@pytest.mark.parametrize("pieces", [(), (2, 4), (1, 2, 3, 4)])
def test_what_is_written_is_read(tmp_path, pieces):
    write(tmp_path / "a.safetensors", pieces=pieces)
    opened = open_arrays(tmp_path, "a")
    assert np.array_equal(np.stack([opened.get_slice("tiles")[k] for k in range(5)]), TILES)
    assert np.array_equal(opened.get_tensor("corners"), CORNERS)
    assert json.loads(opened.metadata()["about"]) == {"mpp": 0.5, "stain": [[0.1, 0.9]]}


def test_the_stream_is_a_safetensors_file_like_any_other(tmp_path):
    write(tmp_path / "a.safetensors")
    loaded = load_file(tmp_path / "a.safetensors")
    assert np.array_equal(loaded["tiles"], TILES)
    assert np.array_equal(loaded["corners"], CORNERS)


def test_absent_short_or_foreign_file_is_none(tmp_path):
    path = tmp_path / "a.safetensors"
    assert open_arrays(tmp_path, "a") is None
    write(path)
    whole = path.read_bytes()
    for length in (0, 4, 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert open_arrays(tmp_path, "a") is None
    save_file({"weights": TILES}, path)
    assert open_arrays(tmp_path, "a") is None


def test_broken_off_writing_leaves_nothing(tmp_path):
    wrong = np.zeros((2, 8, 8, 3), complex)
    writer = writing(tmp_path / "a.safetensors", corners=CORNERS, side=8, about={})
    with pytest.raises(np.exceptions.ComplexWarning), writer as append:
        append(wrong)
    assert list(tmp_path.iterdir()) == []


def test_too_few_tiles_are_refused(tmp_path):
    writer = writing(tmp_path / "a.safetensors", corners=CORNERS, side=8, about={})
    with pytest.raises(AssertionError, match="every corner"), writer as append:
        append(TILES[:2])
    assert list(tmp_path.iterdir()) == []
