"""Competing: cumulative incidence of one of several events, of which the first ends the chance of the others."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Floats, first_events
from hepatica.evaluate.intervals import Z, clopper_pearson
from hepatica.evaluate.observed import censoring
from hepatica.evaluate.survival.cox import HazardRatio, cox
from hepatica.evaluate.survival.over_time import cox_over_time


@dataclass(frozen=True, kw_only=True)
class CumulativeIncidence:
    """Share of patients who have had the event first, from each `time` (m,) on; `low` and `high` are 95 % limits.

    `at_risk` counts those without any event before; `last` is the longest follow-up.
    """

    time: Floats
    incidence: Floats
    low: Floats
    high: Floats
    at_risk: Floats
    last: float
    n: int

    def at(self, horizon: float) -> Estimate:
        """Share by `horizon`; undefined beyond the longest follow-up while patients are left."""
        place = int(np.searchsorted(self.time, horizon, side="right")) - 1
        if horizon > self.last:
            return undefined(f"no patient was followed beyond {self.last:g}", n=self.n)
        method = "Aalen-Johansen, log(-log) scale"
        value = float(self.incidence[place]) if place >= 0 else 0.0
        if value == 0:
            low, high = clopper_pearson(0, self.at_risk[max(place, 0)])
            method = "Aalen-Johansen, Clopper-Pearson over the patients at risk"
        else:
            low, high = float(self.low[place]), float(self.high[place])
        return Estimate(value=value, low=low, high=high, n=self.n, method=method)


def cumulative_incidence(time: ArrayLike, *, event: ArrayLike, cause: int = 1) -> CumulativeIncidence:
    """Aalen-Johansen estimate of the share of patients to whom `cause` has happened first.

    `time` (n,) of the first event or censoring; `event` (n,) its number, 0 censored. 1 - Kaplan-Meier overstates it,
    for it takes patients with another event for censored ones, who could still have this one. Ties are taken as they
    are (lifelines' AalenJohansenFitter moves them apart at random). Variance: the sum of squares of what each patient
    adds (infinitesimal jackknife, as in R's survfit); without a competing event it is Greenwood's. Raises
    EvaluationError on faulty times or events, or where `cause` never happens.
    """
    times, causes = _first_events(time, event, cause)
    at, place = np.unique(times, return_inverse=True)
    every, own = (np.bincount(place, mask, at.size).astype(float) for mask in (causes > 0, causes == cause))
    left = np.bincount(place, minlength=at.size)[::-1].cumsum()[::-1].astype(float)
    before = np.concatenate([[1.0], np.cumprod(1 - every / left)[:-1]])
    incidence = np.cumsum(before * own / left)
    variance = _variance(place, causes, cause, left=left, every=every, own=own, before=before)
    low, high = _limits(incidence, variance)
    return CumulativeIncidence(
        time=at, incidence=incidence, low=low, high=high, at_risk=left, last=float(at[-1]), n=times.size
    )


def _first_events(time: ArrayLike, event: ArrayLike, cause: int) -> tuple[Floats, Floats]:
    times, causes = first_events(time, event=event)
    if not (causes == cause).any():
        raise EvaluationError(
            f"event: got no patient with event {cause}; they have {sorted(set(causes.astype(int).tolist()))}"
        )
    return times, causes


def _variance(
    place: np.ndarray, causes: Floats, cause: int, *, left: Floats, every: Floats, own: Floats, before: Floats
) -> Floats:
    """Of the incidence F at each time t (m,): the sum of the squares of what each patient adds to it.

    While at risk a patient moves the hazard dA by (their event - dA) / at risk. By that of the cause F(t) moves with
    the share S(s-) free before; by that of any event with -(F(t) - F(s)) / (1 - dA(s)). After a patient's own time
    nothing changes but F(t), so that what they add is c - F(t) d.
    """
    incidence = np.cumsum(before * own / left)
    of_cause, of_any = before / left, 1 / (np.where(every < left, 1 - every / left, 1.0) * left)
    gone_c = np.cumsum(of_cause * own / left + of_any * incidence * every / left)
    gone_d = np.cumsum(of_any * every / left)
    is_own, is_any = causes == cause, causes > 0
    c = of_cause[place] * is_own + (of_any * incidence)[place] * is_any - gone_c[place]
    d = of_any[place] * is_any - gone_d[place]
    cc, cd, dd = (np.cumsum(np.bincount(place, each, left.size)) for each in (c * c, c * d, d * d))
    still = np.append(left[1:], 0)  # at risk after each time
    return np.asarray(cc - 2 * incidence * cd + incidence**2 * dd + still * (gone_c - incidence * gone_d) ** 2)


def _limits(incidence: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Limits on the log(-log) scale of 1 - incidence; where that is 0 or 1 they are the curve itself."""
    free = 1 - incidence
    inside = (free > 0) & (free < 1)
    known = np.where(inside, free, 0.5)
    margin = Z * np.sqrt(variance) / (known * np.abs(np.log(known)))
    low, high = (1 - known ** np.exp(sign * margin) for sign in (-1, 1))
    return np.where(inside, low, incidence), np.where(inside, high, incidence)


def cause_specific(
    covariates: pd.DataFrame, *, time: ArrayLike, event: ArrayLike, cause: int = 1
) -> dict[str, HazardRatio]:
    """Cox model of the rate of `cause` among those without any event: the other events count as censored; see `cox`."""
    times, causes = _first_events(time, event, cause)
    return cox(covariates, time=times, event=causes == cause)


def fine_gray(covariates: pd.DataFrame, *, time: ArrayLike, event: ArrayLike, cause: int = 1) -> dict[str, HazardRatio]:
    """Subdistribution hazard ratios: what moves the cumulative incidence of `cause`, by any way, also by deaths.

    Patients with another event stay at risk, with the weight of one who would still be followed: G(t-) / G(s-) after
    their event at s, G being the Kaplan-Meier curve of censoring (Fine and Gray 1999, doi
    10.1080/01621459.1999.10474144, by the weighted Cox model of Geskus 2011, doi 10.1111/j.1541-0420.2010.01420.x).
    Intervals are clustered by patient and do not count the uncertainty of G. Raises EvaluationError as `cox` does.
    """
    times, causes = _first_events(time, event, cause)
    until, own = censoring(times, event=causes > 0).followed_until(), causes == cause
    last = times[own].max(initial=-np.inf)
    stays = np.flatnonzero((causes > 0) & ~own & (times < last))
    whole = np.arange(times.size)
    return cox_over_time(
        covariates.iloc[np.append(whole, stays)],
        start=np.append(np.full(times.size, -1.0), times[stays]),
        stop=np.append(times, np.full(stays.size, last)),
        event=np.append(own, np.zeros(stays.size, bool)),
        group=np.append(whole, stays),
        weight=np.append(np.ones(times.size), 1 / until[stays]),
        fading=np.append(until, np.zeros(stays.size)),
    )
