"""Imputation: several completions of a table that has gaps, learnt from other patients, and what they say together."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pandas.api.types import is_numeric_dtype
from scipy.stats import t as student
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  scikit-learn's way to allow the next import
from sklearn.impute import IterativeImputer

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import numbers
from hepatica.evaluate.intervals import Z
from hepatica.evaluate.survival.cox import HazardRatio, cox

DRAWS = 20
"""Completions (White 2011, doi 10.1002/sim.4067: as many as the percentage of incomplete patients, roughly)."""


@dataclass(frozen=True, kw_only=True)
class Imputation:
    """What fills the gaps of `columns`, one imputer a draw."""

    columns: tuple[str, ...]
    imputers: tuple[IterativeImputer, ...]

    def complete(self, table: pd.DataFrame) -> list[pd.DataFrame]:
        """The table once a draw, its gaps filled; the same table gives the same draws. Nothing is learnt from it.

        EvaluationError where it lacks a column.
        """
        values = _numeric(table, self.columns)
        return [
            pd.DataFrame(deepcopy(each).transform(values), columns=list(self.columns), index=table.index)
            for each in self.imputers
        ]


def fit_imputation(table: pd.DataFrame, *, draws: int = DRAWS, seed: int = 0) -> Imputation:
    """Learn from the training patients (n, d) how each column follows from the others (chained equations).

    Each draw is from the posterior of Bayesian ridge regressions (scikit-learn's IterativeImputer), within the range
    of the training patients; categories enter as numbers. The outcome belongs among the columns where coefficients are
    estimated (time as the Nelson-Aalen hazard: White and Royston 2009, doi 10.1002/sim.3618), and never where a
    prediction is to be judged. Raises EvaluationError for fewer than two draws or a column without values.
    """
    values = _numeric(table, [str(name) for name in table])
    empty = [str(name) for name in values if values[name].isna().all()]
    if draws < 2 or empty:
        raise EvaluationError(f"imputation: got {draws} draws and the empty columns {empty}, wanted 2 or more and none")
    low, high = values.min().to_numpy(), values.max().to_numpy()
    imputers = tuple(
        IterativeImputer(sample_posterior=True, min_value=low, max_value=high, random_state=seed + draw).fit(values)
        for draw in range(draws)
    )
    return Imputation(columns=tuple(map(str, values)), imputers=imputers)


def complete_by_fold(table: pd.DataFrame, *, fold: ArrayLike, draws: int = DRAWS, seed: int = 0) -> list[pd.DataFrame]:
    """The table once a draw; the gaps of each fold (n,) filled by what the patients of the other folds teach."""
    folds = np.asarray(fold)
    parts = [
        fit_imputation(table[folds != each], draws=draws, seed=seed).complete(table[folds == each])
        for each in np.unique(folds)
    ]
    return [pd.concat(draw).loc[table.index] for draw in zip(*parts, strict=True)]


def pool(values: ArrayLike, *, variances: ArrayLike, n: int) -> Estimate:
    """One estimate of those of m completions and their variances, by Rubin's rules (1987), with Student's t.

    The variance is the mean one and (1 + 1 / m) times that between completions. Degrees of freedom are Rubin's large-
    sample ones. EvaluationError for fewer than two.
    """
    found, error, degrees = _rubin(values, variances)
    margin = float(student.ppf(0.975, degrees)) * error
    method = f"mean of {np.size(values)} completions, Rubin's rules"
    return Estimate(value=found, low=found - margin, high=found + margin, n=n, method=method)


def _rubin(values: ArrayLike, variances: ArrayLike) -> tuple[float, float, float]:
    """Mean, standard error and degrees of freedom."""
    found = numbers(values, name="values")
    within, m = numbers(variances, name="variances", like=found.size).mean(), found.size
    if m < 2:
        raise EvaluationError("pool: got one completion, wanted 2 or more")
    between = (1 + 1 / m) * found.var(ddof=1)
    degrees = (m - 1) * (1 + within / between) ** 2 if between > 0 else np.inf
    return float(found.mean()), float(np.sqrt(within + between)), float(degrees)


def pooled_cox(tables: Sequence[pd.DataFrame], *, time: ArrayLike, event: ArrayLike) -> dict[str, HazardRatio]:
    """Hazard ratios of a Cox model over completions of a table: pooled on the log scale; otherwise as `cox`."""
    fits = [cox(each, time=time, event=event) for each in tables]
    return {name: _pooled([fit[name].ratio for fit in fits]) for name in fits[0]}


def _pooled(ratios: Sequence[Estimate]) -> HazardRatio:
    values, lows, highs = np.log(np.array([(each.value, each.low, each.high) for each in ratios], float)).T
    variances = ((highs - lows) / (2 * Z)) ** 2
    log = pool(values, variances=variances, n=ratios[0].n)
    found, error, degrees = _rubin(values, variances)
    low, high = (None if limit is None else float(np.exp(limit)) for limit in (log.low, log.high))
    method = f"Cox, Efron ties; {log.method}"
    ratio = replace(log, value=float(np.exp(log.value)), low=low, high=high, method=method)
    return HazardRatio(ratio=ratio, p=float(2 * student.sf(abs(found / error), degrees)))


def _numeric(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The columns as numbers, gaps as NaN."""
    lacking = [name for name in columns if name not in table]
    text = [name for name in columns if name in table and not is_numeric_dtype(table[name])]
    if lacking or text:
        raise EvaluationError(
            f"imputation: the table lacks {lacking}, and {text} are no numbers; code categories as 0, 1"
        )
    return table[list(columns)].astype("Float64").astype(float)
