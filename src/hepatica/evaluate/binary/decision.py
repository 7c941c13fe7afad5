"""Decision: the net benefit of acting on scores (Vickers and Elkin 2006, doi 10.1177/0272989X06295361)."""

import numpy as np
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.calibration import probabilities
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.mean import mean_of
from hepatica.evaluate.patients import patients_of


def net_benefit(label: ArrayLike, *, score: ArrayLike, threshold: float, group: ArrayLike | None = None) -> Estimate:
    """True positives less false positives times the odds of the threshold, a row, when those with a score from it on
    are treated; by patient where `group` names them.

    With every score 1: that of treating all; of treating none it is 0. Raises as `brier` does, and EvaluationError
    for a threshold that is not between 0 and 1.
    """
    if not 0 < threshold < 1:
        raise EvaluationError(f"got a threshold of {threshold}, wanted a probability between 0 and 1")
    event, probability = probabilities(label, score)
    harm = threshold / (1 - threshold)
    benefit = np.where(probability >= threshold, np.where(event, 1.0, -harm), 0.0)
    return mean_of(benefit, patients_of(group, rows=event.size))
