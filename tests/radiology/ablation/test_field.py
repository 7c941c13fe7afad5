"""Field: a displacement that is planted is found, whatever tumour, zone and the ends of the scans look like."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import ndimage

from hepatica.radiology.ablation.field import apart, margins_of, used

SPACING = torch.tensor([4.0, 4.0, 4.0])
SHIFT = np.array([3.0, -2.0, 4.0], np.float32)  # mm along z, y and x
SHAPE = (20, 20, 20)
MIDDLE = (10, 10, 10)


def away(*middle: float) -> np.ndarray:
    return np.linalg.norm(np.indices(SHAPE) - np.reshape(middle, (3, 1, 1, 1)), axis=0)


@pytest.fixture(scope="module")
def pair() -> np.ndarray:
    """Texture that is displaced; before, a bright tumour; after, a dark zone, and nothing in the lowest slices."""
    rng = np.random.default_rng(0)
    wide = ndimage.gaussian_filter(rng.normal(size=(24, 24, 24)), 1.5)
    wide = np.clip(0.5 + wide / wide.std() / 8, 0, 1)
    texture = wide[2:22, 2:22, 2:22]
    after = ndimage.map_coordinates(wide, np.indices(SHAPE) + 2 - SHIFT[:, None, None, None] / 4, order=3)
    tumour, zone = np.clip(2.5 - away(*MIDDLE), 0, 1), np.clip(5.5 - away(11, 11, 8), 0, 1)
    before = texture + tumour * (1 - texture)
    after *= 1 - zone
    before[:2] = after[:2] = -1
    after[2:4] = -1
    return np.stack([before, after, tumour, zone], axis=-1).astype(np.float32)


def test_a_displacement_is_found_beside_what_treatment_did_unless_the_network_does_not_ask(pair) -> None:
    found = np.zeros((1, 3, *SHAPE), np.float32)
    assert used(SimpleNamespace(refined=False), pair[None], found) is found
    field = used(SimpleNamespace(refined=True, spacing=SPACING), pair[None], found)
    assert field.shape == found.shape
    np.testing.assert_allclose(
        field[0][:, away(*MIDDLE) < 6].mean(axis=1), SHIFT, atol=0.7
    )  # in and about the zone, where nothing is compared


def test_landmarks_that_there_are_not_do_not_count() -> None:
    fields = np.zeros((2, 3, *SHAPE), np.float32)
    fields[1, 0] = 3
    marks = np.zeros((2, 4, 7), np.float32)
    marks[0, 0] = marks[1, 2] = [20, 20, 20, 20, 24, 20, 1]
    assert apart(fields, marks, spacing=SPACING).tolist() == [4, 5]
    assert not len(apart(fields, 0 * marks, spacing=SPACING))


def test_zones_are_brought_onto_the_scan_before(pair) -> None:
    zone, tumour = np.clip(7.5 - away(10, 10, 11), 0, 1), np.clip(2.5 - away(*MIDDLE), 0, 1)
    both = np.stack([zone, zone, tumour, zone], axis=-1).astype(np.float32)[None].repeat(2, 0)
    fields = np.zeros((2, 3, *SHAPE), np.float32)
    fields[1, 2] = 4  # the zone was a voxel further along x
    aside, centred = margins_of(both, fields, spacing=SPACING)
    assert (aside.least, centred.least) == pytest.approx((4 * (7 - 2 - 1), 4 * (7 - 2)), abs=0.6)
