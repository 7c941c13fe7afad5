import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm

from hepatica.radiology import deformation as module
from hepatica.radiology.deformation import deformation, likelihood, mutual_information


def test_mutual_information_of_two_equal_coins_is_ln_2():
    coin = np.tile([0.2, 0.8], 50)
    at = coin * (module.BINS - 4) + 1.5  # 7.1 and 23.9: each falls into four bins, which the two do not share
    assert np.abs(np.diff(at)[0]) > 8
    assert mutual_information(coin, coin)[0] == pytest.approx(np.log(2), abs=1e-6)
    assert mutual_information(coin, 1 - coin)[0] == pytest.approx(np.log(2), abs=1e-6)
    assert mutual_information(coin, np.repeat([0.2, 0.8], 50))[0] == pytest.approx(0, abs=1e-6)


def test_its_slope_is_that_of_finite_differences():
    one, other = np.random.default_rng(0).uniform(0.05, 0.95, (2, 30))
    numerical = approx_fprime(other, lambda values: mutual_information(one, values)[0], 1e-7)
    np.testing.assert_allclose(mutual_information(one, other)[1], numerical, atol=1e-5)


def test_bending_costs_nothing_for_a_straight_shear_and_the_second_difference_otherwise(monkeypatch):
    monkeypatch.setattr(module, "_BENDING", 60.0)  # as many as the coefficients, so that the mean is the sum
    monkeypatch.setattr(module, "_STRETCHING", 0.0)
    stiffness = module._stiffness((3, 4, 5))
    z, y, x = np.mgrid[:3, :4, :5]
    straight = (2 * z - y + 3 * x).ravel().astype(float)
    assert straight @ stiffness @ straight == pytest.approx(0, abs=1e-9)
    bent = (z**2).ravel().astype(float)  # second difference 2 at 4 x 5 places
    assert bent @ stiffness @ bent == pytest.approx(20 * 2**2)
    twisted = (y * x).ravel().astype(float)  # mixed difference 1 at 3 x 3 x 4 places, counted twice
    assert twisted @ stiffness @ twisted == pytest.approx(2 * 36)


def test_it_finds_a_shift_between_images_of_opposite_contrast():
    z, y, x = np.mgrid[:16, :32, :32]

    def blob(dx: float) -> np.ndarray:
        return 0.9 * np.exp(-(((z - 8) / 5) ** 2 + ((y - 16) / 8) ** 2 + ((x - 15 - dx) / 8) ** 2)) + 0.05

    where = blob(0) > 0.2
    field = deformation(blob(0), 1 - blob(2), where=where, spacing=(4.0, 3.0, 3.0))
    assert field.shape == (16, 32, 32, 3)
    np.testing.assert_allclose(field[where].mean(axis=0), [0, 0, 6], atol=0.3)  # two voxels of 3 mm along x


def test_likelihood_is_that_of_normal_noise_and_its_slope_that_of_finite_differences():
    one, other = np.random.default_rng(0).uniform(0.05, 0.95, (2, 30))
    residual = one - other
    noise = norm(scale=np.sqrt((residual**2).mean()))
    assert likelihood(one, other)[0] == pytest.approx(noise.logpdf(residual).mean() + np.log(2 * np.pi * np.e) / 2)
    numerical = approx_fprime(other, lambda values: likelihood(one, values)[0], 1e-7)
    np.testing.assert_allclose(likelihood(one, other)[1], numerical, atol=1e-5)


def test_the_search_begins_at_the_field_nearest_to_the_start(monkeypatch):
    monkeypatch.setattr(module, "_ROUNDS", ())
    z, y, x = np.mgrid[:16, :20, :24].astype(float)
    start = np.stack([0.1 * z - 2, 0.2 * x + 0.1 * y, 3 + 0 * x], axis=-1)  # splines make straight lines exactly
    images = np.random.default_rng(0).uniform(size=(2, *z.shape))
    found = deformation(*images, where=z > 0, spacing=(4.0, 3.0, 3.0), start=start)
    np.testing.assert_allclose(found, start, atol=1e-6)
