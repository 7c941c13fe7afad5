import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.intervals import clopper_pearson
from hepatica.evaluate.segmentation.lesions import Detections, detections, froc

#   lesions:  two voxels, two voxels, one voxel
TRUTH = np.array([[1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0]], dtype=bool)
#   regions:  covers all of the first; half of the second; none of the third; one by itself
FOUND = np.array([[1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0]], dtype=bool)
SCORE = np.array([[0.2, 0.9, 0, 0, 0, 0.4, 0.6, 0, 0.99, 0, 0.5, 0]])

SCANS = [
    Detections(lesions=np.array([0.9, 0.6, -np.inf]), false_positives=np.array([0.5])),
    Detections(lesions=np.array([0.7]), false_positives=np.array([0.8, 0.2])),
    Detections(lesions=np.array([]), false_positives=np.array([])),
]
LISTS = st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.8]), max_size=4).map(np.array)


def scan(lesions: np.ndarray, false_positives: np.ndarray) -> Detections:
    return Detections(lesions=lesions, false_positives=false_positives)


def test_hits_and_false_positives_one_can_count() -> None:
    found = detections(TRUTH, predicted=FOUND, score=SCORE)
    assert found.lesions.tolist() == [0.9, 0.6, -np.inf]
    assert found.false_positives.tolist() == [0.5]


def test_a_hit_must_cover_the_share_asked_for_and_is_no_false_positive_if_it_does_not() -> None:
    found = detections(TRUTH, predicted=FOUND, overlap=0.75)
    assert found.lesions.tolist() == [1, -np.inf, -np.inf]
    assert found.false_positives.tolist() == [1]


def test_voxels_that_touch_by_a_corner_are_one_lesion_in_three_axes() -> None:
    truth = np.zeros((2, 2, 3), dtype=bool)
    truth[0, 0, 0] = truth[1, 1, 1] = True
    assert detections(truth, predicted=truth).lesions.size == 1
    truth[1, 1, 1], truth[1, 1, 2] = False, True
    assert detections(truth, predicted=truth).lesions.size == 2


def test_one_region_may_hit_two_lesions_and_two_regions_one_lesion() -> None:
    wide = detections(TRUTH, predicted=np.ones_like(TRUTH), score=SCORE)
    assert (wide.lesions.tolist(), wide.false_positives.size) == ([0.99] * 3, 0)
    parts = detections(np.ones_like(TRUTH), predicted=FOUND, score=SCORE)
    assert (parts.lesions.tolist(), parts.false_positives.size) == ([0.9], 0)


@settings(deadline=None, max_examples=25)
@given(arrays(bool, (4, 4, 3)), arrays(bool, (4, 4, 3)))
def test_a_mask_hits_all_its_own_lesions_and_nothing_hits_an_empty_one(truth: np.ndarray, found: np.ndarray) -> None:
    itself = detections(truth, predicted=truth, overlap=1)
    assert set(itself.lesions.tolist()) <= {1.0}
    assert itself.false_positives.size == 0
    assert set(detections(truth, predicted=np.zeros_like(truth)).lesions.tolist()) <= {-np.inf}
    regions = detections(found, predicted=found).lesions.size
    assert detections(np.zeros_like(truth), predicted=found).false_positives.size == regions


def test_points_of_froc_one_can_count() -> None:
    """4 lesions, 3 scans; scores 0.9 hit, 0.8 false, 0.7 hit, 0.6 hit, 0.5 false, 0.2 false."""
    points = froc(SCANS)
    assert [each.threshold for each in points] == [0.9, 0.8, 0.7, 0.6, 0.5, 0.2]
    assert [each.sensitivity.value for each in points] == [0.25, 0.25, 0.5, 0.75, 0.75, 0.75]
    assert [each.false_positives.value for each in points] == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 2 / 3, 1])
    assert (points[0].sensitivity.n, points[0].false_positives.n) == (2, 3)  # patients with a lesion; all patients
    assert points[0].sensitivity.method == "Clopper-Pearson clustered by patient (Korn-Graubard)"


def test_one_lesion_a_patient_has_clopper_and_pearsons_limits() -> None:
    scans = [scan(np.array([score]), np.array([])) for score in (0.9, 0.8, 0.3, 0.2, 0.1)]
    (point,) = froc(scans, thresholds=[0.5])
    assert (point.sensitivity.low, point.sensitivity.high) == pytest.approx(clopper_pearson(2, 5), abs=0.05)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.builds(scan, LISTS, LISTS), min_size=2, max_size=5))
def test_both_rise_as_the_threshold_falls_whatever_the_order_of_scans(scans: list[Detections]) -> None:
    points, turned = froc(scans), froc(scans[::-1])
    for name in ("sensitivity", "false_positives"):
        values = [getattr(each, name).value for each in points]
        assert values == sorted(values) or np.isnan(values).all()
        assert [getattr(each, name).value for each in turned] == pytest.approx(values, nan_ok=True)
        lows = [getattr(each, name).low for each in points]
        assert [getattr(each, name).low for each in turned] == pytest.approx(lows)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.builds(scan, LISTS.map(lambda scores: scores[:1]), LISTS), min_size=2, max_size=6))
def test_copied_scans_of_a_patient_add_no_knowledge(scans: list[Detections]) -> None:
    points = froc(scans)
    copied = froc([*scans, *scans], group=[*range(len(scans))] * 2)
    for one, other in zip(points, copied, strict=True):
        assert other.false_positives.value == pytest.approx(one.false_positives.value)
        assert other.false_positives.low == pytest.approx(one.false_positives.low)
        assert other.sensitivity.value == pytest.approx(one.sensitivity.value, nan_ok=True)
        assert other.sensitivity.n == one.sensitivity.n
        if one.sensitivity.low is not None:
            assert other.sensitivity.low is not None
            assert other.sensitivity.low < one.sensitivity.low + 0.02  # as in test_confusion: up to n against n - 1


def test_scans_without_lesions_have_no_sensitivity() -> None:
    (point,) = froc([scan(np.array([]), np.array([0.5]))])
    assert point.sensitivity.method == "not computable: no scan has a lesion"
    assert point.false_positives.value == 1


def test_faulty_input_is_refused() -> None:
    with pytest.raises(EvaluationError, match="FROC: got no scans"):
        froc([])
    with pytest.raises(EvaluationError, match=r"got shapes \(1, 12\), \(1, 12\), \(12,\), wanted one shape"):
        detections(TRUTH, predicted=FOUND, score=SCORE[0])
    with pytest.raises(EvaluationError, match="predicted: got values other than 0 and 1"):
        detections(TRUTH, predicted=2 * FOUND)
    with pytest.raises(EvaluationError, match="score: some voxels of the predicted mask have none"):
        detections(TRUTH, predicted=FOUND, score=np.where(FOUND, np.nan, SCORE))
