"""Fleiss: how far several readers agree about the same cases, beyond what chance gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.intervals import NO_SPREAD, Z, clopper_pearson, sum_variance


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Fleiss' kappa, the P value of no agreement beyond chance, and the share of cases about which all agree."""

    kappa: Estimate
    z: float
    p: float
    all_agree: Estimate


def fleiss_kappa(ratings: ArrayLike) -> Agreement:
    """Agreement of readers whose calls `ratings` (cases, readers) are any words or numbers, one category each.

    Kappa of Fleiss 1971 (doi 10.1037/h0031619). z and P take the standard error under no agreement (Fleiss, Nee and
    Landis 1979, doi 10.1037/0033-2909.86.5.974), as R's irr does. The interval takes the large-sample error of the
    kappa found, linearised over cases (Gwet 2021, doi 10.1177/0013164420973080), cut at -1 and 1. All agree:
    Clopper-Pearson. Raises EvaluationError on fewer than two readers, no cases, or blank calls.
    """
    calls = np.asarray(ratings)
    if calls.ndim != 2 or calls.shape[1] < 2 or not calls.shape[0]:
        raise EvaluationError(
            f"Fleiss: got ratings of shape {calls.shape}, wanted (cases, readers) of two or more readers"
        )
    if (calls.astype(str) == "").any() or (calls.astype(str) == "nan").any():
        raise EvaluationError("Fleiss: some calls are blank; leave cases out that were not read by every reader")
    counts = np.stack([(calls == category).sum(axis=1) for category in np.unique(calls)], axis=1).astype(float)
    cases, readers = calls.shape
    unanimous = int((counts.max(axis=1) == readers).sum())
    low, high = clopper_pearson(unanimous, cases)
    share = Estimate(value=unanimous / cases, low=low, high=high, n=cases, method="Clopper-Pearson")
    if counts.shape[1] == 1:
        return Agreement(
            kappa=undefined("0/0, only one category was called", n=cases), z=np.nan, p=np.nan, all_agree=share
        )
    kappa = _kappa(counts, readers)
    z = kappa.value / _null_error(counts, readers)
    return Agreement(kappa=kappa, z=z, p=float(2 * norm.sf(abs(z))), all_agree=share)


def _kappa(counts: Floats, readers: int) -> Estimate:
    cases = len(counts)
    category = counts.mean(axis=0) / readers
    chance = float(category @ category)
    agree = (counts * (counts - 1)).sum(axis=1) / (readers * (readers - 1))
    value = float((agree.mean() - chance) / (1 - chance))
    more_chance = 2 * (counts @ category / readers - chance)
    influence = ((agree - agree.mean()) - (1 - value) * more_chance) / (1 - chance)
    variance = sum_variance(influence / cases)
    if variance < NO_SPREAD:
        return Estimate(value=value, low=None, high=None, n=cases, method="no interval: the sample shows no variation")
    margin = Z * np.sqrt(variance)
    low, high = max(value - margin, -1.0), min(value + margin, 1.0)
    return Estimate(value=value, low=float(low), high=float(high), n=cases, method="large-sample over cases (Gwet)")


def _null_error(counts: Floats, readers: int) -> float:
    """Standard error of kappa when readers agree by chance only."""
    share = counts.mean(axis=0) / readers
    spread = share * (1 - share)
    pairs = len(counts) * readers * (readers - 1)
    inner = spread.sum() ** 2 - (spread * (1 - 2 * share)).sum()
    return float(np.sqrt(2 * inner / pairs) / spread.sum())
