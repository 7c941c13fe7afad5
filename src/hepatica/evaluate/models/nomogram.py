"""Nomogram: a Cox or logistic model as scales of points, whose sum is read off as a probability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Booleans, Floats

SHARES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Probabilities that are marked."""

Marks = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Nomogram:
    """What each marked value of each variable adds to the linear predictor, and the linear predictor of each marked
    probability, by the name of its axis. The variable of the widest range has 100 points.
    """

    scales: Mapping[str, Marks]
    outcomes: Mapping[str, Marks]

    def __post_init__(self) -> None:
        if not self.scales or self.unit <= 0:
            raise EvaluationError("nomogram: no variable moves the prediction; wanted a coefficient other than 0")

    @property
    def unit(self) -> float:
        """Of the linear predictor, in a point."""
        return max(max(each.values()) - min(each.values()) for each in self.scales.values()) / 100

    @property
    def points(self) -> dict[str, dict[str, float]]:
        """Of each marked value; the lowest of each variable has 0."""
        return {name: _above(each, min(each.values()), self.unit) for name, each in self.scales.items()}

    @property
    def totals(self) -> dict[str, dict[str, float]]:
        """Sum of points at each marked probability that a sum reaches."""
        lowest = sum(min(each.values()) for each in self.scales.values())
        most = sum(max(each.values()) for each in self.points.values())
        found = {name: _above(each, lowest, self.unit) for name, each in self.outcomes.items()}
        return {name: {mark: at for mark, at in each.items() if 0 <= at <= most} for name, each in found.items()}


def _above(marks: Marks, lowest: float, unit: float) -> dict[str, float]:
    return {mark: (each - lowest) / unit for mark, each in marks.items()}


def nomogram(
    coefficients: Mapping[str, float], *, marks: Mapping[str, Sequence[float]], outcomes: Mapping[str, Marks]
) -> Nomogram:
    """Of a model of these coefficients, for the values of each variable that are to be marked, and axes of probability
    by `odds_marks` or `survival_marks`. A category has the marks 0 and 1. EvaluationError where a variable has no mark.
    """
    lacking = [name for name in coefficients if len(marks.get(name, ())) < 2]
    if lacking:
        raise EvaluationError(f"nomogram: got no marks of {', '.join(lacking)}; wanted two values or more of each")
    scales = {name: {f"{at:g}": each * at for at in marks[name]} for name, each in coefficients.items()}
    return Nomogram(scales=scales, outcomes=outcomes)


def marks_of(values: ArrayLike) -> tuple[float, ...]:
    """Round numbers within the range of values (n,), five or so; of 0 and 1 both."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    ends = (float(known.min()), float(known.max()))
    if set(np.unique(known)) <= {0.0, 1.0}:
        return (0.0, 1.0)
    ticks = MaxNLocator(5).tick_values(*ends)
    return tuple(float(each) for each in ticks if ends[0] <= each <= ends[1]) or ends


def odds_marks(intercept: float) -> dict[str, float]:
    """The linear predictor without intercept of each of SHARES, by a logistic model."""
    return {f"{each:g}": float(np.log(each / (1 - each)) - intercept) for each in SHARES}


def survival_marks(baseline: float) -> dict[str, float]:
    """The linear predictor at which the probability of survival is each of SHARES, by a Cox model in which it is
    `baseline` at a linear predictor of 0 (`baseline_survival`).
    """
    return {f"{each:g}": float(np.log(np.log(each) / np.log(baseline))) for each in SHARES}


def baseline_survival(predictor: Floats, *, time: Floats, event: Booleans, at: float) -> float:
    """Survival to `at`, in the unit of `time`, at a linear predictor of 0, by Breslow's cumulative hazard (1974)."""
    before = np.flatnonzero(event & (time <= at))
    return float(np.exp(-sum(1 / np.exp(predictor[time >= time[each]]).sum() for each in before)))
