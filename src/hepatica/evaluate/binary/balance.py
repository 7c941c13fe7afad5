"""Balance: the cut-off at which a score finds as many of the ill as it clears of the healthy."""

import numpy as np
from numpy.typing import ArrayLike

from hepatica.evaluate.inputs import both_classes, numbers


def balanced_cutoff(label: ArrayLike, *, score: ArrayLike) -> float:
    """The cut-off at which the lesser of sensitivity and specificity is greatest; at or above it is positive.

    Of several, the one with the greater of both greatest, and of these the middle one; it lies halfway between two
    neighbouring scores. `label`: 0 or 1. Fix it on patients that no result is computed on. EvaluationError when a class
    is missing or a score is no number.
    """
    labels = both_classes(label)
    scores = numbers(score, name="score", like=labels.size)
    steps = np.unique(scores)
    edges = np.concatenate([[steps[0]], (steps[:-1] + steps[1:]) / 2, [np.nextafter(steps[-1], np.inf)]])
    ill, healthy = np.sort(scores[labels]), np.sort(scores[~labels])
    sensitivity = 1 - np.searchsorted(ill, edges) / ill.size
    specificity = np.searchsorted(healthy, edges) / healthy.size
    lesser, both = np.minimum(sensitivity, specificity), sensitivity + specificity
    most = lesser == lesser.max()
    best = np.flatnonzero(most & (both == both[most].max()))
    return float(edges[best[len(best) // 2]])
