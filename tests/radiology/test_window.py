"""Window: Hounsfield units to grey, hand-counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import SettingsError
from hepatica.radiology.window import WINDOWS, Window


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
