"""Calibration: whether of patients with a score of 0.3 about 30 in 100 have the event; what acting on scores gains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit, logit
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Booleans, Floats, both_classes, numbers
from hepatica.evaluate.intervals import Z, clopper_pearson, sum_variance, within_unit
from hepatica.evaluate.mean import mean_of
from hepatica.evaluate.patients import Patients, patients_of

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
    event, probability = probabilities(label, score)
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
    event, probability = probabilities(label, score)
    patients = patients_of(group, rows=event.size)
    distance = (probability - event) ** 2
    value = float(distance.mean())
    variance = sum_variance(patients.sums((distance - value) / event.size))
    low, high = within_unit(value, variance=variance, units=patients.count)
    return Estimate(
        value=value, low=low, high=high, n=patients.count, method=f"mean of squares, logit scale{patients.clustered}"
    )


def calibration_intercept(label: ArrayLike, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Calibration in the large: 0 when as many events happened as predicted, above 0 when more did.

    The shift of all logits that makes the mean score the share of events, which is the intercept of a logistic
    regression with the logit as offset (Cox 1958; Van Calster 2019, doi 10.1186/s12916-019-1466-7). Wald interval, by
    patient where `group` names them. Raises as `brier` does.
    """
    event, probability = probabilities(label, score)
    patients = patients_of(group, rows=event.size)
    if patients.count < 2:
        return undefined("one patient shows no variation", n=1)
    log_odds, share = logits(probability), event.mean()
    bracket = logit(share) - np.array([log_odds.max() + 1, log_odds.min() - 1])
    shift = brentq(lambda by: expit(log_odds + by).mean() - share, *bracket)
    low, high = _wald(shift, np.ones((event.size, 1)), expit(log_odds + shift), event, patients)
    method = f"logistic regression with the logit as offset, Wald{patients.clustered}"
    return Estimate(value=shift, low=low, high=high, n=patients.count, method=method)


def calibration_slope(label: ArrayLike, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Calibration slope: 1 is right, below 1 the scores are too extreme, above 1 too moderate.

    Slope of a logistic regression on the logit of the score, Wald interval, by patient where `group` names them.
    Undefined when all scores are equal or a cut-off separates the classes: then it is infinite. Raises as `brier` does.
    """
    event, probability = probabilities(label, score)
    patients = patients_of(group, rows=event.size)
    if parted(event, probability):
        return undefined("the scores are equal or a cut-off separates the classes", n=patients.count)
    if patients.count < 3:
        return undefined(f"{patients.count} patients are too few", n=patients.count)
    log_odds = logits(probability)
    spread = log_odds.std()
    design = np.stack([(log_odds - log_odds.mean()) / spread, np.ones(event.size)], axis=1)
    fitted = GLM(event.astype(float), design, family=families.Binomial()).fit()
    value = float(fitted.params[0])
    low, high = _wald(value, design, fitted.fittedvalues, event, patients)
    method = f"logistic regression on the logit, Wald{patients.clustered}"
    return Estimate(value=value / spread, low=low / spread, high=high / spread, n=patients.count, method=method)


def parted(event: Booleans, probability: Floats) -> bool:
    """Whether no logistic curve fits best: scores of one class all at or above those of the other."""
    with_event, without = probability[event], probability[~event]
    return bool(with_event.min() >= without.max() or with_event.max() <= without.min())


def _wald(value: float, design: Floats, fitted: Floats, event: Booleans, patients: Patients) -> tuple[float, float]:
    """Wald limits of the first coefficient of a logistic regression, robust where patients have several rows."""
    bread = np.linalg.inv(design.T @ (design * (fitted * (1 - fitted))[:, None]))[0]
    variance = float(bread[0])
    if patients.of_row is not None:
        variance = sum_variance(patients.sums(design @ bread * (event - fitted)))
    margin = Z * float(np.sqrt(variance))
    return value - margin, value + margin


def probabilities(label: ArrayLike, score: ArrayLike) -> tuple[Booleans, Floats]:
    """Labels of both classes and scores from 0 to 1; EvaluationError on anything else."""
    event = both_classes(label)
    probability = numbers(score, name="score", like=event.size)
    if probability.min() < 0 or probability.max() > 1:
        got = f"{probability.min():g} to {probability.max():g}"
        raise EvaluationError(f"score: got values from {got}, wanted probabilities from 0 to 1")
    return event, probability


def logits(probability: Floats) -> Floats:
    """Log odds of probabilities, of which none counts as surer than SUREST."""
    clipped: Floats = logit(np.clip(probability, SUREST, 1 - SUREST))
    return clipped


def net_benefit(label: ArrayLike, *, score: ArrayLike, threshold: float, group: ArrayLike | None = None) -> Estimate:
    """True positives less false positives times the odds of the threshold, a row, when those with a score from it on
    are treated; by patient where `group` names them (Vickers and Elkin 2006, doi 10.1177/0272989X06295361).

    With every score 1: that of treating all; of treating none it is 0. Raises as `brier` does, and EvaluationError
    for a threshold that is not between 0 and 1.
    """
    if not 0 < threshold < 1:
        raise EvaluationError(f"got a threshold of {threshold}, wanted a probability between 0 and 1")
    event, probability = probabilities(label, score)
    harm = threshold / (1 - threshold)
    benefit = np.where(probability >= threshold, np.where(event, 1.0, -harm), 0.0)
    return mean_of(benefit, patients_of(group, rows=event.size))
