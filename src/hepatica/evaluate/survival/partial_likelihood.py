"""Partial likelihood: Cox regression of rows at risk from `start` to `stop`, with weights, several a patient.

Newton's steps are halved while they lower the likelihood. lifelines' CoxTimeVaryingFitter 0.30 takes 0.95 of each step
and shortens the next one only by the length of the last: on pbcseq, where the first step overshoots, the hazards
overflow; statsmodels 0.15 does the same. Neither is cured by centring the covariates.
"""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError, LinAlgWarning, solve

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Booleans, Floats
from hepatica.evaluate.patients import Patients

CONVERGED = 1e-12
"""Relative change of the log likelihood that ends the search; R's coxph has 1e-9."""

_MOST_STEPS, _MOST_HALVINGS = 50, 40
_LARGEST_ERROR = 100.0
"""Standard error, of a covariate in standard deviations, from which a coefficient is taken for infinite. Ours."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows (n,) at risk in (start, stop], of whom `event` ends with one; covariates x (n, p), standardised.

    With `fading` (n,), rows that have 0 there count at each event with their weight times what the row with the event
    has, such as patients with another event in Fine and Gray's model; the other rows always with their weight.
    """

    x: Floats
    start: Floats
    stop: Floats
    event: Booleans
    weight: Floats
    fading: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class At:
    """The likelihood at one point: its value, score, information, and of each event (m,), in the order of time, the
    place of its row, its share of the risk set (Efron: r of m tied events are out of it by r / m), weight, denominator,
    and mean of the covariates. `hazard` (n,) is the rows'.
    """

    value: float
    score: Floats
    information: Floats
    place: "np.ndarray[tuple[int], np.dtype[np.intp]]"
    out: Floats
    weight: Floats
    total: Floats
    mean: Floats
    hazard: Floats


def maximise(rows: Rows, patients: Patients) -> tuple[Floats, Floats, Floats]:
    """Coefficients (p,), their covariance (p, p) from the information, and that clustered by patient (Lin and Wei 1989,
    doi 10.1080/01621459.1989.10478874). Ties are Efron's. EvaluationError where the search does not end.
    """
    beta: Floats = np.zeros(rows.x.shape[1])
    now = likelihood(rows, beta)
    for _ in range(_MOST_STEPS):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", LinAlgWarning)  # what an ill-conditioned step ends in is no estimate
                step = solve(now.information, now.score, assume_a="pos")
        except (LinAlgError, LinAlgWarning, ValueError):
            break
        found, after = _uphill(rows, beta, step, now)
        done = abs(after.value - now.value) <= CONVERGED * abs(after.value)
        beta, now = found, after
        if done:
            try:
                covariance = np.asarray(np.linalg.inv(now.information), np.float64)
            except LinAlgError:
                break
            variance = np.diag(covariance)
            if not ((variance >= 0) & (variance < _LARGEST_ERROR**2)).all():
                break
            moved = _residuals(rows, now) @ covariance
            of_patients = np.column_stack([patients.sums(column) for column in moved.T])
            return beta, covariance, of_patients.T @ of_patients
    raise EvaluationError(
        "Cox model: the likelihood has no maximum that can be found; look for columns that repeat each other, or that"
        " separate the rows with events from the others"
    )


def _uphill(rows: Rows, beta: Floats, step: Floats, now: At) -> tuple[Floats, At]:
    """The first point of a full, half, quarter … step where the likelihood is not lower."""
    for _ in range(_MOST_HALVINGS):
        after = likelihood(rows, beta + step)
        if np.isfinite(after.value) and after.value >= now.value - CONVERGED * abs(now.value):
            break
        step = step / 2
    return beta + step, after


