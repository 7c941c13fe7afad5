"""Contingency: whether shares differ between groups of patients, or between two readers of the same cases (McNemar)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Floats, zero_or_one

FEWEST = 5
"""Patients that every cell must hold for the chi-square test."""

SEED = 0
"""Of the tables drawn where there are too many to count out."""

CHI_SQUARE, FISHER = "chi-square test", "Fisher's exact test"


@dataclass(frozen=True, kw_only=True)
class Contingency:
    """P value of no association in a table of counts, the test that gave it, and in sentences how it was chosen."""

    p: float
    test: str
    trace: tuple[str, ...]


def compare_shares(table: ArrayLike) -> Contingency:
    """Chi-square test where every cell of the (rows, columns) table of patients holds 5 or more, else Fisher's exact.

    The rule of Table 4 of Li 2025 (doi 10.1186/s12916-025-03977-4), which says "exceeded five". Its printed P values
    come out with *observed* counts (not expected ones, the usual rule), with 5 itself *enough*, and with Yates'
    correction, which is applied to 2 x 2 tables only. See tests/evaluate/test_published.py.

    Larger tables with a small cell (ours; the paper has none): Fisher's test over 9,999 seeded random tables with the
    same margins. Rows and columns without patients are left out. Raises EvaluationError when fewer than two of either
    are left, or on counts that are no whole numbers of 0 or more.
    """
    counts = _checked(table)
    smallest, small_table = int(counts.min()), counts.shape == (2, 2)
    if smallest >= FEWEST:
        p = float(stats.chi2_contingency(counts, correction=small_table).pvalue)
        how = "with Yates' correction" if small_table else "without correction"
        return Contingency(
            p=p, test=CHI_SQUARE, trace=(f"Smallest cell {smallest}, {FEWEST} or more: {CHI_SQUARE} {how}.",)
        )
    if small_table:
        p, how = float(stats.fisher_exact(counts).pvalue), ""
    else:
        drawn = stats.MonteCarloMethod(rng=np.random.default_rng(SEED))
        found = stats.fisher_exact(counts, method=drawn).pvalue
        p, how = (
            np.asarray(found).item(),
            f" over {drawn.n_resamples} random tables",
        )  # some tables give an array of one
    return Contingency(p=p, test=FISHER, trace=(f"Smallest cell {smallest}, fewer than {FEWEST}: {FISHER}{how}.",))


def _checked(table: ArrayLike) -> Floats:
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or not counts.size:
        raise EvaluationError(f"contingency: got an array of shape {counts.shape}, wanted rows and columns of counts")
    if not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.round(counts)).any():
        raise EvaluationError("contingency: wanted counts of patients, whole numbers of 0 or more")
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    if min(counts.shape) < 2:
        raise EvaluationError("contingency: all patients are in one row or in one column; there is nothing to compare")
    return counts


def mcnemar_p(right_a: ArrayLike, *, right_b: ArrayLike) -> float:
    """Exact two-sided P of McNemar's test (doi 10.1007/BF02295996); 1 where the two are right about the same cases.

    `right_a` and `right_b` (n,) are 1 where the one and the other called the case rightly. Raises EvaluationError on
    values other than 0 and 1, no cases, or arrays of two lengths.
    """
    a = zero_or_one(right_a, name="right_a")
    b = zero_or_one(right_b, name="right_b", like=a.size)
    only_a, only_b = np.count_nonzero(a & ~b), np.count_nonzero(b & ~a)
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
