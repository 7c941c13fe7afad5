"""Observed: an outcome as far as it is known, with weights in place of the patients lost before it was."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Booleans, Floats, both_classes, first_events
from hepatica.evaluate.intervals import sum_variance
from hepatica.evaluate.patients import Patients, patients_of


@dataclass(frozen=True, kw_only=True)
class Censoring:
    """Kaplan-Meier curve G of staying in follow-up; of equal times, events come before censoring.

    At each distinct time `leaving` patients are censored out of `followed`; `row` (n,) is the place of each patient's
    own time, and `censored` (n,) says whether follow-up ended without the event.
    """

    row: NDArray[np.intp]
    censored: Booleans
    leaving: Floats
    followed: Floats

    @property
    def hazard(self) -> Floats:
        """Share of those followed that leave, at each distinct time."""
        return np.divide(self.leaving, np.maximum(self.followed, 1))

    def followed_until(self) -> Floats:
        """(n,) probability G(time-) of being followed up to each patient's own time."""
        still = np.concatenate([[1.0], np.cumprod(1 - self.hazard)])
        return np.asarray(still[self.row], dtype=np.float64)

    def influence(self, own: Floats) -> Floats:
        """What each patient adds, through G alone, to a sum of terms `own` (n,) that are weighted by 1 / G(time-).

        The derivative of that sum by the patient's weight: the martingale term of the influence function.
        """
        sums = np.bincount(self.row, weights=own)
        later = np.cumsum(sums[::-1])[::-1] - sums
        gain = later / np.maximum(self.followed - self.leaving, 1)
        cost = np.cumsum(gain * self.hazard)
        earlier = np.concatenate([[0.0], cost])
        return np.where(self.censored, gain[self.row] - cost[self.row], -earlier[self.row])


def censoring(time: Floats, *, event: Booleans) -> Censoring:
    """Count, at each distinct time, who leaves follow-up and out of how many."""
    row = np.unique(time, return_inverse=True)[1]
    events, leaving = (np.bincount(row, weights=each).astype(float) for each in (event, ~event))
    at_risk = np.cumsum((events + leaving)[::-1])[::-1]
    return Censoring(row=row, censored=~event, leaving=leaving, followed=at_risk - events)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """Whether each row (n,) had the `event`, and how many rows it represents: 0 where that is not known.

    `lost` is the curve of censoring behind the weights, None where each row counts once.
    """

    event: Booleans
    weight: Floats
    patients: Patients
    lost: Censoring | None = None

    @property
    def how(self) -> str:
        """What the method of a statistic adds."""
        return ("" if self.lost is None else ", weighted for censoring") + self.patients.clustered

    @property
    def known(self) -> int:
        """Patients of whom the outcome is known."""
        return self.patients.having(self.weight > 0)

    @property
    def rarer(self) -> int:
        """Patients of the rarer kind: the fewer of those known to have a row with, and one without, the event."""
        return min(self.patients.having((self.weight > 0) & kind) for kind in (self.event, ~self.event))

    def influence(self, own: Floats) -> Floats:
        """(patients,) what each adds to a sum of weighted terms `own` (n,), by its own term and through the weights."""
        return self.patients.sums(own if self.lost is None else own + self.lost.influence(own))

    def ratio(self, part: Floats, *, of: Floats) -> tuple[float, float]:
        """Weighted sum of `part` (n,) over that of `of` (n,), and the variance of this ratio."""
        whole = float(self.weight @ of)
        value = float(self.weight @ part) / whole
        return value, sum_variance(self.influence(self.weight * (part - value * of) / whole))


Outcome = ArrayLike | Observed
"""What a statistic of labels takes: labels (n,) of 0 and 1, or what `at_horizon` says is known of them."""


def observed(label: Outcome, *, group: ArrayLike | None = None) -> Observed:
    """Labels of both classes, each row counting once, `group` (n,) naming its patient; Observed is returned as it is.

    Raises EvaluationError on one class, and on anything that is neither 0 nor 1.
    """
    if isinstance(label, Observed):
        return label
    event = both_classes(label)
    return Observed(event=event, weight=np.ones(event.size), patients=patients_of(group, rows=event.size))


def at_horizon(time: ArrayLike, *, event: ArrayLike, horizon: float, group: ArrayLike | None = None) -> Observed:
    """Whether the event came by `horizon`, with weights in place of the patients censored before it.

    `time` (n,) of the first event or censoring, in the unit of `horizon`; `event` (n,) 1 the event, 0 censored, other
    whole numbers a competing event, after which a patient is free of this one for good, as in `Endpoint.label`. Whoever
    is known to have or not to have had the event by then counts 1 / G(time-), at the latest G(horizon-), with G the
    Kaplan-Meier curve of staying in follow-up (Graf 1999, doi 10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529; Uno
    2007, doi 10.1198/016214507000000149): the weighted share of events is then 1 - Kaplan-Meier. This assumes that
    censoring has nothing to do with risk. Leaving the censored out instead leaves out more patients without than with
    the event. Raises EvaluationError where no patient is known to have had, or not to have had, the event.
    """
    times, causes = first_events(time, event=event)
    known = (causes > 0) | (times >= horizon)
    happened = (causes == 1) & (times <= horizon)
    if not happened.any() or not (known & ~happened).any():
        raise EvaluationError(
            f"outcome at {horizon:g}: got {int(happened.sum())} patients with the event by then and"
            f" {int((known & ~happened).sum())} followed so long without it, wanted some of each"
        )
    lost = censoring(np.minimum(times, horizon), event=known)
    weight = np.where(known, 1 / lost.followed_until(), 0.0)
    return Observed(event=happened, weight=weight, patients=patients_of(group, rows=times.size), lost=lost)
