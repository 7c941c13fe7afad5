"""Distributions: what is believed of one number, a range or what was measured, drawn from by its quantiles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MIDPOINTS = (np.arange(4096) + 0.5) / 4096


@dataclass(frozen=True, kw_only=True)
class Range:
    """Uniform between `low` and `high`, or uniform in the logarithm; one value where both are equal."""

    low: float
    high: float
    log: bool = False

    def at(self, share: Floats) -> Floats:
        """Quantiles of shares in 0..1, of the same shape."""
        if self.log:
            return np.asarray(self.low * (self.high / self.low) ** share)
        return np.asarray(self.low + (self.high - self.low) * share)

    @property
    def told(self) -> dict[str, Any]:
        """What a digest is made of."""
        return {"low": self.low, "high": self.high, "log": self.log}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What patients had, smoothed: quantiles run straight from one sorted value to the next."""

    values: tuple[float, ...]

    def at(self, share: Floats) -> Floats:
        """Quantiles of shares in 0..1, of the same shape."""
        return np.asarray(np.quantile(self.values, share, method="hazen"))

    @property
    def told(self) -> dict[str, Any]:
        """What a digest is made of."""
        return {"values": sorted(self.values)}


Distribution = Range | Measured


def mean_sd(distribution: Distribution) -> tuple[float, float]:
    """Mean and standard deviation."""
    values = distribution.at(_MIDPOINTS)
    return float(values.mean()), float(values.std())


def logarithms(distribution: Distribution) -> Floats:
    """(4096,) logarithms of evenly spaced quantiles: their moments are those of the logarithm."""
    return np.log(distribution.at(_MIDPOINTS))
