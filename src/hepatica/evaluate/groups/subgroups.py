"""Subgroups: statistics of patients of one level of a column and of all others, and the difference between the two."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Booleans

MOST_LEVELS = 12
"""Levels of a column beyond which it is no grouping (ours)."""

COMPARED = (
    "auroc", "c_index", "sensitivity", "specificity", "ppv", "npv", "brier", "calibration_intercept",
    "calibration_slope",
)  # fmt: skip
"""Statistics that are compared between subgroups, where they are there (ours)."""

Statistics = Callable[[Booleans], Mapping[str, Estimate]]
"""The statistics of some of the rows (n,)."""


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """One statistic of the patients of a `level`, of all others, and the first less the second."""

    level: str
    metric: str
    own: Estimate
    others: Estimate
    difference: Estimate


def by_subgroup(level: ArrayLike, *, of: Statistics) -> list[Subgroup]:
    """Each of COMPARED for each level (n,) of a column against all other rows that have one; blank ones have none.

    Patients of one level are others than those of another, so the difference has the limits of the square-and-add
    method (Newcombe 1998, doi 10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I; for any statistic Zou
    and Donner 2008, doi 10.1002/sim.3095). Nothing is corrected for the number of comparisons. Raises EvaluationError
    on one level or more than MOST_LEVELS.
    """
    levels = np.asarray(level, str)
    names = sorted(set(levels.tolist()) - {""})
    if not 2 <= len(names) <= MOST_LEVELS:
        raise EvaluationError(f"got {len(names)} levels of subgroups, wanted 2 to {MOST_LEVELS}: group numbers first")
    known = levels != ""
    metrics = [metric for metric in COMPARED if metric in of(known)]
    found = []
    for name in names:
        own, others = (_of(of, rows, metrics) for rows in (levels == name, known & (levels != name)))
        found += [
            Subgroup(
                level=name,
                metric=metric,
                own=own[metric],
                others=others[metric],
                difference=difference(own[metric], others=others[metric]),
            )
            for metric in metrics
        ]
    return found


def _of(of: Statistics, rows: Booleans, metrics: Sequence[str]) -> Mapping[str, Estimate]:
    """The statistics of some rows, all undefined where these rows do not allow any."""
    try:
        return of(rows)
    except EvaluationError as error:
        return dict.fromkeys(metrics, undefined(str(error), n=int(rows.sum())))


def difference(own: Estimate, *, others: Estimate) -> Estimate:
    """One statistic less that of other patients, with limits from those of both (square-and-add)."""
    n = own.n + others.n
    if own.low is None or own.high is None or others.low is None or others.high is None:
        return undefined("one of the two has no interval", n=n)
    value = own.value - others.value
    low = value - np.hypot(own.value - own.low, others.high - others.value)
    high = value + np.hypot(own.high - own.value, others.value - others.low)
    return Estimate(value=value, low=float(low), high=float(high), n=n, method="square-and-add of both intervals")
