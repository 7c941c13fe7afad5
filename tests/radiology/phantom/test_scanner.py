from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.radiology.phantom.scanner import HIGHEST, HOSPITALS, LOWEST, scan, scanner_noise, smooth_noise


def water(*, noise: float, offset: float = 0) -> np.ndarray:
    hospital = replace(HOSPITALS["A"], noise=10, offset=offset)
    return scan(np.random.default_rng(0), np.zeros((2, 3, 64, 64), np.float32), hospital=hospital, pixel=1, noise=noise)


def test_noise_and_offset_are_those_of_the_hospital() -> None:
    assert water(noise=1).std() == pytest.approx(10, rel=0.02)
    assert water(noise=2).std() == pytest.approx(20, rel=0.02)
    assert (water(noise=0, offset=4) == 4).all()


def test_values_stay_within_twelve_bits() -> None:
    extremes = np.full((1, 2, 64, 64), -3000, np.float32)
    extremes[:, 1] = 9000
    seen = scan(np.random.default_rng(0), extremes, hospital=HOSPITALS["B"], pixel=1, noise=1)
    assert (seen.min(), seen.max()) == (LOWEST, HIGHEST)
    assert seen.dtype == np.int16


def test_phases_follow_each_other_and_plain_comes_before_the_injection() -> None:
    for hospital in HOSPITALS.values():
        assert hospital.seconds[0] < 0 < hospital.seconds[1]
        assert list(hospital.seconds) == sorted(hospital.seconds)


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
