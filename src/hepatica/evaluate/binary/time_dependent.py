"""Time-dependent: AUROC at a horizon in months, with weights in place of the patients lost before it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Comparison, Estimate
from hepatica.evaluate.inputs import Booleans, Floats, Risk, follow_up, numbers
from hepatica.evaluate.intervals import normal_comparison, sum_variance, within_unit

METHOD = "cumulative/dynamic, inverse probability of censoring weights, influence function, logit scale"


def time_dependent_auroc(time: ArrayLike, *, event: ArrayLike, score: Risk, horizon: float) -> Estimate:
    """How often a patient with the event by `horizon` scores higher than one free of it then.

    Cumulative cases, dynamic controls (Heagerty 2000, doi 10.1111/j.0006-341X.2000.00337.x). Patients censored before
    the horizon are neither; each case has the weight 1 / G(time-), with G the Kaplan-Meier curve of censoring
    (Uno 2007, doi 10.1198/016214507000000149), which assumes that censoring has nothing to do with risk. Whoever is
    followed to the horizon without the event is a control, as in `Endpoint.label`; without censoring before it this is
    the AUROC of those labels. The interval rests on each patient's influence, that on G included (Blanche 2013,
    doi 10.1002/sim.5958), and is normal on the logit scale.

    `time`, `event`, `score`: (n,), the score a Risk: the higher, the earlier. O(n log n). Raises EvaluationError when
    there is no case or no control.
    """
    found = _influenced(time, event, score, horizon)
    low, high = within_unit(found.value, variance=sum_variance(found.influence), units=found.units)
    return Estimate(value=found.value, low=low, high=high, n=found.influence.size, method=METHOD)


def compare_time_dependent_auroc(
    time: ArrayLike, *, event: ArrayLike, score_a: Risk, score_b: Risk, horizon: float
) -> Comparison:
    """The AUROC of `score_a` less that of `score_b` at the horizon, in the same patients (Blanche 2013): the difference
    of what each patient adds to either. Raises as `time_dependent_auroc`.
    """
    a, b = (_influenced(time, event, each, horizon) for each in (score_a, score_b))
    variance = sum_variance(a.influence - b.influence)
    return normal_comparison(a.value - b.value, variance=variance, n=a.influence.size, method=f"{METHOD}; paired")


@dataclass(frozen=True, kw_only=True)
class _Influenced:
    value: float
    influence: Floats
    units: int


def _influenced(time: ArrayLike, event: ArrayLike, score: Risk, horizon: float) -> _Influenced:
    """The AUROC at a horizon, what each patient adds to it, and how many there are of the rarer kind."""
    times, events = follow_up(time, event=event)
    risk = numbers(score, name="score", like=times.size)
    case, control = events & (times <= horizon), (times > horizon) | ((times == horizon) & ~events)
    if not case.any() or not control.any():
        raise EvaluationError(
            f"time-dependent AUROC at {horizon:g}: got {int(case.sum())} patients with the event by then and"
            f" {int(control.sum())} followed so long without it, wanted some of each"
        )
    lost = censoring(times, event=events)
    weight = np.where(case, 1 / lost.followed_until(), 0.0)
    below = _share_below(risk, among=risk[control], weight=np.ones(control.sum()))
    above = 1 - _share_below(risk, among=risk[case], weight=weight[case])
    value = min(float(weight @ below / weight.sum()), 1.0)  # rounding of the weights could exceed 1
    own = weight * (below - value) / weight.sum()
    influence = own + lost.influence(own) + np.where(control, above - value, 0.0) / control.sum()
    return _Influenced(value=value, influence=influence, units=int(min(case.sum(), control.sum())))


def _share_below(values: Floats, *, among: Floats, weight: Floats) -> Floats:
    """Share of the weight of `among` that lies below each value, ties half."""
    order = np.argsort(among)
    ranked, summed = among[order], np.concatenate([[0.0], np.cumsum(weight[order])])
    left, right = (summed[np.searchsorted(ranked, values, side=side)] for side in ("left", "right"))
    return np.asarray((left + right) / (2 * summed[-1]), dtype=np.float64)


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
