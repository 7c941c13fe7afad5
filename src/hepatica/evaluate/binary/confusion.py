"""Confusion: patients by what happened and by what the model called them at a fixed cut-off, and the rates of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats, both_classes, numbers, zero_or_one
from hepatica.evaluate.intervals import NO_SPREAD, clopper_pearson, sum_variance, within_unit
from hepatica.evaluate.kappa import kappa_of
from hepatica.evaluate.observed import Observed, Outcome
from hepatica.evaluate.patients import patients_of

TP, FP, FN, TN = np.eye(4)
"""The four cells, in the order of all counts here: TP + FN picks the patients with the event."""

ALL = TP + FP + FN + TN

EXACT = "Clopper-Pearson"
CLUSTERED = "Clopper-Pearson clustered by patient (Korn-Graubard)"


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts at one cut-off: true and false positives, false and true negatives.

    `per_patient` (patients, 4) holds the same counts of each patient, in that order, when patients have several rows.
    Of an outcome `at_horizon` the counts are those of patients for whom it is known, and `rows` (n, 4) are 1 in the
    cell of each; rates are then weighted as `outcome` says.
    """

    tp: int
    fp: int
    fn: int
    tn: int
    per_patient: Floats | None = None
    outcome: Observed | None = None
    rows: Floats | None = None

    @property
    def units(self) -> Floats:
        """(patients, 4) counts of each patient; a patient is a row when none has several."""
        if self.per_patient is not None:
            return self.per_patient
        return np.repeat(np.eye(4), [self.tp, self.fp, self.fn, self.tn], axis=0)


def confusion(label: Outcome, *, score: ArrayLike, cutoff: float, group: ArrayLike | None = None) -> Confusion:
    """Count (n,) rows by label (0 or 1, or of `at_horizon`) and by call; a score at or above `cutoff` is positive.

    `group` (n,) names the patient of each row when there are several. Raises EvaluationError on values that are not
    finite, labels other than 0 and 1, or a cut-off that is no number.
    """
    if not np.isfinite(cutoff):
        raise EvaluationError(f"cut-off: got {cutoff}, wanted a number")
    outcome = label if isinstance(label, Observed) else None
    event = label.event if isinstance(label, Observed) else zero_or_one(label, name="label")
    called = numbers(score, name="score", like=event.size) >= cutoff
    cells = np.stack([event & called, ~event & called, event & ~called, ~event & ~called], axis=1).astype(float)
    if outcome is not None:
        cells *= outcome.weight[:, None] > 0
    tp, fp, fn, tn = (int(count) for count in cells.sum(axis=0))
    if outcome is not None:
        return Confusion(tp=tp, fp=fp, fn=fn, tn=tn, outcome=outcome, rows=cells)
    if group is None:
        return Confusion(tp=tp, fp=fp, fn=fn, tn=tn)
    patients = patients_of(group, rows=event.size)
    per_patient = np.stack([patients.sums(column) for column in cells.T], axis=1)
    return Confusion(tp=tp, fp=fp, fn=fn, tn=tn, per_patient=per_patient)


def accuracy(counted: Confusion) -> Estimate:
    """Share of all that are called rightly."""
    return _share(counted, TP + TN, of=ALL, named="no rows")


def sensitivity(counted: Confusion) -> Estimate:
    """Share of those with the event that are called positive; also recall."""
    return _share(counted, TP, of=TP + FN, named="no row has the event")


def specificity(counted: Confusion) -> Estimate:
    """Share of those without the event that are called negative."""
    return _share(counted, TN, of=FP + TN, named="every row has the event")


def ppv(counted: Confusion) -> Estimate:
    """Positive predictive value: share of those called positive that have the event; also precision."""
    return _share(counted, TP, of=TP + FP, named="no score reaches the cut-off")


def npv(counted: Confusion) -> Estimate:
    """Negative predictive value: share of those called negative that do not have the event."""
    return _share(counted, TN, of=FN + TN, named="every score reaches the cut-off")


def f1(counted: Confusion) -> Estimate:
    """F1 of the positive class: the harmonic mean of PPV and sensitivity.

    F1 = 2 J / (1 + J) with J = TP / (TP + FP + FN), a proportion, whose exact limits are carried over (ours). Like
    every share here it counts as `n` the patients below the fraction line, so true negatives do not count.
    """
    jaccard = _share(counted, TP, of=TP + FP + FN, named="no row has the event and none is called positive")
    if jaccard.low is None or jaccard.high is None:
        return jaccard
    value, low, high = (2 * each / (1 + each) for each in (jaccard.value, jaccard.low, jaccard.high))
    method = f"{jaccard.method} of TP / (TP + FP + FN), carried over to F1"
    return Estimate(value=value, low=low, high=high, n=jaccard.n, method=method)


def _share(counted: Confusion, part: Floats, *, of: Floats, named: str) -> Estimate:
    """A proportion with exact limits; `named` says why when there is nothing to take a share of."""
    parts, wholes = counted.units @ part, counted.units @ of
    n = int(np.count_nonzero(wholes))
    if not n:
        return undefined(f"0/0, {named}", n=0)
    if counted.outcome is not None and counted.rows is not None:
        value, variance = counted.outcome.ratio(counted.rows @ part, of=counted.rows @ of)
        method = f"logit scale{counted.outcome.how}"
        low, high, method = within_unit(value, variance=variance, units=n, degrees=n - 1, method=method)
        return Estimate(value=value, low=low, high=high, n=n, method=method)
    value, effective = float(parts.sum() / wholes.sum()), float(wholes.sum())
    if counted.per_patient is not None:
        effective = _effective_rows(parts[wholes > 0], wholes[wholes > 0])
    low, high = clopper_pearson(value * effective, effective)
    return Estimate(value=value, low=low, high=high, n=n, method=EXACT if counted.per_patient is None else CLUSTERED)


def _effective_rows(parts: Floats, wholes: Floats) -> float:
    """How many independent rows the rows of several patients are worth (Korn and Graubard 1998, Surv Methodol 24:193).

    Never more than there are; where the sample shows no variation, as many as there are patients (ours).
    """
    rows, patients = float(wholes.sum()), parts.size
    value = parts.sum() / rows
    variance = sum_variance((parts - value * wholes) / rows)
    if variance < NO_SPREAD:
        return float(patients)
    fewer_degrees = student.ppf(0.975, rows - 1) / student.ppf(0.975, patients - 1)
    return float(min(rows, value * (1 - value) / variance * fewer_degrees**2))


def kappa(counted: Confusion) -> Estimate:
    """Cohen's kappa of call and outcome, with the interval of `kappa_of`."""
    counts, weighted = counted.units, counted.outcome
    if weighted is not None and counted.rows is not None:
        counts = counted.rows * weighted.weight[:, None]
    rows = counts.sum()
    tp, fp, fn, tn = counts.sum(axis=0) / rows
    return kappa_of(
        np.array([[tn, fp], [fn, tp]]),
        weight=np.eye(2),
        by_patient=lambda values: (np.asarray if weighted is None else weighted.influence)(
            counts @ np.array([values[1, 1], values[0, 1], values[1, 0], values[0, 0]]) / rows
        ),
        n=len(counted.units),
        clustered=weighted.how if weighted else "" if counted.per_patient is None else ", clustered by patient",
    )


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
