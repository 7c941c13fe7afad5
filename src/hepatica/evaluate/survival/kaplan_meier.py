"""Kaplan-Meier: event-free survival over time with its interval and the numbers at risk, and the log-rank test."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from numpy.typing import ArrayLike
from scipy.stats import chi2

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Booleans, Floats, follow_up, numbers
from hepatica.evaluate.patients import patients_of


@dataclass(frozen=True, kw_only=True)
class KaplanMeier:
    """A survival curve: from each `time` on `survival` holds until the next one; the first time is 0.

    `low` and `high` are its 95 % limits, Clopper and Pearson's for the patients still at risk where it is 1 or 0 (ours;
    by convention they coincide with the curve there); `at_risk` counts the patients whose own time is not shorter.
    """

    time: Floats
    survival: Floats
    low: Floats
    high: Floats
    at_risk: Floats

    def at(self, times: ArrayLike) -> pd.DataFrame:
        """A row for each of `times`: time, survival, low, high, at_risk.

        Survival is NaN beyond the longest follow-up, unless the curve had reached 0 by then.
        """
        asked = numbers(times, name="times")
        if asked.min() < 0:
            raise EvaluationError(f"times: got {asked.min():g}, wanted 0 or more")
        row = np.searchsorted(self.time, asked, side="right") - 1
        unknown = (asked > self.time[-1]) & (self.survival[row] > 0)
        curve = {name: np.where(unknown, np.nan, getattr(self, name)[row]) for name in ("survival", "low", "high")}
        at_risk = np.append(self.at_risk, 0)[np.searchsorted(self.time, asked, side="left")].astype(int)
        return pd.DataFrame({"time": asked, **curve, "at_risk": at_risk})

    def survival_at(self, horizon: float) -> Estimate:
        """Share of patients free of the event at `horizon`, as an Estimate; undefined beyond the longest follow-up."""
        found, n = self.at([horizon]).iloc[0], int(self.at_risk[0])
        value, method = float(found["survival"]), "Kaplan-Meier, log(-log) scale"
        if math.isnan(value):
            return undefined(f"no patient was followed beyond {self.time[-1]:g}", n=n)
        if value in (0, 1):
            method = "Kaplan-Meier, Clopper-Pearson over the patients at risk"
        return Estimate(value=value, low=float(found["low"]), high=float(found["high"]), n=n, method=method)


def kaplan_meier(time: ArrayLike, *, event: ArrayLike) -> KaplanMeier:
    """Kaplan-Meier curve (lifelines) with Greenwood's limits on the log(-log) scale.

    `time` (n,) of event or censoring, `event` (n,) 1 happened or 0 censored. Raises EvaluationError on times below 0,
    missing values or events other than 0 and 1.
    """
    times, events = follow_up(time, event=event)
    fitted = KaplanMeierFitter().fit(times, events)
    survival = fitted.survival_function_.to_numpy(float)[:, 0]
    low, high = fitted.confidence_interval_.to_numpy(float).T
    at_risk = fitted.event_table["at_risk"].to_numpy(float)
    left = np.append(at_risk[1:], at_risk[-1])  # still there after each time; at the last, those of that time
    return KaplanMeier(
        time=fitted.survival_function_.index.to_numpy(float),
        survival=survival,
        low=np.where(survival == 1, 0.025 ** (1 / left), low),
        high=np.where(survival == 0, 1 - 0.025 ** (1 / at_risk), high),
        at_risk=at_risk,
    )


def log_rank_p(time: ArrayLike, *, event: ArrayLike, group: ArrayLike) -> Estimate:
    """Log-rank test that the survival of two or more groups is the same: its P value.

    `group` (n,) names the group of each patient. With one group or no event it is undefined, and `method` says so.
    Raises EvaluationError as `kaplan_meier` does.
    """
    times, events = follow_up(time, event=event)
    groups = patients_of(group, rows=times.size)
    if groups.count == 1:
        return undefined("all patients are in one group", n=times.size)
    if not events.any():
        return undefined("no patient had the event", n=times.size)
    place = np.arange(times.size) if groups.of_row is None else groups.of_row
    p = float(chi2.sf(log_rank_statistic(times, event=events, group=place), groups.count - 1))
    return Estimate(value=p, low=None, high=None, n=times.size, method="log-rank test, no interval")


def log_rank_statistic(time: Floats, *, event: Booleans, group: np.ndarray) -> float:
    """Chi-square of the log-rank test of groups numbered from 0, (n,), with as many degrees of freedom less one.

    Mantel 1966 (Cancer Chemother Rep 50:163), its variance hypergeometric. Ours for permutations: lifelines takes
    milliseconds, this a hundredth of that.
    """
    order = np.argsort(-time, kind="stable")
    member = np.equal.outer(group[order], np.arange(group.max() + 1)).astype(float)
    first = np.unique(-time[order], return_index=True)[1]
    last = np.append(first[1:], len(order)) - 1
    at_risk = np.cumsum(member, axis=0)[last]
    events = np.add.reduceat(member * event[order, None], first, axis=0)
    total, deaths = at_risk.sum(axis=1), events.sum(axis=1)
    share = at_risk / total[:, None]
    spread = deaths * (total - deaths) / np.maximum(total - 1, 1)
    beyond = (events - deaths[:, None] * share).sum(axis=0)
    variance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    return float(beyond @ np.linalg.pinv(variance) @ beyond)
