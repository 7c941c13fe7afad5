import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate.segmentation.cases import segmentation_metrics
from hepatica.evaluate.segmentation.instances import measure_instances

TRUTH = np.array([[1, 1, 1, 1, 0, 2, 2, 0, 3, 3]])
FOUND = np.array([[5, 5, 5, 0, 0, 7, 0, 9, 0, 0]])
# 1 with 5: 3 of 4, IoU .75; 2 with 7: 1 of 2, IoU .5, no match; 3 missed; 9 false.


def test_example_counted_by_hand() -> None:
    found = measure_instances(TRUTH, predicted=FOUND)
    assert found["dice"] == pytest.approx(2 * 4 / (8 + 5))
    assert found["aji"] == pytest.approx((3 + 1) / (4 + 2 + 2 + 1))
    assert found["dq"] == pytest.approx(1 / (1 + 0.5 * 2 + 0.5 * 2))
    assert found["sq"] == pytest.approx(0.75)
    assert found["pq"] == pytest.approx(0.75 / 3)


def test_numbers_of_objects_do_not_matter_and_the_truth_is_perfect() -> None:
    renamed = np.where(TRUTH > 0, 40 - TRUTH, 0)
    assert set(measure_instances(TRUTH, predicted=renamed).values()) == {1.0}


def test_one_object_cannot_stand_for_two() -> None:
    merged = measure_instances(TRUTH, predicted=(TRUTH > 0).astype(int))
    parted = measure_instances((TRUTH > 0).astype(int), predicted=TRUTH)
    assert merged["dice"] == parted["dice"] == 1
    assert (merged["aji"], parted["aji"]) == (pytest.approx((4 + 2 + 2) / (8 * 3)), pytest.approx(4 / (8 + 2 + 2)))


@pytest.mark.parametrize(("truth", "predicted", "aji", "pq"), [(0, 0, 1, 1), (1, 0, 0, 0), (0, 1, 0, 0)])
def test_empty_maps(truth: int, predicted: int, aji: float, pq: float) -> None:
    maps = [np.full((2, 3), each) for each in (truth, predicted)]
    found = measure_instances(maps[0], predicted=maps[1])
    assert (found["aji"], found["pq"], found["dice"]) == (aji, pq, float(truth == predicted))
    assert np.isnan(found["sq"])


def test_full_map_without_background_is_an_object() -> None:
    assert measure_instances(np.full((2, 2), 4), predicted=np.full((2, 2), 9))["pq"] == 1


def test_means_have_intervals() -> None:
    table = pd.DataFrame([measure_instances(TRUTH, predicted=each) for each in (FOUND, TRUTH, FOUND)])
    found = segmentation_metrics(table)
    assert found["pq"].value == pytest.approx((0.25 + 1 + 0.25) / 3)
    assert found["aji"].low is not None
    assert found["aji"].low < found["aji"].value


def test_maps_of_unequal_shape_are_refused() -> None:
    with pytest.raises(EvaluationError, match="one shape"):
        measure_instances(TRUTH, predicted=FOUND[:, :4])
