import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.pathology.phantom.noise import enlarge, ramp, smooth_noise


def test_noise_is_about_standard_and_as_smooth_as_asked() -> None:
    fine, coarse = (smooth_noise(np.random.default_rng(0), side=256, grain=grain) for grain in (3, 30))
    assert fine.shape == (256, 256)
    assert fine.mean() == pytest.approx(0, abs=0.1)
    assert fine.std() == pytest.approx(0.85, abs=0.25)  # interpolation takes some of the variance
    assert np.abs(np.diff(fine)).mean() > 5 * np.abs(np.diff(coarse)).mean()


def test_enlarging_keeps_a_constant() -> None:
    assert enlarge(np.full((5, 5), 2.5), side=17) == pytest.approx(2.5)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-10, 10), min_size=2, max_size=20), st.floats(-5, 5), st.floats(0.1, 5))
def test_ramp_rises_from_0_to_1_and_turns_round(values: list[float], low: float, width: float) -> None:
    field = np.sort(np.array(values))
    rising = ramp(field, low=low, high=low + width)
    assert ((rising >= 0) & (rising <= 1)).all()
    assert (np.diff(rising) >= 0).all()
    assert ramp(field, low=low + width, high=low) == pytest.approx(1 - rising, abs=1e-9)
