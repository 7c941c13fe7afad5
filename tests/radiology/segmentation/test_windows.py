"""Windows: stitched they say what the whole says, in order, whatever the overlap; blank ones are read once."""

import numpy as np
import pytest
import torch

from hepatica.radiology.segmentation.windows import Sliding, slide

SHAPE = (7, 20, 18)
VALUES = np.random.default_rng(0).random(SHAPE, np.float32)


def reader(values, seen=None):
    """Slices with the ends repeated, as a store hands them out."""

    def read(first, end):
        if seen is not None:
            seen.append(end - first)
        return values[np.clip(np.arange(first, end), 0, len(values) - 1)]

    return read


def doubled(calls):
    """A network that says of each voxel its own value and its double; counts the windows it is shown."""

    def predict(windows):
        calls.append(len(windows))
        value = windows[:, windows.shape[1] // 2] if windows.dim() == 4 else windows[:, :, 0]
        return torch.stack([value, 2 * value], dim=1), windows.flatten(1).mean(1, keepdim=True)

    return predict


@pytest.mark.parametrize(
    "sliding",
    [
        Sliding(voxels=(1, 8, 8), depth=3, overlap=0.5),
        Sliding(voxels=(4, 8, 8), solid=True, overlap=0.25, weighting="gaussian", flips=True),
        Sliding(voxels=(9, 32, 32), solid=True),
    ],
)
def test_a_voxelwise_network_says_the_same_of_windows_as_of_the_whole(sliding) -> None:
    seen, calls = [], []
    found = list(slide(reader(VALUES, seen), SHAPE, doubled(calls), sliding=sliding))
    whole = np.concatenate([each.probabilities for each in found], axis=1)
    np.testing.assert_allclose(whole, np.stack([VALUES, 2 * VALUES]), rtol=1e-5)
    assert [each.first for each in found] == list(np.cumsum([0, *(each.probabilities.shape[1] for each in found)])[:-1])
    assert sum(len(each.signatures) for each in found) == SHAPE[0]
    assert max(seen) == sliding.voxels[0] + (0 if sliding.solid else sliding.depth - 1)


def test_the_mean_where_windows_overlap_by_hand() -> None:
    """Windows of 4 that begin at 0 and 2 of 6: a network that gives each window's first value."""

    def predict(windows):
        first = windows[:, :, :1, :1].expand(-1, -1, *windows.shape[2:])
        return first, windows[:, 0, 0, :1]

    row = np.arange(6, dtype=np.float32)
    values = np.broadcast_to(row, (1, 4, 6))
    sliding = Sliding(voxels=(1, 4, 4), overlap=0.5)
    (planes,) = slide(reader(values), (1, 4, 6), predict, sliding=sliding)
    np.testing.assert_allclose(planes.probabilities[0, 0, 0], [0, 0, 1, 1, 2, 2])
    np.testing.assert_allclose(planes.signatures, [[1]])


def test_windows_of_one_value_are_read_once() -> None:
    values = np.zeros((6, 32, 32), np.float32)
    values[:, :8, :8] = VALUES[:6, :8, :8]
    calls = []
    list(slide(reader(values), values.shape, doubled(calls), sliding=Sliding(voxels=(1, 8, 8), overlap=0.0)))
    assert sum(calls) == 6 + 1


def test_gaussian_weights_are_those_of_monai() -> None:
    """Its `compute_importance_map`, mode gaussian, sigma_scale 0.125, of (2, 3): exp(-0.5 ((x - c) / (n / 8))^2)."""
    weights = Sliding(voxels=(1, 2, 3), weighting="gaussian").weights()
    side, corner = np.exp(-0.5 * (0.5 / 0.25) ** 2), np.exp(-0.5 * (1 / 0.375) ** 2)
    np.testing.assert_allclose(weights[0], side * np.array([[corner, 1, corner]] * 2), rtol=1e-5)
