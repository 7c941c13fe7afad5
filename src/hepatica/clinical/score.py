"""Score: the record of a published score, and point tables and bands as steps."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from hepatica.clinical.quantities import COLUMNS, QUANTITIES, Array


def above(limit: float) -> float:
    """The least number above a limit: where a step begins that does not have the limit itself."""
    return math.nextafter(limit, math.inf)


@dataclass(frozen=True)
class Steps:
    """A quantity in steps: `first`, and from each limit of `then` on, which it includes, what stands beside it."""

    first: Any
    then: tuple[tuple[float, Any], ...]

    @property
    def names(self) -> list[Any]:
        """What each step gives, from below."""
        return [self.first, *(given for _, given in self.then)]

    def which(self, values: Array) -> np.ndarray:
        """The number of the step of each value, -1 where it is missing."""
        found = np.searchsorted([limit for limit, _ in self.then], values, side="right")
        return np.where(np.isnan(values), -1, found)


def steps(first: Any, *then: tuple[float, Any]) -> Steps:
    """Steps as a published table has them: `steps(0, (30, 2), (40, 4))` is 0 below 30, 2 from 30 on, 4 from 40 on."""
    return Steps(first, then)


Points = Mapping[str, Steps | Mapping[str, float]]
"""What each input gives, by its limits or by its category; the points are added."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A published score: for whom, of what, how, and on what evidence.

    `formula` takes its inputs by name, each an array (n,) of float64, categories as the number of their level, and
    gives (n,); or `points` are added. `bands` name parts of the range; `stages` are the names of 0, 1, 2 …, where the
    result is a stage. `also`: further columns, made of the result. `evidence` says in which public source other than
    the paper the formula was confirmed; it begins with "unconfirmed" where there is none.
    """

    name: str
    title: str
    scope: str
    paper: str
    doi: str
    evidence: str
    formula: Callable[..., Array] | None = None
    points: Points = field(default_factory=dict)
    unit: str = "points"
    bands: Steps | None = None
    stages: tuple[str, ...] = ()
    also: Mapping[str, Callable[[Array], Array]] = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Columns that it reads, each with the unit that the formula has."""
        return tuple(inspect.signature(self.formula).parameters) if self.formula else tuple(self.points)

    @property
    def confirmed(self) -> bool:
        """Whether a public source other than the paper has the same formula."""
        return not self.evidence.startswith("unconfirmed")

    @property
    def check(self) -> str:
        """The command that compares it with its vectors."""
        return f"hepatica scores --check --only {self.name}"

    def values(self, inputs: Mapping[str, Array]) -> Array:
        """The score (n,), NaN where an input is missing or the score is not defined."""
        given = {name: inputs[name] for name in self.inputs}
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.formula(**given) if self.formula else _added(self.points, given)
        known = np.isfinite(found)
        for values in given.values():
            known &= ~np.isnan(values)
        return np.where(known, found, np.nan)

    def columns(self, inputs: Mapping[str, Array]) -> dict[str, Any]:
        """The columns that it adds to a table."""
        found = self.values(inputs)
        if self.stages:
            codes = np.where(np.isnan(found), -1, found).astype(int)
            return {self.name: pd.Categorical.from_codes(codes, list(self.stages), ordered=True)}
        columns: dict[str, Any] = {self.name: found}
        if self.bands:
            codes = self.bands.which(found)
            columns[f"{self.name}_band"] = pd.Categorical.from_codes(codes, self.bands.names, ordered=True)
        return columns | {f"{self.name}_{name}": make(found) for name, make in self.also.items()}


def _added(points: Points, inputs: Mapping[str, Array]) -> Array:
    """The sum of the points; a category without points is outside the score and gives NaN."""
    total = np.zeros(len(next(iter(inputs.values()))))
    for name, table in points.items():
        values = inputs[name]
        if isinstance(table, Steps):
            worth, place = table.names, table.which(values)
        else:
            worth = [table.get(level, math.nan) for level in QUANTITIES[COLUMNS[name][0]].levels]
            place = np.where(np.isnan(values), -1, values).astype(int)
        total += np.array([*worth, math.nan], float)[place]
    return total
