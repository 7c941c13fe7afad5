"""Nomogram: a Cox or logistic model as scales of points, whose sum is read off as a probability."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import follow_up

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
        return {name: self._above(each, min(each.values())) for name, each in self.scales.items()}

    @property
    def totals(self) -> dict[str, dict[str, float]]:
        """Sum of points at each marked probability that a sum reaches."""
        lowest = sum(min(each.values()) for each in self.scales.values())
        most = sum(max(each.values()) for each in self.points.values())
        found = {name: self._above(each, lowest) for name, each in self.outcomes.items()}
        return {name: {mark: at for mark, at in each.items() if 0 <= at <= most} for name, each in found.items()}

    def _above(self, marks: Marks, lowest: float) -> dict[str, float]:
        return {mark: (each - lowest) / self.unit for mark, each in marks.items()}


def logistic_nomogram(
    coefficients: Marks, *, values: pd.DataFrame, intercept: float, outcome: str = "Risk"
) -> Nomogram:
    """Of a logistic model; the columns of `values` are the patients' by which each variable's scale is marked."""
    odds = {f"{each:g}": float(np.log(each / (1 - each)) - intercept) for each in SHARES}
    return Nomogram(scales=_scales(coefficients, values), outcomes={outcome: odds})


def cox_nomogram(
    coefficients: Marks, *, values: pd.DataFrame, time: ArrayLike, event: ArrayLike, horizons: Sequence[float]
) -> Nomogram:
    """Of a Cox model, with an axis for survival to each of `horizons`, in months as `time` (n,) of the patients.

    `values` (n) are those that it was fitted to: they mark the scales and give survival, by Breslow's cumulative hazard
    (J R Stat Soc B 1972;34:216). A horizon before the first event has no axis.
    """
    times, events = follow_up(time, event=event)
    hazard = np.exp((values[list(coefficients)] * pd.Series(coefficients)).sum(axis=1).to_numpy(float))
    steps = [(times[each], 1 / hazard[times >= times[each]].sum()) for each in np.flatnonzero(events)]
    total = {horizon: sum(step for at, step in steps if at <= horizon) for horizon in horizons}
    outcomes = {
        f"Survival to {horizon:g} months": {f"{each:g}": float(np.log(-np.log(each) / over)) for each in SHARES}
        for horizon, over in total.items()
        if over > 0
    }
    return Nomogram(scales=_scales(coefficients, values), outcomes=outcomes)


def _scales(coefficients: Marks, values: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {name: {f"{at:g}": each * at for at in _marks(values[name])} for name, each in coefficients.items() if each}


def _marks(values: "pd.Series[float]") -> Sequence[float]:
    """Round numbers within the range of values, five or so; of 0 and 1 both."""
    low, high = float(values.min()), float(values.max())
    if values.dropna().isin([0, 1]).all():
        return (0.0, 1.0)
    inside = [float(each) for each in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= each <= high]
    return inside if len(inside) > 1 else (low, high)
