import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import both_classes, follow_up, numbers, risk_of_survival


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ([0.1, np.nan, np.inf], "score: got 2 of 3 missing or infinite"),
        (["a", 1.0], "score: got values that are not numbers"),
        ([[0.1], [0.2]], r"score: got an array of shape \(2, 1\)"),
        ([], "score: got no patients"),
        ([0.1, 0.2], "score: got 2 values for 3 patients"),
    ],
)
def test_numbers_refuses(values: list[object], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        numbers(values, name="score", like=3)


@pytest.mark.parametrize(
    ("label", "complaint"),
    [([0, 1, 2], "got 2, wanted 0 or 1"), ([1, 1], "all 2 are 1"), ([0, 0, 0], "all 3 are 0")],
)
def test_both_classes_refuses(label: list[int], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        both_classes(label)


def test_labels_may_be_booleans() -> None:
    assert both_classes([True, False]).tolist() == [True, False]


@pytest.mark.parametrize(
    ("time", "event", "complaint"),
    [
        ([1.0, -2.0], [0, 1], "time: got -2, wanted 0 or more"),
        ([1.0, 2.0], [0, 2], "event: got 2, wanted 0 or 1"),
        ([1.0, 2.0], [1], "event: got 1 values for 2 patients"),
    ],
)
def test_follow_up_refuses(time: list[float], event: list[int], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        follow_up(time, event=event)


def test_risk_of_survival_turns_the_sign() -> None:
    assert risk_of_survival([10.0, 2.0]).tolist() == [-10.0, -2.0]
