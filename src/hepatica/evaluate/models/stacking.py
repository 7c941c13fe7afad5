"""Stacking: a score beside covariates, by logistic regressions that are learnt on other patients than they judge.

Tables have one row a patient, with the columns `label` (1 or 0), `held_out` (the fold in which a patient was held out)
and those of the candidates. A candidate is a regression of some columns; the score is taken as it is.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.discrimination import auroc
from hepatica.evaluate.models.logistic import fit_logistic


def stacked_risks(
    known: pd.DataFrame, *, of: pd.DataFrame, candidates: Mapping[str, Sequence[str]], score: str
) -> pd.DataFrame:
    """Risk of each row of `of` by each candidate (columns, by name), learnt from the rows of `known`; last the `score`.

    A covariate alone is a logistic regression of it, which learns the sign of a number and the order of categories.
    EvaluationError when `known` has one class.
    """
    label = known["label"].to_numpy()
    found = {name: fit_logistic(known[list(own)], label=label).risk(of) for name, own in candidates.items()}
    return pd.DataFrame(found | {score: of[score].to_numpy(float)}, index=of.index)


def cross_fitted(known: pd.DataFrame, *, candidates: Mapping[str, Sequence[str]], score: str) -> pd.DataFrame:
    """Risk of each patient by each candidate, learnt from the patients of the other folds only."""
    found = [stacked_risks(known[~out], of=known[out], candidates=candidates, score=score) for out in _folds(known)]
    return pd.concat(found).loc[known.index]


def ranked_within_folds(known: pd.DataFrame, cross: pd.DataFrame) -> pd.DataFrame:
    """Share of the patients of the same fold whom each patient is ahead of, ties half, by each candidate.

    Pooled, risks of different fits are not comparable: the fewer events a fold has, the more the others had, and the
    higher are its risks, which pulls a pooled AUROC far below 0.5 when the candidate knows little (Airola 2011, doi
    10.1016/j.csda.2010.11.018). Ranks within the fold leave that out, and use no label. Ours.
    """
    groups = cross.groupby(known["held_out"])
    return (groups.rank() - 0.5).div(known.groupby("held_out")["label"].transform("size"), axis=0)


def fold_aurocs(known: pd.DataFrame, cross: pd.DataFrame) -> pd.DataFrame:
    """AUROC of each candidate (columns) among the patients of each fold (rows); no row for a fold of one class."""
    return pd.DataFrame({name: [_area(known[rows], cross[name]) for rows in _folds(known)] for name in cross}).dropna()


def mean_limits(values: ArrayLike) -> tuple[float, float]:
    """95 % interval of the mean of a few values (n,) by the t distribution, kept within 0 and 1."""
    each = np.asarray(values, dtype=float)
    margin = stats.t.ppf(0.975, each.size - 1) * each.std(ddof=1) / np.sqrt(each.size)
    return float(max(each.mean() - margin, 0)), float(min(each.mean() + margin, 1))


def _folds(known: pd.DataFrame) -> Iterator["pd.Series[bool]"]:
    for fold in sorted(known["held_out"].unique()):
        yield known["held_out"] == fold


def _area(patients: pd.DataFrame, risk: pd.Series) -> float:
    try:
        return auroc(patients["label"].to_numpy(), score=risk.loc[patients.index].to_numpy()).value
    except EvaluationError:
        return np.nan
