"""ADC: exact for an exponential, by hand for one that is none, bounded, and not fitted to noise."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.mr.adc import HIGHEST, fit_adc, noise_floor

GEOMETRY = Geometry(shape=(2, 32, 32), spacing=(5.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0))


def volume(values):
    """A body of these values in the middle of blanked air."""
    whole = np.zeros(GEOMETRY.shape, np.float32)
    whole[:, 8:24, 8:24] = values
    return Volume(values=whole, geometry=GEOMETRY, units="signal", measured=np.ones(2, bool))


def test_an_exponential_is_found_again():
    truth = np.linspace(0.3, 2.8, 256).reshape(16, 16)
    found = fit_adc({b: volume(1000 * np.exp(-b * truth / 1000)) for b in (600.0, 0.0, 100.0)})
    np.testing.assert_allclose(found.values[:, 8:24, 8:24], [truth] * 2, rtol=1e-5)
    assert (found.values[:, :8] == 0).all()
    assert found.units == "adc"
    assert found.notes == ("ADC of b 0, 100, 600; 0% of voxels lost a point to noise",)


def test_least_squares_by_hand():
    """ln S = 7, 6.9, 6.1: sum of (b - 233.3)(ln S - 6.667) is -316.67, of (b - 233.3)^2 206,667: 1.5323."""
    found = fit_adc({0.0: volume(np.exp(7.0)), 100.0: volume(np.exp(6.9)), 600.0: volume(np.exp(6.1))})
    assert found.values[0, 16, 16] == pytest.approx(316.6667 / 206.6667, rel=1e-5)


@pytest.mark.parametrize(("high", "wanted"), [(1200, 0), (0.5, HIGHEST)])
def test_bounds(high, wanted):
    assert fit_adc({0.0: volume(1000), 600.0: volume(high)}).values[0, 16, 16] == wanted


def test_points_within_the_noise_are_left_out():
    """At b 600 there is only noise, whose floor is 2 x 20 / 1.1774; two clear points give 1.0."""
    noisy = volume(30.0)
    noisy.values[noisy.values == 0] = 20.0
    assert noise_floor(noisy.values) == pytest.approx(40 / 1.1774)
    found = fit_adc({0.0: volume(1000), 100.0: volume(1000 * np.exp(-0.1)), 600.0: noisy})
    assert found.values[0, 16, 16] == pytest.approx(1.0, rel=1e-5)
    assert "100% of voxels lost a point to noise" in found.notes[0]


def test_refusals():
    with pytest.raises(SpecimenError, match="wanted two or more"):
        fit_adc({0.0: volume(1000)})
    aside = replace(volume(500), geometry=replace(GEOMETRY, origin=(3.0, 0.0, 0.0)))
    with pytest.raises(SpecimenError, match="resample them first"):
        fit_adc({0.0: volume(1000), 600.0: aside})
