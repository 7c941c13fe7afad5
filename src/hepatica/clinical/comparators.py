"""Comparators: published scores of the same patients whom a system judges."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from hepatica.clinical.scores import SCORES, score
from hepatica.cohort import Cohort, CohortError

WITHIN = "1 within, 0 beyond"
"""Unit of a score that is a rule; as a risk it is 1 beyond."""


def published(*names: str) -> Callable[[Any, Any, Cohort], pd.DataFrame]:
    """What `System.comparators` is for scores of `hepatica.clinical.scores`: each read from patients.csv as a risk.

    A patient who lacks an input has none, and so have all where the cohort lacks its column or has a value in it that
    is impossible: the report counts who could be evaluated.
    """
    unknown = [name for name in names if name not in SCORES]
    if unknown:
        raise KeyError(f"no such score: {', '.join(unknown)}")

    def compare(network: Any, material: Any, cohort: Cohort) -> pd.DataFrame:
        return pd.DataFrame({name: as_risk(name, cohort.patients) for name in names}, index=cohort.patients.index)

    return compare


def as_risk(name: str, patients: pd.DataFrame) -> "pd.Series[float]":
    """A score of each row of a table, categories in their order as 0, 1, …; missing where it cannot be computed."""
    try:
        found = score(name, patients)[name]
    except CohortError:
        return pd.Series(np.nan, index=patients.index)
    if isinstance(found.dtype, pd.CategoricalDtype):
        found = found.cat.codes.replace(-1, np.nan)
    values = found.astype(float)
    return 1 - values if SCORES[name].unit == WITHIN else values
