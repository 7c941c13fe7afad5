"""Smooth calibration: the observed share of the event as a curve over the score."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from hepatica.evaluate.binary.calibration import logistic, logits, parted, probabilities
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.intervals import Z
from hepatica.evaluate.observed import Outcome

KNOTS = (0.1, 0.5, 0.9)
"""Quantiles of the log odds at which the spline has its knots (Harrell 2015, doi 10.1007/978-3-319-19425-7)."""

POINTS = 50


@dataclass(frozen=True, kw_only=True)
class SmoothCurve:
    """Observed share (k,) at each score (k,), from the lowest to the highest, with 95 % limits at each point."""

    score: Floats
    observed: Floats
    low: Floats
    high: Floats


def smooth_calibration(label: Outcome, *, score: ArrayLike) -> SmoothCurve | None:
    """Logistic regression of the outcome on a restricted cubic spline, three knots, of the log odds of the score.

    `label` (n,) 0 or 1, or of `at_horizon` (then weighted); `score` (n,) probabilities. Sandwich variance. None where
    scores have fewer than three distinct values at the knots, or the curve separates the classes. Raises as `brier`.
    """
    outcome, probability = probabilities(label, score)
    log_odds = logits(probability)
    knots = np.quantile(log_odds, KNOTS)
    if not (np.diff(knots) > 0).all() or parted(outcome, probability):
        return None
    grid = np.linspace(probability.min(), probability.max(), POINTS)
    design, at = _spline(log_odds, knots), _spline(logits(grid), knots)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a fit that overflows or separates the classes has no curve
            coefficients = logistic(outcome, design)
            fitted = expit(design @ coefficients)
            bread = np.linalg.inv(design.T @ (design * (outcome.weight * fitted * (1 - fitted))[:, None]))
    except (Warning, np.linalg.LinAlgError):
        return None
    own = design @ bread * (outcome.weight * (outcome.event - fitted))[:, None]
    influence = np.column_stack([outcome.influence(column) for column in own.T])
    line, margin = at @ coefficients, Z * np.linalg.norm(influence @ at.T, axis=0)
    return SmoothCurve(score=grid, observed=expit(line), low=expit(line - margin), high=expit(line + margin))


def _spline(x: Floats, knots: Floats) -> Floats:
    """Constant, line and one cubic term that is linear beyond the outer knots: (n, 3)."""
    first, middle, last = (np.maximum(x - knot, 0) ** 3 for knot in knots)
    a, b, c = knots
    cubic = (first - middle * (c - a) / (c - b) + last * (b - a) / (c - b)) / (c - a) ** 2
    return np.stack([np.ones_like(x), x, cubic], axis=1)
