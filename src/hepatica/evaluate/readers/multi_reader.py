"""Multi-reader: statistics of several readers of the same cases, for other readers and other cases of their kind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.discrimination import placements
from hepatica.evaluate.estimate import Comparison, Estimate, undefined
from hepatica.evaluate.inputs import Booleans, Floats, both_classes
from hepatica.evaluate.intervals import NO_SPREAD

METHOD = "Obuchowski-Rockette, random readers and cases"

Statistic = Callable[[Floats, Floats, Floats, Floats], Floats]
"""From counts of true and false positives, false and true negatives to the statistic, elementwise."""

RATES: dict[str, Statistic] = {
    "accuracy": lambda tp, fp, fn, tn: (tp + tn) / (tp + fp + fn + tn),
    "sensitivity": lambda tp, fp, fn, tn: tp / (tp + fn),
    "specificity": lambda tp, fp, fn, tn: tn / (tn + fp),
    "ppv": lambda tp, fp, fn, tn: tp / (tp + fp),
    "npv": lambda tp, fp, fn, tn: tn / (tn + fn),
    "f1": lambda tp, fp, fn, tn: 2 * tp / (2 * tp + fp + fn),
    "kappa": lambda tp, fp, fn, tn: 2 * (tp * tn - fp * fn) / ((tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)),
}


@dataclass(frozen=True, kw_only=True)
class Readings:
    """One statistic of several readers of the same cases: values (readers,) and their covariance (readers, readers).

    The covariance is that over cases: how the values of these readers would move together with other cases.
    """

    values: Floats
    covariance: Floats
    cases: int

    def weighed(self, weights: ArrayLike) -> "Readings":
        """Weighted sums of the readers' values, (sums, readers) weights: differences, above all."""
        by = np.asarray(weights, dtype=np.float64)
        return Readings(values=by @ self.values, covariance=by @ self.covariance @ by.T, cases=self.cases)


def rate_readings(label: ArrayLike, *, called: ArrayLike, rate: str) -> Readings:
    """A rate of RATES for each reader from calls (readers, n), 0 or 1; covariance by the jackknife over cases.

    Values are NaN where a rate is 0/0, also when a single case is left out. Raises EvaluationError on one class or
    calls that are not one row of n a reader.
    """
    positive = both_classes(label)
    calls = _rows(called, positive, dtype=np.bool_)
    cells = np.stack([calls & positive, calls & ~positive, ~calls & positive, ~calls & ~positive]).astype(float)
    counts = cells.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = RATES[rate](*counts)
        without_one = RATES[rate](*(counts[:, :, None] - cells))
    n = positive.size
    apart = without_one - without_one.mean(axis=1, keepdims=True)
    return Readings(values=values, covariance=(n - 1) / n * apart @ apart.T, cases=n)


def auroc_readings(label: ArrayLike, *, scores: ArrayLike) -> Readings:
    """AUROC of each reader from scores (readers, n), ties half; covariance of DeLong 1988 (doi 10.2307/2531595).

    Raises EvaluationError on one class, fewer than two cases of a class, or scores that are not one row of n a reader.
    """
    positive = both_classes(label)
    if min(positive.sum(), (~positive).sum()) < 2:
        raise EvaluationError("label: got one case of a class, wanted two or more of each")
    placed = np.stack([placements(positive, row) for row in _rows(scores, positive, dtype=np.float64)])
    parts = [np.atleast_2d(np.cov(placed[:, rows])) / rows.sum() for rows in (positive, ~positive)]
    return Readings(values=placed[:, positive].mean(axis=1), covariance=parts[0] + parts[1], cases=positive.size)


def over_readers(readings: Readings, *, bounds: tuple[float, float] = (0.0, 1.0)) -> Comparison:
    """Mean over readers, its t interval cut at `bounds`, and the P value of a mean of 0.

    Obuchowski and Rockette 1995 (doi 10.1080/03610919508813243) with the degrees of freedom of Hillis 2007 (doi
    10.1002/sim.2532): readers and cases are both samples. For two arms the readers' differences are given, which is
    the same test (F = t squared, mean square of the interaction = half the variance of the differences); for readers
    against one machine, the differences from it (Chakraborty 2017, Observer Performance Methods, on standalone CAD).
    Raises EvaluationError on fewer than two readers.
    """
    mean, error, degrees = mean_of_readers(readings)
    if np.isnan(mean):
        return Comparison(difference=undefined("0/0 in one reader", n=readings.cases), p=np.nan)
    if np.isnan(error) or error**2 < NO_SPREAD:
        why = "a rate is 0/0 without one case" if np.isnan(error) else "the sample shows no variation"
        same = Estimate(value=mean, low=None, high=None, n=readings.cases, method=f"no interval: {why}")
        return Comparison(difference=same, p=1.0 if mean == 0 and not np.isnan(error) else np.nan)
    margin = float(student.ppf(0.975, degrees)) * error
    method = f"{METHOD}, {readings.values.size} readers, df {degrees:.1f}"
    low, high = max(mean - margin, bounds[0]), min(mean + margin, bounds[1])
    found = Estimate(value=mean, low=low, high=high, n=readings.cases, method=method)
    return Comparison(difference=found, p=float(2 * student.sf(abs(mean) / error, degrees)))


def mean_of_readers(readings: Readings) -> tuple[float, float, float]:
    """Mean over readers, its standard error, and Hillis' degrees of freedom (infinite where readers are all alike)."""
    values, readers = readings.values, readings.values.size
    if readers < 2:
        raise EvaluationError(f"readers: got {readers}, wanted two or more to generalise to others")
    spread = float(values.var(ddof=1))
    shared = float(readings.covariance[~np.eye(readers, dtype=bool)].mean())
    total = spread + max(readers * shared, 0.0)
    degrees = (readers - 1) * (total / spread) ** 2 if spread > NO_SPREAD else np.inf
    return float(values.mean()), float(np.sqrt(total / readers)), degrees


def _rows(values: ArrayLike, positive: Booleans, *, dtype: type) -> NDArray[Any]:
    array: NDArray[Any] = np.asarray(values, dtype=dtype)
    if array.ndim != 2 or array.shape[1] != positive.size:
        raise EvaluationError(f"readers: got an array of shape {array.shape}, wanted (readers, {positive.size})")
    return array
