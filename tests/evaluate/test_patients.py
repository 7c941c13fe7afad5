import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.patients import patients_of


def test_every_row_is_a_patient_without_a_group() -> None:
    found = patients_of(None, rows=3)
    assert found.count == 3
    assert found.sums(np.array([True, False, True])).tolist() == [1, 0, 1]
    assert found.having(np.array([True, False, True])) == 2


def test_rows_of_one_patient_are_summed_and_counted_once() -> None:
    found = patients_of(["b", "a", "b"], rows=3)
    assert found.count == 2
    assert found.sums(np.array([1.0, 2.0, 3.0])).tolist() == [4.0, 2.0]
    assert found.having(np.array([True, False, True])) == 1


@pytest.mark.parametrize(
    ("group", "complaint"), [(["a", None, "b"], "got 1 of 3 missing"), (["a"], r"shape \(1,\), wanted 3 names")]
)
def test_missing_names_are_refused(group: list[object], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        patients_of(group, rows=3)
