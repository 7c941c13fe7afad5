"""Correlation: how closely two measurements of the same patients go together on a straight line."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import numbers

FEWEST = 4
"""Patients below which Fisher's z has no variance."""


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """Pearson's r with its interval, and the P value of the t-test that it is 0."""

    r: Estimate
    p: float


def pearson(x: ArrayLike, *, y: ArrayLike) -> Correlation:
    """Pearson's r of (n,) `x` and (n,) `y`; 95 % interval by Fisher's z, P by t with n - 2 degrees of freedom.

    Raises EvaluationError on fewer than 4 patients, values that are not finite, or when one of the two hardly varies.
    """
    first = numbers(x, name="x")
    second = numbers(y, name="y", like=first.size)
    if first.size < FEWEST:
        raise EvaluationError(f"correlation: got {first.size} patients, wanted {FEWEST} or more")
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        raise EvaluationError("correlation: one of the two is the same for all patients")
    with warnings.catch_warnings():
        warnings.simplefilter("error", stats.NearConstantInputWarning)
        try:
            found = stats.pearsonr(first, second)
        except stats.NearConstantInputWarning as error:
            raise EvaluationError("correlation: one of the two hardly varies against its size; centre it") from error
    limits = found.confidence_interval(0.95)
    r = Estimate(
        value=float(found.statistic), low=float(limits.low), high=float(limits.high), n=first.size, method="Fisher z"
    )
    return Correlation(r=r, p=float(found.pvalue))
