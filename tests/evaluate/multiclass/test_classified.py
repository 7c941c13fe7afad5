import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.multiclass.metrics import classified

STAGES = ["A", "B", "C"]
SCORE = [[0.7, 0.2, 0.1], [0.4, 0.4, 0.2], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]


def test_rows_are_counted_by_class_and_by_highest_score() -> None:
    """Of equal scores the first class is called, in row 2."""
    rows = classified(["A", "B", "B", "B", "C"], score=SCORE, classes=STAGES)
    assert rows.called.tolist() == [0, 0, 2, 1, 2]
    assert rows.matrix.to_numpy().tolist() == [[1, 0, 0], [1, 1, 1], [0, 0, 1]]
    assert rows.matrix.loc["B", "C"] == 1
    middle = rows.one_v_rest(1)
    assert (middle.tp, middle.fp, middle.fn, middle.tn) == (1, 0, 2, 2)


def test_labels_may_be_numbers() -> None:
    assert classified([2, 3], score=[[0, 1], [1, 0]], classes=[2, 3]).of.tolist() == [0, 1]  # type: ignore[list-item]


def test_the_rarest_class_is_counted_in_patients() -> None:
    rows = classified(["A", "A", "B", "B", "B"], score=SCORE, classes=STAGES, group=[1, 2, 3, 3, 3])
    assert (rows.present, rows.rarest) == ([0, 1], 1)
    assert rows.over_present == ", over A, B; no row is of any other class"


@pytest.mark.parametrize(
    ("label", "score", "classes", "complaint"),
    [
        (["A"] * 4 + ["D"], SCORE, STAGES, "label: got .*D.*, wanted one of A, B, C"),
        (["A"] * 4 + [None], SCORE, STAGES, "label: got None, wanted one of A, B, C"),
        (["A"] * 5, SCORE, ["A", "A", "B"], r"classes: got \['A', 'A', 'B'\], wanted two or more different names"),
        (["A"] * 5, SCORE, ["A"], "wanted two or more"),
        (["A"] * 5, SCORE, ["A", "B"], r"score: got an array of shape \(5, 3\), wanted \(5, 2\)"),
        ([], [], STAGES, r"wanted \(0, 3\)"),
        (["A", "B"], [[0, 1], [np.nan, 1]], ["A", "B"], "score: got 1 of 2 missing or infinite"),
        (["A", "B"], [["high", "low"], ["low", "high"]], ["A", "B"], "score: got values that are not numbers"),
    ],
)
def test_faulty_input_is_refused(
    label: list[str], score: list[list[float]], classes: list[str], complaint: str
) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        classified(label, score=score, classes=classes)
