"""Recalibration: shift and stretch scores until they are probabilities of a cohort; temperature scaling."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.calibration import calibration_intercept, logistic, logits, parted, probabilities
from hepatica.evaluate.inputs import Floats
from hepatica.evaluate.observed import Outcome


@dataclass(frozen=True, kw_only=True)
class Recalibration:
    """An update of probabilities on the scale of their log odds: new = `intercept` + `slope` times old."""

    intercept: float
    slope: float

    def apply(self, score: ArrayLike) -> Floats:
        """Updated probabilities (n,) of scores from 0 to 1; their order stays as long as the slope is above 0."""
        updated: Floats = expit(self.intercept + self.slope * logits(np.asarray(score, dtype=np.float64)))
        return updated


def recalibrate(label: Outcome, *, score: ArrayLike, slope: bool) -> Recalibration:
    """The update that fits scores (n,) from 0 to 1 to labels (n,), 0 or 1 or of `at_horizon`, of another cohort.

    Without `slope` only the intercept is estimated, after which the mean score is the share of events; with it, both
    by logistic regression on the log odds (Steyerberg 2004, doi 10.1002/sim.1844; Van Calster 2019, doi
    10.1186/s12916-019-1466-7). Neither changes which of two patients has the higher score (slope above 0), hence no
    AUROC. Raises EvaluationError on one class, scores outside 0 to 1, and for a slope on equal scores or when a
    cut-off parts the classes, for then it is infinite.
    """
    if not slope:
        return Recalibration(intercept=calibration_intercept(label, score=score).value, slope=1.0)
    outcome, probability = probabilities(label, score)
    if parted(outcome, probability):
        raise EvaluationError("recalibration: the scores are equal or a cut-off separates the classes; no slope fits")
    found = logistic(outcome, np.stack([np.ones(probability.size), logits(probability)], axis=1))
    return Recalibration(intercept=float(found[0]), slope=float(found[1]))


BINS = 10
"""Bins of confidence. Ours: usual are 10 and 15, and the error found grows with them."""

COOLEST, HOTTEST = 0.01, 100.0
"""Temperatures looked among. Ours."""


def fit_temperature(label: ArrayLike, *, logits: ArrayLike) -> float:
    """The temperature by which logits (n, classes) are to be divided to make the labels (n,) likeliest.

    `label` counts classes from 0. Above 1 the classifier was too sure of itself, below 1 too little; which class is
    likeliest never changes (Guo 2017, arXiv:1706.04599). Fit it on other patients than it is judged on. Raises
    EvaluationError on labels that are no class, values that are not finite, and where the likelihood has no maximum:
    every case right, or hardly better than chance.
    """
    true, scores = _checked(label, logits)

    def mean_loss(log_temperature: float) -> float:
        log_probability = log_softmax(scores / np.exp(log_temperature), axis=1)
        return float(-log_probability[np.arange(true.size), true].mean())

    if (scores.argmax(axis=1) == true).all():
        raise EvaluationError("temperature: every case is right, so the lower the better; there is no best temperature")
    coolest, hottest = np.log([COOLEST, HOTTEST])
    found = minimize_scalar(mean_loss, bounds=(coolest, hottest), method="bounded", options={"xatol": 1e-8})
    if hottest - found.x < 1e-3:
        raise EvaluationError(
            "temperature: the logits separate the classes no better than chance; there is no best one"
        )
    return float(np.exp(found.x))


def expected_calibration_error(label: ArrayLike, *, logits: ArrayLike, bins: int = BINS) -> float:
    """Mean distance of confidence and accuracy over bins, weighted by cases; 0 is perfect.

    Confidence is the softmax probability of the likeliest class of logits (n, classes). Bins are of equal width from 0
    to 1, closed above; empty ones do not count (Naeini 2015, doi 10.1609/aaai.v29i1.9602). Biased upwards in small
    samples, hence without an interval. Raises EvaluationError as `fit_temperature` does on bad values.
    """
    true, scores = _checked(label, logits)
    probability = softmax(scores, axis=1)
    confidence = probability.max(axis=1)
    right = probability.argmax(axis=1) == true
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / true.size)


def _checked(label: ArrayLike, logits: ArrayLike) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Floats]:
    scores, given = np.asarray(logits, dtype=np.float64), np.asarray(label, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[1] < 2 or given.shape != scores.shape[:1] or not given.size:
        raise EvaluationError(f"got labels {given.shape} and logits {scores.shape}, wanted (n,) and (n, classes)")
    if not np.isfinite(scores).all() or not np.isin(given, np.arange(scores.shape[1])).all():
        raise EvaluationError(f"temperature: wanted finite logits and labels from 0 to {scores.shape[1] - 1}")
    return given.astype(np.int64), scores
