from dataclasses import replace

import numpy as np
import pytest

from hepatica.radiology.phantom.scanner import HIGHEST, HOSPITALS, LOWEST, scan


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
