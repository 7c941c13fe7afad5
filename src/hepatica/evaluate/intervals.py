"""Intervals: 95 % confidence limits that stay between 0 and 1, whatever the sample looks like."""

import numpy as np
from scipy.special import expit, logit, stdtrit
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.inputs import Floats

Z = float(norm.ppf(0.975))
"""Normal quantile of a two-sided 95 % interval."""

UNVARIED = "Clopper-Pearson of {units} patients, for the sample shows no variation (otherwise {method})"
"""Method of the limits of `within_unit` where the variance is 0."""

NO_SPREAD = 1e-28
"""A variance below this is rounding: the sample shows no variation. Ours."""


def clopper_pearson(part: float, whole: float) -> tuple[float, float]:
    """Exact limits of a binomial proportion (Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404)."""
    low, high = proportion_confint(part, whole, method="beta")
    return float(low), float(high)


def quantile(degrees: float | None) -> float:
    """Of a two-sided 95 % interval: Student's of so many degrees of freedom (at least one), else the normal one."""
    return Z if degrees is None else float(stdtrit(max(degrees, 1), 0.975))


def within_unit(
    value: float, *, variance: float, units: int, method: str, degrees: float | None = None
) -> tuple[float, float, str]:
    """Limits of a statistic between 0 and 1: on its logit, back-transformed, by the `quantile` of `degrees`; and the
    `method` of the variance, with the scale, or what stood in for it.

    Where the sample shows no variation (perfect separation, constant scores) the variance of the method is 0 and its
    interval would be a point. The limits are then Clopper and Pearson's for the same share of `units` patients, the
    rarer kind: wide, but true to how little so few patients can show. Ours.
    """
    if not 0 < value < 1 or variance < NO_SPREAD:
        low, high = clopper_pearson(value * units, units)
        unvaried = UNVARIED.format(units=units, method=method)
        return (
            min(low, value),
            max(high, value),
            unvaried,
        )  # near 0 and 1 the quantiles of the beta distribution are rounded
    margin = quantile(degrees) * np.sqrt(variance) / (value * (1 - value))
    return float(expit(logit(value) - margin)), float(expit(logit(value) + margin)), method


def sum_variance(influence: Floats) -> float:
    """Variance of a statistic from what each patient adds to it (first order; the influences sum to 0).

    The sum of squares with the factor k / (k - 1) for k patients; 0, as unknown, for one patient.
    """
    k = influence.size
    return float(influence @ influence * k / (k - 1)) if k > 1 else 0.0


def two_sided_p(difference: float, *, variance: float, degrees: float | None = None) -> float:
    """P value of a normal test, or of Student's with `degrees`; 1 for no difference at all, NaN where the sample shows
    no variation to judge it by.
    """
    if variance < NO_SPREAD:
        return 1.0 if difference == 0 else np.nan
    upper = norm if degrees is None else student(max(degrees, 1))
    return float(2 * upper.sf(abs(difference) / np.sqrt(variance)))


def difference_limits(
    difference: float, *, variance: float, degrees: float | None = None
) -> tuple[float | None, float | None]:
    """Limits, by the `quantile` of `degrees`, of a difference of two shares, cut at -1 and 1; None where the sample
    shows no variation.
    """
    if variance < NO_SPREAD:
        return None, None
    margin = quantile(degrees) * np.sqrt(variance)
    return float(max(difference - margin, -1)), float(min(difference + margin, 1))


def normal_comparison(
    value: float, *, variance: float, n: int, method: str, degrees: float | None = None
) -> Comparison:
    """A difference of two shares with the limits of `difference_limits` and the P of `two_sided_p`."""
    low, high = difference_limits(value, variance=variance, degrees=degrees)
    difference = Estimate(value=value, low=low, high=high, n=n, method=method)
    return Comparison(difference=difference, p=two_sided_p(value, variance=variance, degrees=degrees))
