import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.radiology.phantom.noise import scanner_noise, smooth_noise


@settings(deadline=None, max_examples=20)
@given(
    shape=st.tuples(*[st.integers(1, 24)] * 3).filter(lambda shape: max(shape) > 1),
    grain=st.floats(1, 12),
)
def test_smooth_noise_has_the_shape_asked_for(shape: tuple[int, int, int], grain: float) -> None:
    field = smooth_noise(np.random.default_rng(0), shape=shape, grain=(grain,) * 3)
    assert field.shape == shape
    assert field.dtype == np.float32
    assert field.std() == pytest.approx(1, abs=1e-3)


def test_coarse_grain_is_smoother() -> None:
    def roughness(grain: float) -> float:
        field = smooth_noise(np.random.default_rng(0), shape=(8, 64, 64), grain=(grain,) * 3)
        return float(np.abs(np.diff(field, axis=2)).mean())

    assert roughness(12) < roughness(4) / 2


def test_scanner_noise_is_correlated_within_slices_only() -> None:
    noise = scanner_noise(np.random.default_rng(0), shape=(2, 6, 64, 64), grain=1.5)
    assert noise.std() == pytest.approx(1, abs=1e-3)
    assert (noise[..., 1:] * noise[..., :-1]).mean() > 0.7
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < 0.1
