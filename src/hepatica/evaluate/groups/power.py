"""Power: how surely a test set of so many patients shows that a classifier is better than chance."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, hypergeom, norm

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Floats

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Power:
    """Of a classifier of this true sensitivity and specificity: the probability that the test finds it."""

    sensitivity: float
    specificity: float
    power: float


def power_of_calls(
    *, sensitivity: float, specificity: float, positives: int, negatives: int, alpha: float = ALPHA
) -> float:
    """Probability that calls of `positives` and `negatives` patients are better than chance at `alpha`, one-sided.

    The test is Fisher's exact one, the limit of a permutation test of the accuracy; every outcome is counted, nothing
    is simulated. Raises EvaluationError on shares outside of 0..1 or groups of nobody.
    """
    if not (0 <= sensitivity <= 1 and 0 <= specificity <= 1) or min(positives, negatives) < 1:
        raise EvaluationError(
            f"power: got sensitivity {sensitivity}, specificity {specificity}, {positives} and {negatives} patients;"
            " wanted shares of 0 to 1 and 1 patient or more of each"
        )
    true, false = np.meshgrid(np.arange(positives + 1), np.arange(negatives + 1), indexing="ij")
    p = hypergeom.sf(true - 1, positives + negatives, positives, true + false)
    likely = np.outer(
        binom.pmf(np.arange(positives + 1), positives, sensitivity),
        binom.pmf(np.arange(negatives + 1), negatives, 1 - specificity),
    )
    return float(likely[p <= alpha].sum())


def power_curve(effects: Floats, *, positives: int, negatives: int, alpha: float = ALPHA) -> list[Power]:
    """Power for effects (m,) in standard deviations between two normal distributions, cut halfway between them."""
    curve = []
    for effect in np.asarray(effects, float):
        share = float(norm.cdf(effect / 2))
        found = power_of_calls(
            sensitivity=share, specificity=share, positives=positives, negatives=negatives, alpha=alpha
        )
        curve.append(Power(sensitivity=share, specificity=share, power=found))
    return curve
