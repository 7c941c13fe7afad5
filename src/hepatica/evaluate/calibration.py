"""Calibration: whether of patients with a score of 0.3 about 30 in 100 have the event."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logit
from statsmodels.api import GLM, families
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Booleans, Floats, both_classes, codes, numbers, sum_by
from hepatica.evaluate.intervals import clopper_pearson, sum_variance, within_unit

SUREST = 1e-6
"""Probabilities are kept this far from 0 and 1 before their logit is taken, which would be infinite. Ours."""


@dataclass(frozen=True, kw_only=True)
class CalibrationGroup:
    """Patients of similar score: their mean `score`, and the share of them that had the event."""

    score: float
    observed: Estimate


def calibration_curve(label: ArrayLike, *, score: ArrayLike, groups: int = 10) -> list[CalibrationGroup]:
    """Observed share of the event in groups of about equal size, ordered by predicted probability.

    `label` (n,) 0 or 1, `score` (n,) a probability. Patients of one score stay together, so there may be fewer groups
    than asked for, and with few patients each holds at least five of them (ours). Clopper-Pearson limits. Raises
    EvaluationError on one class or scores outside 0 to 1.
    """
    event, probability = _probabilities(label, score)
    wanted = max(1, min(groups, event.size // 5))
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, wanted + 1)[1:-1]))
    place = np.searchsorted(edges, probability, side="left")
    return [_group(event[place == each], probability[place == each]) for each in np.unique(place)]


def _group(event: Booleans, probability: Floats) -> CalibrationGroup:
    low, high = clopper_pearson(event.sum(), event.size)
    observed = Estimate(value=float(event.mean()), low=low, high=high, n=event.size, method="Clopper-Pearson")
    return CalibrationGroup(score=float(probability.mean()), observed=observed)


def brier(label: ArrayLike, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Brier score: mean squared distance of probability and outcome; 0 is perfect, always saying 0.5 gives 0.25.

    Interval from the spread of the squared distances, by patient when `group` (n,) names the patient of each row, on
    the logit scale. Raises EvaluationError on one class or scores outside 0 to 1.
    """
    event, probability = _probabilities(label, score)
    patient = codes(group, like=event.size)
    distance = (probability - event) ** 2
    value, n = float(distance.mean()), int(patient.max()) + 1
    variance = sum_variance(sum_by(patient, (distance - value) / event.size))
    low, high = within_unit(value, variance=variance, units=n)
    return Estimate(value=value, low=low, high=high, n=n, method="mean of squares, logit scale")


def calibration_intercept(label: ArrayLike, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Calibration in the large: 0 when as many events happened as predicted, above 0 when more did.

    Intercept of a logistic regression with the logit of the score as offset (Cox 1958; Van Calster 2019,
    doi 10.1186/s12916-019-1466-7), Wald interval, by patient where `group` names them. Raises as `brier` does.
    """
    event, probability = _probabilities(label, score)
    design = np.ones((event.size, 1))
    return _logistic(event, design, offset=_logit(probability), group=group, method="logistic regression on offset")


def calibration_slope(label: ArrayLike, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Calibration slope: 1 is right, below 1 the scores are too extreme, above 1 too moderate.

    Slope of a logistic regression on the logit of the score, Wald interval, by patient where `group` names them.
    Undefined when all scores are equal or part the classes perfectly. Raises as `brier` does.
    """
    event, probability = _probabilities(label, score)
    if probability.min() == probability.max():
        return undefined("all scores are equal", n=event.size)
    design = np.stack([_logit(probability), np.ones(event.size)], axis=1)
    return _logistic(event, design, offset=None, group=group, method="logistic regression on the logit of the score")


def _probabilities(label: ArrayLike, score: ArrayLike) -> tuple[Booleans, Floats]:
    event = both_classes(label)
    probability = numbers(score, name="score", like=event.size)
    if probability.min() < 0 or probability.max() > 1:
        got = f"{probability.min():g} to {probability.max():g}"
        raise EvaluationError(f"score: got values from {got}, wanted probabilities from 0 to 1")
    return event, probability


def _logit(probability: Floats) -> Floats:
    clipped: Floats = logit(np.clip(probability, SUREST, 1 - SUREST))
    return clipped


def _logistic(
    event: Booleans, design: Floats, *, offset: Floats | None, group: ArrayLike | None, method: str
) -> Estimate:
    """First coefficient of a logistic regression with Wald limits."""
    patient = codes(group, like=event.size)
    robust = {} if group is None else {"cov_type": "cluster", "cov_kwds": {"groups": patient}}
    n = int(patient.max()) + 1
    if n <= design.shape[1]:
        return undefined(f"{n} patients are too few for {design.shape[1]} coefficients", n=n)
    with warnings.catch_warnings():
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            fitted = GLM(event.astype(float), design, family=families.Binomial(), offset=offset).fit(**robust)
        except (PerfectSeparationWarning, ConvergenceWarning):
            return undefined("the scores part the classes perfectly", n=n)
    low, high = (float(limit) for limit in fitted.conf_int()[0])
    clustered = "" if group is None else ", clustered by patient"
    return Estimate(value=float(fitted.params[0]), low=low, high=high, n=n, method=f"{method}, Wald{clustered}")
