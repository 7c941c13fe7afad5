"""McNemar: whether one reader is right more often than another about the same cases."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hepatica.evaluate.inputs import zero_or_one


def mcnemar_p(right_a: ArrayLike, *, right_b: ArrayLike) -> float:
    """Exact two-sided P of McNemar's test (doi 10.1007/BF02295996); 1 where the two are right about the same cases.

    `right_a` and `right_b` (n,) are 1 where the one and the other called the case rightly. Raises EvaluationError on
    values other than 0 and 1, no cases, or arrays of two lengths.
    """
    a = zero_or_one(right_a, name="right_a")
    b = zero_or_one(right_b, name="right_b", like=a.size)
    only_a, only_b = np.count_nonzero(a & ~b), np.count_nonzero(b & ~a)
    return float(stats.binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
