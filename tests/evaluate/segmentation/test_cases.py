import math

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import mask_pair, measure_case, segmentation_metrics
from hepatica.evaluate.intervals import clopper_pearson
from hepatica.evaluate.mean import mean_of
from hepatica.evaluate.patients import patients_of
from hepatica.evaluate.segmentation.cases import SCALES

FULL, NOTHING = np.ones((4, 4, 4), dtype=bool), np.zeros((4, 4, 4), dtype=bool)
LEFT = np.zeros((4, 4, 4), dtype=bool)
LEFT[:2] = True


def case(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    return measure_case(mask_pair(truth, predicted=predicted, spacing=(5, 5, 5)), tolerance=2)


TABLE = pd.DataFrame([case(FULL, LEFT), case(FULL, FULL), case(FULL, NOTHING), case(NOTHING, NOTHING)])


def test_a_case_one_can_count() -> None:
    """Half of 64 voxels of 5 mm; the far face is 2 voxels off; the surfaces are 56 of 64 and all 32 voxels.

    Of the 56, 28 lie in the half not found. Of the 32, those 4 in the middle of the new face are inside the truth.
    """
    found = case(FULL, LEFT)
    assert found["dice"] == pytest.approx(2 / 3)
    assert found["volume_error_ml"] == pytest.approx(-32 * 0.125)
    assert found["relative_volume_error"] == -0.5
    assert found["hausdorff_mm"] == 10
    assert found["surface_dice"] == pytest.approx((28 + 28) / (56 + 32))
    assert list(found) == list(SCALES)


def test_a_picture_has_no_volume_but_the_rest() -> None:
    found = measure_case(mask_pair(FULL[0], predicted=LEFT[:, 0], spacing=(1, 1)), tolerance=1)
    assert math.isnan(found["volume_error_ml"])
    assert found["relative_volume_error"] == -0.5
    assert found["dice"] == pytest.approx(2 / 3)


def test_means_leave_out_cases_that_have_no_number_and_count_them() -> None:
    found = segmentation_metrics(TABLE)
    assert found["dice"].value == pytest.approx((2 / 3 + 1 + 0 + 1) / 4)
    assert (found["dice"].n, found["dice"].method) == (4, "mean, logit scale")
    assert found["hd95_mm"].value == pytest.approx(TABLE.hd95_mm[:2].mean())
    assert (found["hd95_mm"].n, found["hd95_mm"].method) == (2, "mean, log scale; 2 of 4 cases do not have it")
    assert found["relative_volume_error"].value == pytest.approx((-0.5 + 0 - 1) / 3)
    assert found["relative_volume_error"].method == "mean, linear scale; 1 of 4 cases do not have it"


def test_perfect_cases_keep_an_honest_interval() -> None:
    found = segmentation_metrics(pd.DataFrame([case(FULL, FULL)] * 6))["dice"]
    assert (found.value, found.low, found.high) == (1, *clopper_pearson(6, 6))


def test_intervals_rest_on_patients() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"dice": rng.uniform(0.5, 0.9, 12), "hd95_mm": rng.uniform(2, 9, 12)})
    alone, copied = segmentation_metrics(table), segmentation_metrics(pd.concat([table] * 3), group=[*range(12)] * 3)
    for name, each in alone.items():
        assert (copied[name].value, copied[name].low, copied[name].high) == pytest.approx(
            (each.value, each.low, each.high)
        )
        assert copied[name].n == 12
    names = np.arange(12) // 2
    paired = segmentation_metrics(table, group=names)["hd95_mm"]
    assert paired == mean_of(table.hd95_mm.to_numpy(), patients_of(names, rows=12), scale="log")


def test_a_patient_whose_cases_have_no_number_does_not_count() -> None:
    table = pd.DataFrame({"hd95_mm": [1.0, 2.0, 4.0, np.nan]})
    found = segmentation_metrics(table, group=["a", "a", "b", "c"])["hd95_mm"]
    assert found.n == 2
    assert found.method == "mean, log scale, clustered by patient; 1 of 4 cases do not have it"
    nothing = segmentation_metrics(pd.DataFrame({"hd95_mm": [np.nan, np.nan]}))["hd95_mm"]
    assert nothing.method == "not computable: none of 2 cases has it"


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (pd.DataFrame({"dice": [1.0], "jaccard": [1.0]}), "table: got jaccard, wanted cases with columns among dice"),
        (pd.DataFrame({"dice": []}), r"table: got a table of shape \(0, 1\)"),
    ],
)
def test_faulty_tables_are_refused(table: pd.DataFrame, complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        segmentation_metrics(table)
