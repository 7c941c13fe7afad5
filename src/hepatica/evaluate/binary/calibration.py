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
from hepatica.evaluate.inputs import Booleans, Floats, numbers
from hepatica.evaluate.intervals import NO_SPREAD, Z, clopper_pearson, quantile, sum_variance, within_unit
from hepatica.evaluate.observed import Observed, Outcome, observed

SUREST = 1e-6
"""Probabilities are kept this far from 0 and 1 before their logit is taken, which would be infinite. Ours."""


@dataclass(frozen=True, kw_only=True)
class CalibrationGroup:
    """Patients of similar score: their mean `score`, and the share of them that had the event."""

    score: float
    observed: Estimate


def calibration_curve(label: Outcome, *, score: ArrayLike, groups: int = 10) -> list[CalibrationGroup]:
    """Observed share of the event in groups of about equal size, ordered by predicted probability.

    `label` (n,) 0 or 1, or of `at_horizon`; `score` (n,) a probability. Patients of one score stay together, so there
    may be fewer groups than asked for, and with few patients each holds at least five of them (ours). Clopper-Pearson
    limits, where there are weights normal ones on the logit scale; a group of which nothing is known is left out.
    Raises EvaluationError on one class or scores outside 0 to 1.
    """
    outcome, probability = probabilities(label, score)
    wanted = max(1, min(groups, probability.size // 5))
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, wanted + 1)[1:-1]))
    place = np.searchsorted(edges, probability, side="left")
    return [_group(outcome, probability, place == each) for each in np.unique(place[outcome.weight > 0])]


def _group(outcome: Observed, probability: Floats, rows: Booleans) -> CalibrationGroup:
    value, variance = outcome.ratio((outcome.event & rows).astype(float), of=rows.astype(float))
    known, method = int((rows & (outcome.weight > 0)).sum()), "Clopper-Pearson"
    low, high = clopper_pearson(value * known, known)
    if outcome.lost is not None:
        low, high, method = within_unit(value, variance=variance, units=known, method=f"logit scale{outcome.how}")
    observed_share = Estimate(value=value, low=low, high=high, n=int(rows.sum()), method=method)
    return CalibrationGroup(score=float(probability[rows].mean()), observed=observed_share)


