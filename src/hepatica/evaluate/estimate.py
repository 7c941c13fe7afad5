"""Estimate: a number that never goes without its interval."""

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic with its confidence interval.

    `low` and `high` are None only where no interval exists (a P value, a count), and `method` then says so.
    `n` counts the independent units the statistic rests on: patients, not tiles, when they were grouped.
    A statistic the data cannot give has the value NaN, and `method` says why.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    method: str
    level: float = 0.95

    def __str__(self) -> str:
        """Value with its interval, as a journal prints it: 0.818 (0.700 to 0.936)."""
        if math.isnan(self.value):
            return "not computable"
        if self.low is None or self.high is None:
            return f"{self.value:.3g}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; the value of a statistic the data cannot give is None."""
        return asdict(self) | {"value": None if math.isnan(self.value) else self.value}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A difference between two statistics of the same patients (first minus second) and its two-sided P value.

    `p` is NaN where the sample shows no variation from which to judge the difference.
    """

    difference: Estimate
    p: float


def undefined(why: str, *, n: int) -> Estimate:
    """A statistic the data cannot give: NaN without an interval, the reason in `method`."""
    return Estimate(value=math.nan, low=None, high=None, n=n, method=f"not computable: {why}")