def likelihood(rows: Rows, beta: Floats) -> At:
    """The likelihood of rows at coefficients (p,)."""
    line = rows.x @ beta
    hazard = rows.weight * np.exp(line - line.max())
    moments = [hazard, hazard[:, None] * rows.x]
    place = np.flatnonzero(rows.event)
    place = place[np.argsort(rows.stop[place], kind="stable")]
    _, tie, size = np.unique(rows.stop[place], return_inverse=True, return_counts=True)
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    out = (np.arange(place.size) - first[tie]) / size[tie]
    weight = (np.add.reduceat(rows.weight[place], first) / size)[tie]
    total, sums = (_at_risk(rows, each, place) - _scaled(out, each, place, first, tie) for each in moments)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums / total[:, None]
        value = rows.weight[place] @ (line[place] - line.max()) - weight @ np.log(total)
    score = rows.weight[place] @ rows.x[place] - weight @ mean
    known = {"place": place, "out": out, "weight": weight, "total": total, "mean": mean, "hazard": hazard}
    now = At(value=float(value), score=score, information=np.empty(0), **known)
    return replace(now, information=spread(rows, now, weight))


def spread(rows: Rows, now: At, weight: Floats) -> Floats:
    """Sum over the events, by `weight` (m,), of the covariance (p, p) of the covariates at risk."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # far steps: no information, and no next step
        of_rows = now.hazard * _met(rows, now, weight / now.total)
        return np.asarray(rows.x.T @ (of_rows[:, None] * rows.x) - now.mean.T @ (weight[:, None] * now.mean))


def _met(rows: Rows, now: At, values: Floats) -> Floats:
    """Sum (n, …) of `values` (m, …) of the events at which each row is at risk, less what it is out of them."""
    times = rows.stop[now.place]
    begin, end = (np.searchsorted(times, each, side="right") for each in (rows.start, rows.stop))
    _, first, tie = np.unique(times, return_index=True, return_inverse=True)

    def seen(each: Floats) -> Floats:
        sums = np.concatenate([np.zeros((1, *each.shape[1:])), np.cumsum(each, axis=0)])
        return np.asarray(sums[end] - sums[begin])

    found = seen(values)
    if rows.fading is not None:
        fades = rows.fading == 0
        found[fades] = seen((rows.fading[now.place] * values.T).T)[fades]
    found[now.place] -= np.add.reduceat((now.out * values.T).T, first, axis=0)[tie]
    return found


def _at_risk(rows: Rows, values: Floats, place: np.ndarray) -> Floats:
    """Sum of `values` (n, …) over the rows at risk at the end of each of the rows at `place`: not left, and come."""
    if rows.fading is None:
        return _entered(rows.start, rows.stop, values, at=rows.stop[place])
    fades = rows.fading == 0
    always, fading = (
        _entered(rows.start[own], rows.stop[own], values[own], at=rows.stop[place]) for own in (~fades, fades)
    )
    return np.asarray(always + (rows.fading[place] * fading.T).T)


def _entered(start: Floats, stop: Floats, values: Floats, *, at: Floats) -> Floats:
    found = np.zeros((at.size, *values.shape[1:]))
    for edge, sign in ((stop, 1.0), (start, -1.0)):
        order = np.argsort(-edge, kind="stable")
        sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values[order], axis=0)])
        found += sign * sums[np.searchsorted(-edge[order], -at, side="right")]
    return found


def _scaled(out: Floats, values: Floats, place: np.ndarray, first: np.ndarray, tie: np.ndarray) -> Floats:
    """What of the tied events is out of the risk set of each event."""
    tied = np.add.reduceat(values[place], first, axis=0)[tie]
    return np.asarray(out.reshape(-1, *[1] * (values.ndim - 1)) * tied)


def _residuals(rows: Rows, now: At) -> Floats:
    """Score residuals (n, p): what each row adds to the score."""
    per_hazard = now.weight / now.total
    met, means = _met(rows, now, per_hazard), _met(rows, now, per_hazard[:, None] * now.mean)
    found: Floats = -now.hazard[:, None] * (rows.x * met[:, None] - means)
    _, tie = np.unique(rows.stop[now.place], return_inverse=True)
    size = np.bincount(tie)[tie]
    average = np.column_stack([np.bincount(tie, column)[tie] / size for column in now.mean.T])
    found[now.place] += rows.weight[now.place, None] * (rows.x[now.place] - average)
    return found