def brier(label: Outcome, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Brier score: mean squared distance of probability and outcome; 0 is perfect, always saying 0.5 gives 0.25.

    `label` (n,) 0 or 1, or of `at_horizon` (Graf 1999). Interval from the spread of the squared distances, by patient
    when `group` (n,) names the patient of each row, on the logit scale. Raises EvaluationError on one class or scores
    outside 0 to 1.
    """
    outcome, probability = probabilities(label, score, group=group)
    value, variance = outcome.ratio((probability - outcome.event) ** 2, of=np.ones(probability.size))
    method, degrees = "mean of squares, logit scale, t", outcome.rarer - 1
    low, high, method = within_unit(value, variance=variance, units=outcome.known, degrees=degrees, method=method)
    return _estimate(value, low, high, outcome, method)


def observed_to_expected(label: Outcome, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Share of events over the mean score, O/E: 1 when as many events happened as predicted, above 1 when more did.

    At a horizon the share is 1 - Kaplan-Meier, and the mean is that of all patients. Normal interval on the log scale,
    of the share alone: scores are taken as given (Debray 2017, doi 10.1136/bmj.i6460). Raises as `brier` does.
    """
    outcome, probability = probabilities(label, score, group=group)
    share, variance = outcome.ratio(outcome.event.astype(float), of=np.ones(probability.size))
    expected = float(probability.mean())
    if not expected:
        return undefined("all scores are 0", n=outcome.patients.count)
    factor = float(np.exp(Z * np.sqrt(variance) / share))
    value = share / expected
    return _estimate(value, value / factor, value * factor, outcome, "log scale")


def calibration_intercept(label: Outcome, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Calibration in the large: 0 when as many events happened as predicted, above 0 when more did.

    The shift of all logits that makes the mean score the share of events, which is the intercept of a logistic
    regression with the logit as offset (Cox 1958; Van Calster 2019, doi 10.1186/s12916-019-1466-7). Interval with the
    sandwich variance, for that of the model is right only where the slope is 1; none where it would be wider than all
    log odds that scores may have. Raises as `brier` does.
    """
    outcome, probability = probabilities(label, score, group=group)
    if outcome.patients.count < 2:
        return undefined("one patient shows no variation", n=1)
    log_odds, weight = logits(probability), outcome.weight
    share = float(weight @ outcome.event / weight.sum())
    bracket = logit(share) - np.array([log_odds.max() + 1, log_odds.min() - 1])
    shift = brentq(lambda by: weight @ expit(log_odds + by) / weight.sum() - share, *bracket)
    low, high = _limits(shift, np.ones((log_odds.size, 1)), expit(log_odds + shift), outcome)
    method = f"logistic regression with the logit as offset, sandwich{clipped(probability)}"
    if high - low > np.ptp(logits([0.0, 1.0])):
        method = f"{method}{outcome.how}, no interval: the scores are too sure"
        return Estimate(value=float(shift), low=None, high=None, n=outcome.patients.count, method=method)
    return _estimate(shift, low, high, outcome, method)


def calibration_slope(label: Outcome, *, score: ArrayLike, group: ArrayLike | None = None) -> Estimate:
    """Calibration slope: 1 is right, below 1 the scores are too extreme, above 1 too moderate.

    Slope of a logistic regression on the logit of the score, interval with the sandwich variance. Undefined when
    all scores are equal or a cut-off separates the classes: then it is infinite. Raises as `brier` does.
    """
    outcome, probability = probabilities(label, score, group=group)
    n = outcome.patients.count
    if parted(outcome, probability):
        return undefined("the scores are equal or a cut-off separates the classes", n=n)
    if n < 3:
        return undefined(f"{n} patients are too few", n=n)
    log_odds = logits(probability)
    spread = log_odds.std()
    design = np.stack([(log_odds - log_odds.mean()) / spread, np.ones(log_odds.size)], axis=1)
    coefficients = logistic(outcome, design)
    low, high = _limits(coefficients[0], design, expit(design @ coefficients), outcome)
    method = f"logistic regression on the logit, sandwich{clipped(probability)}"
    return _estimate(coefficients[0] / spread, low / spread, high / spread, outcome, method)


def _estimate(value: float, low: float, high: float, outcome: Observed, method: str) -> Estimate:
    return Estimate(
        value=float(value), low=float(low), high=float(high), n=outcome.patients.count, method=method + outcome.how
    )


def logistic(outcome: Observed, design: Floats) -> Floats:
    """Coefficients (k,) of a weighted logistic regression on the columns of `design` (n, k)."""
    model = GLM(outcome.event.astype(float), design, family=families.Binomial(), freq_weights=outcome.weight)
    return np.asarray(model.fit().params, np.float64)


def parted(outcome: Observed, probability: Floats) -> bool:
    """Whether no logistic curve fits best: scores of one class all at or above those of the other."""
    known = outcome.weight > 0
    with_event, without = probability[known & outcome.event], probability[known & ~outcome.event]
    return bool(with_event.min() >= without.max() or with_event.max() <= without.min())


def _limits(value: float, design: Floats, fitted: Floats, outcome: Observed) -> tuple[float, float]:
    """Limits of the first coefficient of a weighted logistic regression, by the sandwich of its influences, and
    Student's t with one degree of freedom fewer than patients of the rarer kind (docs/studies/few_events.md).
    """
    weight = outcome.weight
    bread = np.linalg.inv(design.T @ (design * (weight * fitted * (1 - fitted))[:, None]))[0]
    variance = sum_variance(outcome.influence(weight * (design @ bread) * (outcome.event - fitted)))
    margin = quantile(outcome.rarer - 1) * float(np.sqrt(variance))
    return value - margin, value + margin


def probabilities(label: Outcome, score: ArrayLike, *, group: ArrayLike | None = None) -> tuple[Observed, Floats]:
    """What is known of an outcome of both classes, and scores from 0 to 1; EvaluationError on anything else."""
    outcome = observed(label, group=group)
    probability = numbers(score, name="score", like=outcome.event.size)
    if probability.min() < 0 or probability.max() > 1:
        got = f"{probability.min():g} to {probability.max():g}"
        raise EvaluationError(f"score: got values from {got}, wanted probabilities from 0 to 1")
    return outcome, probability


def logits(probability: ArrayLike) -> Floats:
    """Log odds of probabilities, of which none counts as surer than SUREST."""
    clipped: Floats = logit(np.clip(probability, SUREST, 1 - SUREST))
    return clipped


def clipped(probability: Floats) -> str:
    """What the method of a statistic of logits adds where some scores are 0 or 1, or as good as that."""
    count = int(((probability < SUREST) | (probability > 1 - SUREST)).sum())
    return f", {count} scores kept {SUREST:g} from 0 and 1" if count else ""


def net_benefit(label: Outcome, *, score: ArrayLike, threshold: float, group: ArrayLike | None = None) -> Estimate:
    """True positives less false positives times the odds of the threshold, a row, when those with a score from it on
    are treated; by patient where `group` names them (Vickers and Elkin 2006, doi 10.1177/0272989X06295361; at a horizon
    Vickers 2008, doi 10.1186/1472-6947-8-53). Student's t interval.

    With every score 1: that of treating all; of treating none it is 0. Raises as `brier` does, and EvaluationError
    for a threshold that is not between 0 and 1.
    """
    if not 0 < threshold < 1:
        raise EvaluationError(f"got a threshold of {threshold}, wanted a probability between 0 and 1")
    outcome, probability = probabilities(label, score, group=group)
    benefit = np.where(outcome.event, 1.0, -threshold / (1 - threshold))
    value, variance = outcome.ratio(np.where(probability >= threshold, benefit, 0.0), of=np.ones(probability.size))
    if variance < NO_SPREAD:
        method = "mean, no interval: the sample shows no variation among patients"
        return Estimate(value=value, low=None, high=None, n=outcome.patients.count, method=method)
    margin = quantile(outcome.patients.count - 1) * float(np.sqrt(variance))
    return _estimate(value, value - margin, value + margin, outcome, "mean, linear scale")
