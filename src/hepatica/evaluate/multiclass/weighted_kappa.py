"""Weighted kappa: agreement of class and call beyond chance, near misses of ordered classes counted in part."""

from typing import Literal

import numpy as np

from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.intervals import NO_SPREAD, Z, clopper_pearson, sum_variance
from hepatica.evaluate.multiclass.classified import Classified

Weights = Literal["none", "linear", "quadratic"]
"""What a call k classes away loses: all, or a share that grows with k or with k squared."""


def weighted_kappa(rows: Classified, *, weights: Weights) -> Estimate:
    """Cohen's kappa (weights none) or weighted kappa (Cohen 1968, doi 10.1037/h0026256) of ordered classes.

    Large-sample interval (Fleiss, Cohen and Everitt 1969, doi 10.1037/h0028106; by patient), cut at -1 and 1. Where
    the sample shows no variation: exact limits of the weighted agreement, margins held (ours).
    """
    weight, shares, n = _agreement(len(rows.classes), weights), rows.shares, rows.patients.count
    of, called = weight @ shares.sum(axis=0), shares.sum(axis=1) @ weight  # agreement by chance of each class
    agree, chance = float((weight * shares).sum()), float(shares.sum(axis=1) @ of)
    if chance == 1:
        return undefined("0/0, all rows are of one class and are called so", n=n)
    value = (agree - chance) / (1 - chance)
    more_chance = of[rows.of] + called[rows.called] - 2 * chance
    influence = (weight[rows.of, rows.called] - agree - (1 - value) * more_chance) / (1 - chance)
    variance = sum_variance(rows.patients.sums(influence / influence.size))
    if variance < NO_SPREAD:
        low, high = ((limit - chance) / (1 - chance) for limit in clopper_pearson(agree * n, n))
        method = "Clopper-Pearson of the agreement, margins held"
    else:
        low, high = value - Z * np.sqrt(variance), value + Z * np.sqrt(variance)
        method = f"large-sample{rows.patients.clustered}"
    if weights != "none":
        method = f"{weights} weights, {method}"
    return Estimate(value=value, low=max(float(low), -1.0), high=min(float(high), 1.0), n=n, method=method)


def _agreement(k: int, weights: Weights) -> Floats:
    """(k, k) how far two classes agree: 1 for the same, 0 for the first and the last."""
    if weights == "none":
        return np.eye(k)
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / (k - 1)
    return 1 - apart ** (1 if weights == "linear" else 2)
