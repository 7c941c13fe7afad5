import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.segmentation.overlap import dice, mask_pair, relative_volume_error, volume_error_ml

MASK = arrays(bool, (4, 5, 3))


def cubes(shift: int) -> tuple[np.ndarray, np.ndarray]:
    """Two cubes of 10 voxels a side, one moved along the first axis."""
    masks = np.zeros((2, 30, 12, 12), dtype=bool)
    masks[0, 5:15, 1:11, 1:11] = True
    masks[1, 5 + shift : 15 + shift, 1:11, 1:11] = True
    return masks[0], masks[1]


@pytest.mark.parametrize(("shift", "expected"), [(0, 1), (3, 0.7), (10, 0), (12, 0)])
def test_dice_of_shifted_cubes(shift: int, expected: float) -> None:
    truth, predicted = cubes(shift)
    assert dice(mask_pair(truth, predicted=predicted, spacing=(1, 1, 1))) == expected


def test_volume_counts_the_size_of_a_voxel() -> None:
    """1,000 voxels of 2 x 1 x 0.5 mm are 1 mL; half of them missing is -0.5."""
    truth, predicted = cubes(0)
    predicted[5:10] = False
    pair = mask_pair(truth, predicted=predicted, spacing=(2, 1, 0.5))
    assert volume_error_ml(pair) == pytest.approx(-0.5)
    assert relative_volume_error(pair) == -0.5


def test_empty_masks_are_defined() -> None:
    truth, _ = cubes(0)
    nothing = np.zeros_like(truth)
    neither, missed, extra = (
        mask_pair(a, predicted=b, spacing=(1, 1, 1))
        for a, b in ((nothing, nothing), (truth, nothing), (nothing, truth))
    )
    assert [dice(each) for each in (neither, missed, extra)] == [1, 0, 0]
    assert [volume_error_ml(each) for each in (neither, missed, extra)] == [0, -1, 1]
    assert relative_volume_error(missed) == -1
    assert math.isnan(relative_volume_error(neither))
    assert math.isnan(relative_volume_error(extra))


def test_masks_are_cut_to_the_box_of_both() -> None:
    truth, predicted = cubes(3)
    assert mask_pair(truth, predicted=predicted.astype(np.uint8), spacing=(1, 1, 1)).truth.shape == (13, 10, 10)


@settings(deadline=None, max_examples=25)
@given(MASK, MASK)
def test_truth_and_prediction_change_places(truth: np.ndarray, predicted: np.ndarray) -> None:
    pair, turned = (mask_pair(a, predicted=b, spacing=(1, 2, 3)) for a, b in ((truth, predicted), (predicted, truth)))
    assert dice(pair) == dice(turned)
    assert 0 <= dice(pair) <= 1
    assert dice(mask_pair(truth, predicted=truth, spacing=(1, 2, 3))) == 1
    assert volume_error_ml(pair) == -volume_error_ml(turned)


@pytest.mark.parametrize(
    ("truth", "predicted", "spacing", "complaint"),
    [
        (np.zeros((2, 2)), np.zeros((2, 3)), (1, 1), r"got shapes \(2, 2\) and \(2, 3\)"),
        (np.zeros(4), np.zeros(4), (1,), "wanted one shape of 2 or 3 axes"),
        (np.zeros((2, 2)), np.full((2, 2), 2), (1, 1), "predicted: got values other than 0 and 1"),
        (np.full((2, 2), np.nan), np.zeros((2, 2)), (1, 1), "truth: got values other than 0 and 1"),
        (np.zeros((2, 2)), np.zeros((2, 2)), (1, 1, 1), "wanted 2 numbers of mm above 0"),
        (np.zeros((2, 2)), np.zeros((2, 2)), (1, 0), "wanted 2 numbers of mm above 0"),
        (np.zeros((2, 2)), np.zeros((2, 2)), (1, math.nan), "wanted 2 numbers of mm above 0"),
    ],
)
def test_faulty_masks_are_refused(
    truth: np.ndarray, predicted: np.ndarray, spacing: tuple[float, ...], complaint: str
) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        mask_pair(truth, predicted=predicted, spacing=spacing)


def test_a_picture_has_no_volume() -> None:
    with pytest.raises(EvaluationError, match="got masks of 2 axes, wanted 3"):
        volume_error_ml(mask_pair(np.ones((2, 2)), predicted=np.ones((2, 2)), spacing=(1, 1)))
