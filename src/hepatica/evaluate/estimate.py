"""Estimate: a number that never goes without its interval."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic with its confidence interval.

    `low` and `high` are None only where no interval exists (a P value, a count), and `method` then says so.
    `n` counts the independent units the statistic rests on: patients, not tiles, when they were grouped.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    method: str
    level: float = 0.95

    def __str__(self) -> str:
        """Value with its interval, as a journal prints it: 0.818 (0.700 to 0.936)."""
        if self.low is None or self.high is None:
            return f"{self.value:.3g}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)
