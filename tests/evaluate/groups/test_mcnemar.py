import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.groups.mcnemar import mcnemar_p


def test_one_can_count() -> None:
    """Of 6 cases about which they part, one reader is right about 5: P = 2 (1 + 6) / 2^6."""
    a = [1] * 5 + [0] + [1] * 10
    b = [0] * 5 + [1] + [1] * 10
    assert mcnemar_p(a, right_b=b) == pytest.approx(14 / 64)
    assert mcnemar_p(b, right_b=a) == mcnemar_p(a, right_b=b)


def test_right_about_the_same_cases() -> None:
    assert mcnemar_p([1, 0, 1], right_b=[1, 0, 1]) == 1


def test_other_cases_are_refused() -> None:
    with pytest.raises(EvaluationError, match="2 values for 3"):
        mcnemar_p([1, 0, 1], right_b=[1, 0])
