"""Coverage of 95 % intervals with few events: C-index, AUROC, calibration, rates at a horizon; by simulation.

    python benchmarks/few_events.py [replicates]

Every cell draws its own cohorts of which about `events` of 4 times as many patients have the event. A model has one
normal marker whose true value is that of a million patients. Printed as a table for docs/studies/few_events.md.
"""

from functools import cache

import numpy as np
from scipy.special import expit

EVENTS = (5, 10, 20, 50, 100)
STRENGTHS = (0.0, 1.0, 2.0)
"""Log hazard ratio, or log odds ratio, of one standard deviation of the marker."""

SHARE = 0.25
"""Share of patients with the event."""


def binary(rng: np.random.Generator, n: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Label and true probability of n patients, a quarter of whom have the event."""
    probability = expit(_shift(strength) + strength * rng.normal(size=n))
    return rng.random(n) < probability, probability


def followed(rng: np.random.Generator, n: int, strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, event and true risk by time 1, of n patients, of whom about a third is censored before 1."""
    probability = expit(_shift(strength) + strength * rng.normal(size=n))
    happens, ends = rng.exponential(-1 / np.log1p(-probability)), rng.exponential(2.2, n)
    return np.minimum(happens, ends), happens <= ends, probability


@cache
def _shift(strength: float) -> float:
    grid, marker = np.linspace(-9, 3, 200), np.random.default_rng(0).normal(size=20_000)
    return float(np.interp(SHARE, [expit(each + strength * marker).mean() for each in grid], grid))
