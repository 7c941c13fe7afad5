"""Correlation: how closely two measurements of the same patients go together on a straight line, and that line."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import Floats, numbers

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


FEWEST_ON_A_LINE = 3
"""Patients below which a line fits without error."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """y = intercept + slope x; P is that of no slope, `r_squared` the share of the variance of y that goes with x.

    `centre` and `spread` are mean and standard deviation (divisor n) of x, `error` the standard error of the slope.
    """

    slope: Estimate
    intercept: float
    p: float
    r_squared: float
    centre: float
    spread: float
    error: float

    def at(self, x: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """The line at (m,) `x`, and the lower and upper 95 % limit of the mean of y there; not of single patients."""
        places = numbers(x, name="x")
        middle = self.intercept + self.slope.value * places
        quantile = stats.t.ppf(0.975, self.slope.n - 2)
        margin = quantile * self.error * np.sqrt(self.spread**2 + (places - self.centre) ** 2)
        return middle, middle - margin, middle + margin


def linear(y: ArrayLike, *, x: ArrayLike) -> Line:
    """Ordinary least squares of (n,) `y` on (n,) `x`, with Student's interval of the slope.

    It knows nothing of censoring: a follow-up time that was cut short counts as if the event had happened then.
    Raises EvaluationError on fewer than 3 patients, values that are not finite, or an `x` that is constant.
    """
    values = numbers(y, name="y")
    given = numbers(x, name="x", like=values.size)
    if values.size < FEWEST_ON_A_LINE:
        raise EvaluationError(f"regression: got {values.size} patients, wanted {FEWEST_ON_A_LINE} or more")
    if np.ptp(given) == 0:
        raise EvaluationError("regression: x is the same for all patients")
    found = stats.linregress(given, values)
    value, error, margin = found.slope, found.stderr, stats.t.ppf(0.975, values.size - 2) * found.stderr
    slope = Estimate(
        value=float(value), low=float(value - margin), high=float(value + margin), n=values.size, method="Student"
    )
    return Line(
        slope=slope,
        intercept=float(found.intercept),
        p=float(found.pvalue),
        r_squared=float(found.rvalue**2),
        centre=float(given.mean()),
        spread=float(given.std()),
        error=float(error),
    )
