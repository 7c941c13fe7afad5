"""Case mix: how unlike two groups of patients are, how far apart their outcomes are, and which values they lack."""

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.intervals import clopper_pearson


def standardised_difference(first: pd.Series, *, second: pd.Series) -> float:
    """Standardised difference of a covariate between two groups, 0 or more; from 0.1 on they are usually called unlike.

    Numbers: difference of the means over the root of the mean of the two variances (Austin 2009, doi 10.1002/sim.3697).
    Text and other categories: the multivariate form over the shares of the levels (Yang and Dalton, SAS Global Forum
    2012, paper 335), which for two levels is the same as that of a 0/1 number. Missing values are left out; NaN where
    a group has no others, infinite where two groups without any spread differ.
    """
    first, second = first.dropna(), second.dropna()
    if first.empty or second.empty:
        return float("nan")
    both = pd.concat([first, second])
    values = both.to_frame() if is_numeric_dtype(both) else pd.get_dummies(both.astype(str)).iloc[:, 1:]
    columns = values.to_numpy(float)
    return _in_spreads(columns[: len(first)], columns[len(first) :]) if columns.size else 0.0


def _in_spreads(one: np.ndarray, two: np.ndarray) -> float:
    """Distance of the means of (n, d) columns by their mean covariance (Mahalanobis)."""
    apart = one.mean(axis=0) - two.mean(axis=0)
    spread = np.mean([np.atleast_2d(np.cov(each, rowvar=False, bias=True)) for each in (one, two)], axis=0)
    inverse = np.linalg.pinv(spread, rcond=1e-10, hermitian=True)
    without_spread = apart - spread @ inverse @ apart
    if np.linalg.norm(without_spread) > 1e-6 * np.linalg.norm(apart):
        return float("inf")
    return float(np.sqrt(max(apart @ inverse @ apart, 0.0)))


def rate_difference(first: Estimate, *, second: Estimate) -> Estimate:
    """How much higher a share, such as that of patients with the event by a horizon, is in the first of two groups.

    The groups are different patients. The interval is put together from those of the two shares (Zou and Donner 2008,
    doi 10.1002/sim.3095), so that it is right where they are skewed; with Wilson's it is Newcombe's of two proportions.
    Undefined when a share is; EvaluationError when one has no interval.
    """
    n = first.n + second.n
    if np.isnan(first.value) or np.isnan(second.value):
        return undefined("a share is not computable", n=n)
    if first.low is None or first.high is None or second.low is None or second.high is None:
        raise EvaluationError("difference of two shares: got a share without an interval, wanted one with")
    value = first.value - second.value
    low = value - np.hypot(first.value - first.low, second.high - second.value)
    high = value + np.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value=value, low=float(low), high=float(high), n=n, method="from the two intervals (Zou, Donner)")


def missing_shares(table: pd.DataFrame, *, group: pd.Series | None = None) -> pd.DataFrame:
    """One row a column of the table and group: column, group, n, missing, share, low, high (Clopper and Pearson, 95 %).

    `group` (n,) names the group of each row, such as its hospital or outcome: a share that differs between groups of
    the outcome shows that values are not missing completely at random. Without it there is one group, "all".
    """
    groups = pd.Series("all", index=table.index) if group is None else group.astype(object)
    if len(groups) != len(table) or groups.isna().any():
        raise EvaluationError(f"group: wanted a name for each of {len(table)} rows, none missing")
    rows = [
        (column, name, len(own), lost, lost / len(own), *clopper_pearson(lost, len(own)))
        for column in table
        for name, own in table[column].groupby(groups.to_numpy())
        for lost in [int(own.isna().sum())]
    ]
    return pd.DataFrame(rows, columns=["column", "group", "n", "missing", "share", "low", "high"])


def missing_patterns(table: pd.DataFrame) -> pd.DataFrame:
    """One row a pattern, the commonest first: a column of the table is True where the pattern lacks it; patients."""
    counts = table.isna().value_counts(sort=False).rename("patients").reset_index()
    return counts.sort_values("patients", ascending=False, kind="stable").reset_index(drop=True)
