"""Lead time: AUROC of cases by the time from the score to their event, and whether it falls with that time.

Signs of an approaching event are weaker the further away it is. A score that discriminates late events as well as early
ones rests on something else: a constant risk, or a leak of the outcome into its inputs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.discrimination import auroc
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.inputs import both_classes, numbers

FEWEST = 3
"""Cases of a part below which it has no AUROC worth giving. Ours."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Cases whose event came between two times (months), against all controls."""

    first: float
    last: float
    cases: int
    auroc: Estimate


@dataclass(frozen=True, kw_only=True)
class LeadTime:
    """AUROC by parts of the cases, the earliest first; Spearman's correlation of time and score among all cases, and
    one-sided P that it is below 0: the later, the lower the score.
    """

    parts: tuple[Part, ...]
    correlation: float
    p: float


def lead_time(label: ArrayLike, *, time: ArrayLike, score: ArrayLike, parts: int = 3) -> LeadTime:
    """Split the cases of (n,) labels by their `time` into parts of equal number, each against all controls.

    Raises EvaluationError on fewer than three cases a part, one class, or values that are not finite.
    """
    event = both_classes(label)
    times, scores = (numbers(each, name=name, like=event.size) for name, each in (("time", time), ("score", score)))
    if event.sum() < FEWEST * parts:
        raise EvaluationError(f"lead time: got {event.sum()} cases, wanted {FEWEST * parts} or more for {parts} parts")
    cases = np.flatnonzero(event)[np.argsort(times[event], kind="stable")]
    found = []
    for chosen in np.array_split(cases, parts):
        rows = ~event
        rows[chosen] = True
        area = auroc(event[rows], score=scores[rows])
        found.append(Part(first=times[chosen[0]], last=times[chosen[-1]], cases=len(chosen), auroc=area))
    if np.ptp(scores[event]) == 0 or np.ptp(times[event]) == 0:
        raise EvaluationError("lead time: the cases have one score or one time; there is nothing to correlate")
    trend = stats.spearmanr(times[event], scores[event], alternative="less")
    return LeadTime(parts=tuple(found), correlation=float(trend.statistic), p=float(trend.pvalue))
