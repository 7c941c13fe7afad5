import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from hepatica.evaluate.segmentation.overlap import (
    SurfaceDistances,
    hausdorff,
    mask_pair,
    surface_dice,
    surface_distances,
)

MASK = arrays(bool, (5, 4, 4))
SPACING = st.tuples(*[st.sampled_from([0.5, 1.0, 2.5])] * 3)


def between(truth: np.ndarray, predicted: np.ndarray, *, spacing: tuple[float, ...]) -> SurfaceDistances:
    return surface_distances(mask_pair(truth, predicted=predicted, spacing=spacing))


def surface_points(mask: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Voxels that have a face on the background, neighbour by neighbour: the independent witness."""
    padded = np.pad(mask, 1)
    inner = np.all([np.roll(padded, step, axis) for axis in range(mask.ndim) for step in (-1, 1)], axis=0)
    return (np.argwhere(padded & ~inner) - 1) * np.array(spacing)


def ball(radius: float, *, spacing: tuple[float, ...] = (1, 1, 1), shift: float = 0) -> np.ndarray:
    axes = np.meshgrid(*[np.arange(-20, 20 + step / 2, step) for step in spacing], indexing="ij")
    return (axes[0] - shift) ** 2 + axes[1] ** 2 + axes[2] ** 2 <= radius**2


@pytest.mark.parametrize("step", [0.8, 1, 3])
def test_shifted_cubes_are_as_far_apart_as_they_were_shifted(step: float) -> None:
    truth = np.zeros((20, 12, 12), dtype=bool)
    truth[2:12, 1:11, 1:11] = True
    found = between(truth, np.roll(truth, 3, axis=0), spacing=(step, 1, 1))
    assert hausdorff(found) == pytest.approx(3 * step)
    assert surface_dice(found, tolerance=3 * step + 1e-9) == 1


def test_squares_one_can_count() -> None:
    """3 x 3 shifted by 1: of 8 voxels on either edge 4 lie on the other edge and 4 at distance 1."""
    truth, predicted = np.zeros((2, 3, 4), dtype=bool)
    truth[:, :3] = predicted[:, 1:] = True
    found = between(truth, predicted, spacing=(1, 1))
    assert sorted(found.from_truth.tolist()) == sorted(found.from_predicted.tolist()) == [0] * 4 + [1] * 4
    assert (surface_dice(found, tolerance=0), surface_dice(found, tolerance=1)) == (0.5, 1)
    assert (hausdorff(found, percentile=50), hausdorff(found)) == (0.5, 1)


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.5, 1, 2)])
def test_balls_within_balls_are_apart_by_the_difference_of_radii(spacing: tuple[float, ...]) -> None:
    found = between(ball(15, spacing=spacing), ball(11, spacing=spacing), spacing=spacing)
    assert hausdorff(found, percentile=95) == pytest.approx(4, abs=max(spacing))
    assert np.median(found.from_truth) == pytest.approx(4, abs=max(spacing) / 2)
    assert surface_dice(found, tolerance=4 + np.linalg.norm(spacing)) == 1
    assert surface_dice(found, tolerance=4 - np.linalg.norm(spacing)) == 0


def test_shifted_balls_are_as_far_apart_as_they_were_shifted() -> None:
    assert hausdorff(between(ball(10), ball(10, shift=5), spacing=(1, 1, 1))) == 5


@settings(deadline=None, max_examples=40)
@given(MASK.filter(np.any), MASK.filter(np.any), SPACING)
def test_distances_agree_with_every_pair_of_surface_voxels(
    truth: np.ndarray, predicted: np.ndarray, spacing: tuple[float, ...]
) -> None:
    found = between(truth, predicted, spacing=spacing)
    apart = cdist(surface_points(truth, spacing), surface_points(predicted, spacing))
    there, back = apart.min(axis=1), apart.min(axis=0)
    assert np.sort(found.from_truth) == pytest.approx(np.sort(there))
    assert hausdorff(found) == pytest.approx(max(there.max(), back.max()))
    assert hausdorff(found, percentile=95) == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    within = (there <= 1.1).sum() + (back <= 1.1).sum()
    assert surface_dice(found, tolerance=1.1) == pytest.approx(within / (there.size + back.size))


@settings(deadline=None, max_examples=25)
@given(MASK.filter(np.any), MASK.filter(np.any))
def test_neither_their_order_nor_room_around_them_matters(truth: np.ndarray, predicted: np.ndarray) -> None:
    found, turned = between(truth, predicted, spacing=(1, 2, 3)), between(predicted, truth, spacing=(1, 2, 3))
    roomy = between(np.pad(truth, 3), np.pad(predicted, 3), spacing=(1, 2, 3))
    for percentile in (95, 100):
        values = {round(hausdorff(each, percentile=percentile), 9) for each in (found, turned, roomy)}
        assert len(values) == 1
    itself = between(truth, truth, spacing=(1, 2, 3))
    assert (hausdorff(itself), surface_dice(itself, tolerance=0)) == (0, 1)


def test_empty_masks_are_defined() -> None:
    full, nothing = np.ones((3, 3, 3), dtype=bool), np.zeros((3, 3, 3), dtype=bool)
    neither, missed, extra = (
        between(a, b, spacing=(1, 1, 1)) for a, b in ((nothing, nothing), (full, nothing), (nothing, full))
    )
    assert [surface_dice(each, tolerance=99) for each in (neither, missed, extra)] == [1, 0, 0]
    assert all(math.isnan(hausdorff(each, percentile=95)) for each in (neither, missed, extra))
    assert missed.from_truth.tolist() == [math.inf] * 26  # the voxel in the middle has no face on the edge
