"""Quantification: how far measured quantities lie from known ones, and whether their stated uncertainty is true."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats, numbers
from hepatica.evaluate.intervals import Z, clopper_pearson

DRAWS = 1000
"""Bootstrap draws of spectra (ours)."""

ROBUST = 1.4826
"""Median of absolute values to the standard deviation of a normal distribution."""

FLOOR = 0.1
"""Share of the range of true values below which a truth is not divided by (ours)."""


def quantity_errors(truth: ArrayLike, *, estimate: ArrayLike, seed: int = 0) -> dict[str, Estimate]:
    """Errors of (n,) estimates of known (n,) quantities, in their own unit unless said.

    bias; sd, rmse and mae; mape, the mean of |error| / truth, in which truths below a tenth of their range count as
    that; robust_sd, 1.4826 times the median |error|; slope of estimate on truth, below 1 where estimates are drawn to
    the mean of training; r2 = 1 - sum of squares of errors / of truth. Percentile intervals over 1,000 seeded bootstrap
    draws of spectra, that of robust_sd by order statistics. Raises EvaluationError on values that are not finite.
    """
    true, error = _errors(truth, estimate)
    floor = FLOOR * np.ptp(true)
    relative = np.abs(error) / np.maximum(np.abs(true), floor) if floor else np.full(true.size, np.nan)
    measured = error + true
    columns = np.column_stack(
        [error, error**2, np.abs(error), relative, true, true**2, true * measured]
    )  # all statistics are functions of means of these, which one product draws
    drawn = np.random.default_rng(seed).multinomial(true.size, np.full(true.size, 1 / true.size), size=DRAWS)
    means = np.vstack([columns.mean(axis=0), drawn @ columns / true.size])
    found = {name: _percentile(statistic(means), n=true.size) for name, statistic in _STATISTICS.items()}
    return found | {"robust_sd": _robust_sd(np.abs(error))}


def coverage(truth: ArrayLike, *, low: ArrayLike, high: ArrayLike) -> Estimate:
    """Share of (n,) truths within their intervals, ends included; exact limits."""
    true = numbers(truth, name="truth")
    lower, upper = (numbers(each, name=name, like=true.size) for name, each in (("low", low), ("high", high)))
    inside = int(((lower <= true) & (true <= upper)).sum())
    limits = clopper_pearson(inside, true.size)
    return Estimate(value=inside / true.size, low=limits[0], high=limits[1], n=true.size, method="Clopper-Pearson")


def efficiency(truth: ArrayLike, *, estimate: ArrayLike, bound: ArrayLike, seed: int = 0) -> Estimate:
    """Root mean squared error over root mean squared bound of the same spectra; 1 reaches the bound.

    `bound` (n,) is the smallest SD possible of each: Cramer and Rao's for unbiased estimates, van Trees' for those that
    know the prior. Percentile interval over bootstrap draws of spectra.
    """
    true, error = _errors(truth, estimate)
    least = numbers(bound, name="bound", like=true.size)
    if (least <= 0).any():
        raise EvaluationError(f"bound: got {least.min():g}, wanted numbers above 0")
    columns = np.column_stack([error**2, least**2])
    drawn = np.random.default_rng(seed).multinomial(true.size, np.full(true.size, 1 / true.size), size=DRAWS)
    means = np.vstack([columns.mean(axis=0), drawn @ columns / true.size])
    return _percentile(np.sqrt(means[:, 0] / means[:, 1]), n=true.size)


def _errors(truth: ArrayLike, estimate: ArrayLike) -> tuple[Floats, Floats]:
    true = numbers(truth, name="truth")
    return true, numbers(estimate, name="estimate", like=true.size) - true


def _centred(means: Floats, product: int, first: int, second: int) -> Floats:
    return np.asarray(means[:, product] - means[:, first] * means[:, second])


def _slope(means: Floats) -> Floats:
    spread = _centred(means, 5, 4, 4)
    shared = means[:, 6] - means[:, 4] * (means[:, 4] + means[:, 0])
    return np.divide(shared, spread, out=np.full_like(spread, np.nan), where=spread > 0)


def _r2(means: Floats) -> Floats:
    spread = _centred(means, 5, 4, 4)
    return 1 - np.divide(means[:, 1], spread, out=np.full_like(spread, np.nan), where=spread > 0)


_STATISTICS: dict[str, Callable[[Floats], Floats]] = {
    "bias": lambda means: means[:, 0],
    "sd": lambda means: np.sqrt(np.maximum(_centred(means, 1, 0, 0), 0)),
    "rmse": lambda means: np.sqrt(means[:, 1]),
    "mae": lambda means: means[:, 2],
    "mape": lambda means: means[:, 3],
    "slope": _slope,
    "r2": _r2,
}


def _percentile(values: Floats, *, n: int) -> Estimate:
    """The first is of all spectra, the others of the draws; draws of one true value alone are left out."""
    if np.isnan(values[0]):
        return undefined("the true values hardly vary", n=n)
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    method = f"percentile of {DRAWS} bootstrap draws of spectra"
    return Estimate(value=float(values[0]), low=float(low), high=float(high), n=n, method=method)


def _robust_sd(sizes: Floats) -> Estimate:
    ranked = np.sort(sizes)
    outside = int(binom.ppf(0.025, sizes.size, 0.5))
    low, high = ranked[max(outside - 1, 0)], ranked[min(sizes.size - outside, sizes.size - 1)]
    return Estimate(
        value=float(ROBUST * np.median(sizes)),
        low=float(ROBUST * low),
        high=float(ROBUST * high),
        n=sizes.size,
        method="1.4826 times the median of |error|, order statistics",
    )


def normal_interval(estimate: ArrayLike, *, sd: ArrayLike) -> tuple[Floats, Floats]:
    """95 % limits of (n,) estimates with (n,) standard deviations."""
    value = numbers(estimate, name="estimate")
    margin = Z * numbers(sd, name="sd", like=value.size)
    return value - margin, value + margin
