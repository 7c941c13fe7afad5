import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.groups.contingency import CHI_SQUARE, FISHER, compare_shares, mcnemar_p

COUNTS = st.lists(st.lists(st.integers(0, 30), min_size=2, max_size=2), min_size=2, max_size=2).filter(
    lambda rows: min(*map(sum, rows), *map(sum, zip(*rows, strict=True))) > 0
)


def test_fishers_tea() -> None:
    """Fisher 1935: 3 of 4 cups told rightly, P = 0.4857, twice the 0.2429 of R's manual (one-sided)."""
    found = compare_shares([[3, 1], [1, 3]])
    assert found.test == FISHER
    assert found.p == pytest.approx(34 / 70)
    assert found.trace == ("Smallest cell 1, fewer than 5: Fisher's exact test.",)


def test_chi_square_with_yates() -> None:
    """By hand: N (|ad - bc| - N/2)^2 / (margins) = 100 (500 - 50)^2 / (50 50 50 50) = 3.24, P = 0.0719."""
    found = compare_shares([[30, 20], [20, 30]])
    assert found.test == CHI_SQUARE
    assert found.p == pytest.approx(0.0719, abs=5e-5)
    assert found.trace == ("Smallest cell 20, 5 or more: chi-square test with Yates' correction.",)


def test_larger_tables_have_no_correction() -> None:
    """R's manual of chisq.test: 762 327 468 and 484 239 477, X-squared = 30.07, df = 2, P = 2.954e-07."""
    found = compare_shares([[762, 327, 468], [484, 239, 477]])
    assert found.p == pytest.approx(2.954e-07, rel=1e-3)
    assert "without correction" in found.trace[0]


def test_larger_tables_with_a_small_cell() -> None:
    """Job satisfaction (Agresti 2002, p. 57; R's manual of fisher.test): P = 0.7827, here over random tables."""
    job = np.array([[1, 2, 1, 0], [3, 3, 6, 1], [10, 10, 14, 9], [6, 7, 12, 11]])
    found = compare_shares(job)
    assert found.test == FISHER
    assert found.p == pytest.approx(0.7827, abs=0.015)
    assert "9999 random tables" in found.trace[0]
    assert compare_shares(job).p == found.p


def test_five_is_enough_and_four_is_not() -> None:
    assert compare_shares([[5, 9], [9, 9]]).test == CHI_SQUARE
    assert compare_shares([[4, 9], [9, 9]]).test == FISHER


@settings(deadline=None, max_examples=60)
@given(counts=COUNTS)
def test_names_of_rows_and_columns_do_not_matter(counts: list[list[int]]) -> None:
    table = np.array(counts)
    p = compare_shares(table).p
    assert 0 <= p <= 1 + 1e-12
    for same in (table.T, table[::-1], table[:, ::-1], np.vstack([table, [[0, 0]]])):
        assert compare_shares(same).p == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ([[3, 4]], "one row or in one column"),
        ([[3, 0], [4, 0]], "one row or in one column"),
        ([3, 4], "wanted rows and columns"),
        ([[1, -2], [3, 4]], "whole numbers"),
        ([[1, 2.5], [3, 4]], "whole numbers"),
    ],
)
def test_what_is_no_table_of_patients_is_refused(table: list[list[float]], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        compare_shares(table)


def test_a_tiny_table_of_many_rows_gives_a_number() -> None:
    assert compare_shares([[0, 1], [1, 1], [0, 1], [1, 0]]).p == 1.0


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
