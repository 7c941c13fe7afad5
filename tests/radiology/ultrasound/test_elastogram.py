"""Elastogram: colours become kPa by their bar, whatever grey lies beneath, and other colours none."""

import numpy as np
import pytest

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.phantom.ultrasound import FASTEST, colours
from hepatica.radiology.ultrasound.elastogram import kpa_of_rows, stiffness, youngs_modulus
from hepatica.radiology.ultrasound.regions import Region

ROWS = 91
BAR = np.repeat(colours(np.linspace(FASTEST, 0, ROWS))[:, None], 4, axis=1)
REGION = Region(kind="colour bar", box=(slice(0, ROWS), slice(0, 4)), speeds=(FASTEST, 0.0))


def test_stiffness_is_three_times_the_square_of_the_speed() -> None:
    np.testing.assert_allclose(youngs_modulus(np.array([1.0, 2.0])), [3.0, 12.0])


def test_rows_mean_speeds_or_kpa_up_to_what_is_stated() -> None:
    np.testing.assert_allclose(kpa_of_rows(REGION, rows=3, kpa_max=None), [3 * 4.5**2, 3 * 2.25**2, 0])
    np.testing.assert_allclose(kpa_of_rows(REGION, rows=3, kpa_max=40), [40, 20, 0])
    with pytest.raises(SpecimenError, match="kpa_max"):
        kpa_of_rows(Region(kind="colour bar", box=REGION.box), rows=3, kpa_max=None)


@pytest.mark.parametrize("opacity", [1.0, 0.6])
def test_a_known_speed_is_found_under_any_grey(opacity: float) -> None:
    speeds = np.linspace(0.5, 4.0, 36).reshape(6, 6)
    grey = np.random.default_rng(0).integers(0, 200, (6, 6, 1))
    frame = np.rint(opacity * colours(speeds) + (1 - opacity) * grey).astype(np.uint8)
    found = stiffness(frame, bar=BAR, kpa=kpa_of_rows(REGION, rows=ROWS, kpa_max=None))
    np.testing.assert_allclose(np.sqrt(found / 3), speeds, atol=0.06)  # a row of the bar is 0.05 m/s


def test_grey_and_colours_that_are_not_on_the_bar_have_no_stiffness() -> None:
    frame = np.array([[[90, 90, 90], [255, 0, 255], [255, 0, 0]]], np.uint8)  # grey, magenta, the red of the end
    found = stiffness(frame, bar=BAR, kpa=np.linspace(60, 0, ROWS))
    np.testing.assert_array_equal(np.isfinite(found), [[False, False, True]])
    assert found[0, 2] == pytest.approx(60)
