"""Paired errors: ratios, exact P values, and what the number of pairs and of targets does to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from hepatica.cohort import EvaluationError
from hepatica.evaluate.groups.paired_errors import compare_errors, holm, in_sets

TARGETS = [f"T{k}" for k in range(20)]
SMALL = np.random.default_rng(1).standard_normal((200, 20))


def test_half_the_error_is_a_ratio_of_a_half() -> None:
    found = compare_errors(0.5 * SMALL, second=-SMALL, targets=TARGETS)
    assert [each.target for each in found] == TARGETS
    assert all(each.ratio.value == pytest.approx(0.5) for each in found)
    assert all(each.p_holm < 1e-10 for each in found)


def test_methods_alike_differ_by_chance() -> None:
    other = np.random.default_rng(2).standard_normal((200, 20))
    found = compare_errors(SMALL, second=other, targets=TARGETS)
    assert min(each.p_holm for each in found) > 0.05
    assert np.mean([each.ratio.low < 1 < each.ratio.high for each in found]) >= 0.85
    assert {each.p for each in compare_errors(SMALL, second=SMALL, targets=TARGETS)} == {1.0}


@pytest.mark.parametrize(("pairs", "p"), [(9, 2 / 512), (10, 2 / 1024)])
def test_smallest_p_is_that_of_so_many_pairs(pairs: int, p: float) -> None:
    """Two-sided exact signed-rank test: the paper's .004 is 2/512, of nine pairs, or 4/1024 of ten."""
    second = np.arange(1.0, pairs + 1)[:, None]
    found = compare_errors(0.5 * second, second=second, targets=["Cho"])
    assert found[0].p == pytest.approx(p)


def test_holm_multiplies_the_smallest_p_by_the_number_of_targets() -> None:
    second = np.repeat(np.arange(1.0, 11)[:, None], 20, axis=1)
    first = second.copy()
    first[:, 0] *= 0.5
    found = compare_errors(first, second=second, targets=TARGETS)
    assert found[0].p_holm == pytest.approx(20 * 2 / 1024)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(deadline=None, max_examples=12)
def test_holm_is_that_of_statsmodels(p: list[float]) -> None:
    np.testing.assert_allclose(holm(np.array(p)), multipletests(p, method="holm")[1], rtol=1e-12)


def test_sets_hold_mean_sizes() -> None:
    found = in_sets([[1], [-3], [2], [4], [9]], sets=2)
    assert found.tolist() == [[2], [3]]
    with pytest.raises(EvaluationError, match="1 spectra for 2 sets"):
        in_sets([[1]], sets=2)


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (SMALL[:5], "got 5 spectra, wanted 6"),
        (SMALL[:, :3], "wanted a column for 20 targets"),
        (SMALL[:100], "got 100 and 200 spectra"),
        (np.where(SMALL > 3, np.nan, np.inf), "not numbers"),
    ],
)
def test_errors_that_do_not_pair_are_refused(first: np.ndarray, told: str) -> None:
    with pytest.raises(EvaluationError, match=told):
        compare_errors(first, second=SMALL, targets=TARGETS)
