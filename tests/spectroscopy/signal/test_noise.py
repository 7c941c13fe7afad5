"""Noise: its SD is found whatever resonates, drifts or hums beside it."""

import numpy as np
import pytest

from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.noise import noise_sd


@pytest.mark.parametrize("points", [512, 1024, 2048])
def test_white_noise_is_found_beside_lines(decay, points):
    acquisition = Acquisition(points=points)
    found = [noise_sd(decay(acquisition, noise=2.0, seed=seed), acquisition=acquisition) for seed in range(20)]
    assert np.mean(found) == pytest.approx(2.0 * np.sqrt(points), rel=0.12)


def test_the_flank_of_the_water_does_not_count(decay):
    acquisition = Acquisition(points=1024)
    plain, watery = (
        noise_sd(decay(acquisition, water=water, noise=1.0), acquisition=acquisition) for water in (0, 9e3)
    )
    assert watery == pytest.approx(plain, rel=0.2)


def test_a_narrow_band_falls_back_on_the_end_of_the_decay(decay):
    acquisition = Acquisition(points=512, bandwidth_hz=600.0)
    found = noise_sd(decay(acquisition, {1.28: 50.0}, noise=1.0), acquisition=acquisition)
    assert found == pytest.approx(np.sqrt(512), rel=0.15)
