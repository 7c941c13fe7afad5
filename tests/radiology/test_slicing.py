"""Window: Hounsfield units to grey, hand-counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import SettingsError
from hepatica.radiology.slicing import WINDOWS, Slicing, Window, full_size, resized


def test_the_ends_and_the_middle():
    """Centre 60, width 160: black at -20 HU, white at 140 HU."""
    values = np.array([-1024, -20, 20, 60, 100, 140, 3000])
    assert WINDOWS["liver"].shades(values) == pytest.approx([0, 0, 0.25, 0.5, 0.75, 1, 1])
    assert WINDOWS["liver"].grey(values).tolist() == [0, 0, 64, 128, 191, 255, 255]


@settings(deadline=None, max_examples=30)
@given(st.floats(-500, 500), st.floats(1, 3000), st.lists(st.floats(-1024, 3000, width=32), min_size=2, max_size=9))
def test_brighter_is_never_darker(centre, width, values):
    shades = Window(centre=centre, width=width).shades(np.sort(values))
    assert (np.diff(shades) >= 0).all()
    assert shades.min() >= 0
    assert shades.max() <= 1


def test_a_window_without_width_is_refused():
    with pytest.raises(SettingsError, match="more than 0"):
        Window(centre=0, width=0)


@given(st.integers(1, 40), st.integers(1, 50))
def test_slices_are_evenly_spread_from_end_to_end(most: int, count: int) -> None:
    chosen = Slicing(per_series=most).choose(np.arange(100, 100 + count))
    assert len(chosen) == min(most, count)
    assert len(set(chosen.tolist())) == len(chosen)
    if most > 1:
        assert (chosen[0], chosen[-1]) == (100, 99 + count)
    gaps = np.diff(chosen)
    assert not gaps.size or gaps.max() - gaps.min() <= 1


def test_all_slices_where_no_limit_is_set() -> None:
    assert Slicing().choose(np.array([3, 4, 9])).tolist() == [3, 4, 9]


@pytest.mark.parametrize("wrong", [{"side": 0}, {"per_series": 0}])
def test_sizes_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="wanted 1 or more"):
        Slicing(**wrong)


def test_same_size_changes_nothing() -> None:
    image = np.arange(-50, 14, dtype=np.float32).reshape(8, 8)
    assert resized(image, side=8, units="HU").tolist() == image.tolist()


@pytest.mark.parametrize(("units", "around"), [("HU", -1024), ("grey", 0)])
def test_what_is_not_square_is_padded_on_both_sides(units: str, around: int) -> None:
    small = resized(np.full((4, 8), 60, np.float32), side=8, units=units)
    assert (small[2:6] == 60).all()
    assert (small[:2] == around).all()
    assert (small[6:] == around).all()


def test_smaller_slices_are_means_not_picks() -> None:
    stripes = np.tile([0.0, 100.0], (64, 32)).astype(np.float32)
    assert np.abs(resized(stripes, side=16, units="HU") - 50).max() <= 10


@pytest.mark.parametrize("shape", [(40, 40), (30, 40), (40, 22)])
def test_map_comes_back_to_the_pixels_it_is_of(shape: tuple[int, int]) -> None:
    y, x = np.mgrid[: shape[0], : shape[1]]
    blob = 200 * np.exp(-((y - 12) ** 2 + (x - 14) ** 2) / 30).astype(np.float32)
    back = full_size(resized(blob, side=20, units="grey"), shape=shape)
    assert back.shape == shape
    assert np.unravel_index(back.argmax(), shape) in {(j, k) for j in (11, 12, 13) for k in (13, 14, 15)}
