from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.groups import two_groups
from hepatica.evaluate.groups.two_groups import RANK_SUM, T_TEST, compare_groups

# Extra hours of sleep under two drugs (R's `sleep`), and what R's manual prints of t.test(..., var.equal = TRUE).
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)

# Ozone in May and in August (R's `airquality`); R's manual prints W = 127.5, P = 0.0001208 of wilcox.test.
OZONE = (
    [41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32, 23, 45, 115, 37],
    [39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45, 168, 73, 76, 118, 84, 85],
)

GROUP = st.lists(st.integers(-20, 20).map(float), min_size=3, max_size=25)


def test_normal_groups_have_a_t_test() -> None:
    found = compare_groups(SLEEP[0], second=SLEEP[1])
    assert found.test == T_TEST
    assert found.p == pytest.approx(0.07919, abs=5e-6)
    assert (found.difference.low, found.difference.high) == pytest.approx((-3.363874, 0.203874), abs=1e-6)
    assert found.means == pytest.approx((0.75, 2.33))
    assert found.medians == pytest.approx((0.35, 1.75))
    assert found.n == (10, 10)
    assert found.difference.value == pytest.approx(-1.58)


def test_other_groups_have_a_rank_sum_test() -> None:
    found = compare_groups(OZONE[0], second=OZONE[1])
    assert found.test == RANK_SUM
    assert found.p == pytest.approx(0.0001208, abs=5e-8)
    # R's conf.int = TRUE: -31.99996 (-52.99996 to -14.99998); ours leaves out fewer pairs, never more.
    told = (found.difference.value, found.difference.low, found.difference.high)
    assert told == pytest.approx((-32, -53, -14), abs=0.01)


def test_the_trace_tells_each_step() -> None:
    first, second, chosen = compare_groups(OZONE[0], second=OZONE[1]).trace
    # R: shapiro.test of May, W = 0.71273, P = 8.294e-06.
    assert first == "First group, 26 patients: Shapiro-Wilk P = 8.3e-06, not normal."
    assert "not unlike normal" in second
    assert chosen == "A group departs from normal at 5%: Wilcoxon rank-sum test."
    assert "equal variances" in compare_groups(SLEEP[0], second=SLEEP[1]).trace[-1]


def test_one_group_of_one_value_is_compared_by_ranks() -> None:
    found = compare_groups([1.0, 1, 1, 1], second=[2.0, 3, 4, 6])
    assert found.test == RANK_SUM
    assert "all values are the same" in found.trace[0]


def test_limits_are_at_least_as_wide_as_the_exact_ones() -> None:
    """By counting out all 3,003 ways to deal ranks to 10 and 5 patients: the exact limits leave out 8 pairs a side."""
    ranks = np.array(list(combinations(range(15), 5))).sum(axis=1) - 10
    exact = next(w for w in range(51) if (ranks <= w).mean() >= 0.025)
    first = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 9.0])
    second = np.array([1.15, 0.88, 0.90, 0.74, 1.21])
    apart = np.sort(np.subtract.outer(first, second), axis=None)
    found = compare_groups(first, second=second)
    assert exact == 9
    assert found.difference.low == apart[exact - 2]
    assert found.difference.high == apart[-(exact - 1)]


@settings(deadline=None, max_examples=60)
@given(first=GROUP, second=GROUP)
def test_groups_may_be_swapped_and_moved(first: list[float], second: list[float]) -> None:
    if len(set(first + second)) == 1:
        return
    one, other = compare_groups(first, second=second), compare_groups(second, second=first)
    assert one.p == pytest.approx(other.p, abs=1e-9)
    assert one.difference.value == pytest.approx(-other.difference.value, abs=1e-9)
    assert one.difference.low == pytest.approx(-(other.difference.high or 0), abs=1e-9)
    moved = compare_groups([each + 64 for each in first], second=[each + 64 for each in second])
    assert moved.difference.value == pytest.approx(one.difference.value, abs=1e-9)
    assert (one.difference.low or 0) <= one.difference.value <= (one.difference.high or 0)


def test_large_cohorts_warn_of_nothing() -> None:
    values = np.random.default_rng(0).normal(size=5200)
    assert compare_groups(values, second=values[:50] + 1).p < 0.001


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [
        ([1, 2], [1, 2, 3], "got 2 patients in one"),
        ([4, 4, 4], [4, 4, 4], "all 6 values are 4"),
        ([1, 2, np.nan], [1, 2, 3], "first group: got 1 of 3 missing"),
        ([1, 2, 3], ["a", "b", "c"], "second group: got values that are not numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(first: list[float], second: list[float], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        compare_groups(first, second=second)


def test_many_pairs_give_the_differences_of_few(monkeypatch):
    generator = np.random.default_rng(0)
    first, second = generator.gamma(2, size=90), generator.gamma(3, size=71)
    sorted_out = compare_groups(first, second=second).difference
    monkeypatch.setattr(two_groups, "MOST_PAIRS", 0)
    halved = compare_groups(first, second=second).difference
    assert (halved.value, halved.low, halved.high) == pytest.approx((sorted_out.value, sorted_out.low, sorted_out.high))
