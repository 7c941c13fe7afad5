"""Ablation: the margin that is planted is found where the true displacement is undone, and landmarks follow it."""

import numpy as np
import pytest
from scipy import ndimage

from hepatica.radiology.ablation.margin import margin_of
from hepatica.radiology.phantom import PhantomSettings
from hepatica.radiology.phantom.ablation import ZONE, _zone, ablate
from hepatica.radiology.phantom.lesions import FIRST_LABEL
from hepatica.radiology.phantom.shapes import ellipsoid, grid_of

GRID = grid_of(PhantomSettings(matrix=64, slices=48, thickness_mm=3.0, field_of_view_mm=200))


@pytest.fixture(scope="module")
def body():
    mask = np.zeros(GRID.shape, np.uint8)
    mask[ellipsoid(GRID, centre=(-30, 0, 0), radii=(70, 60, 60)) > 0] = 1
    mask[ellipsoid(GRID, centre=(-30, 0, 0), radii=(12, 10, 11)) > 0] = FIRST_LABEL
    return np.where(mask > 0, np.float32(110), np.float32(-100))[None].repeat(4, 0), mask


@pytest.mark.parametrize("margin_mm", [0.5, 4.0, 9.0])
def test_the_zone_reaches_as_far_as_planted(body, margin_mm) -> None:
    _, mask = body
    where, share = _zone(np.random.default_rng(1), mask == FIRST_LABEL, GRID, margin_mm=margin_mm)
    zone = np.zeros(GRID.shape, np.float32)
    zone[where] = share
    found = margin_of((mask == FIRST_LABEL).astype(np.float32), zone, spacing=GRID.geometry.spacing)
    assert found.least == pytest.approx(margin_mm, abs=0.5)
    assert found.mm.max() > margin_mm + 1


def test_the_scan_after_is_displaced_and_landmarks_say_how(body) -> None:
    pictures, mask = body
    after, found, landmarks = ablate(np.random.default_rng(2), pictures, mask, GRID, margin_mm=4.0)
    assert after.shape == pictures.shape
    assert after[1][found == ZONE].mean() < 90  # takes up nothing
    assert len(landmarks) >= 3
    shift = landmarks[:, 3:] - landmarks[:, :3]
    centres = [np.array(ndimage.center_of_mass(each)) * GRID.geometry.spacing for each in (mask > 0, found > 0)]
    np.testing.assert_allclose(shift.mean(axis=0), (centres[1] - centres[0])[::-1], atol=3)
