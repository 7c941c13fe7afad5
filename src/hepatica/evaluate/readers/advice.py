"""Advice: what readers make of a machine's answers, of those that are right and of those that are wrong."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Booleans, Floats
from hepatica.evaluate.intervals import NO_SPREAD

METHOD = "mean over readings, clustered by reader and by case"


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Readings of one kind of advice: share of right calls before it, with it, and the difference of the two.

    `n` of each estimate counts the cases; `readings` the pairs of readings, one before and one with advice.
    """

    readings: int
    before: Estimate
    after: Estimate
    gain: Estimate


def by_advice(right: Booleans, *, before: Booleans, after: Booleans) -> dict[str, Followed]:
    """Readings by whether the advice shown was `right`, "right" and "wrong"; all arrays (readers, cases).

    `before` and `after` say whether the reader called the case rightly. Advice may differ between readers of a case,
    where each shows the machine another part of it. Readers have different cases in a group, so the test of Obuchowski
    and Rockette does not apply: intervals add the variance over readers to that over cases and subtract that over
    readings (Cameron, Gelbach and Miller 2011, doi 10.1198/jbes.2010.07136), never less than the larger one, with the
    degrees of freedom of the fewer clusters.
    """
    return {name: _followed(chosen, before, after) for name, chosen in {"right": right, "wrong": ~right}.items()}


def _followed(chosen: Booleans, before: Booleans, after: Booleans) -> Followed:
    first, second = before.astype(float), after.astype(float)
    return Followed(
        readings=int(chosen.sum()),
        before=_mean(first, chosen, least=0.0),
        after=_mean(second, chosen, least=0.0),
        gain=_mean(second - first, chosen, least=-1.0),
    )


def _mean(values: Floats, chosen: Booleans, *, least: float) -> Estimate:
    cases, clusters = int(chosen.any(axis=0).sum()), int(min(chosen.any(axis=0).sum(), chosen.any(axis=1).sum()))
    if clusters < 2:
        return undefined(f"advice of this kind for {clusters} readers or cases, wanted 2 or more", n=cases)
    mean = float(values[chosen].mean())
    apart = np.where(chosen, values - mean, 0.0) / chosen.sum()
    over = [float((part**2).sum()) for part in (apart.sum(axis=0), apart.sum(axis=1), apart)]
    variance = max(over[0] + over[1] - over[2], over[0], over[1]) * clusters / (clusters - 1)
    if variance < NO_SPREAD:
        return Estimate(value=mean, low=None, high=None, n=cases, method="no interval: the sample shows no variation")
    margin = float(student.ppf(0.975, clusters - 1)) * variance**0.5
    return Estimate(value=mean, low=max(mean - margin, least), high=min(mean + margin, 1.0), n=cases, method=METHOD)
