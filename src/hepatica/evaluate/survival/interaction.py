"""Interaction: whether a treatment, or any hazard ratio, differs between groups of patients."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import chi2

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Booleans, Floats, follow_up, numbers, zero_or_one
from hepatica.evaluate.intervals import Z
from hepatica.evaluate.survival.cox import HazardRatio, cox


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """Hazard ratios of treated against untreated patients, from one Cox model.

    `high` and `low` are those of patients at high and at low risk. `ratio` says how many times the hazard ratio of
    treatment grows with one unit of risk: from low to high, or with one SD of a continuous score. A ratio of 1 is a
    treatment that goes with the same relative course at any risk; its P is the test for that.
    """

    high: HazardRatio
    low: HazardRatio
    ratio: HazardRatio


def treatment_interaction(time: ArrayLike, *, event: ArrayLike, treated: ArrayLike, risk: ArrayLike) -> Interaction:
    """Fit a Cox model of treated, risk and treated x risk.

    `time` (n,) of event or censoring, `event` and `treated` (n,) 0 or 1. `risk` (n,) is 0 or 1 (a group), or else a
    score, which counts in standard deviations of these patients: `high` and `low` are then one SD above and below
    their mean. The paper of Li 2025 compares treatments within each group instead, which is no test of a difference
    between them (Altman and Bland 2003, doi 10.1136/bmj.326.7382.219).

    Raises EvaluationError where one of the four groups by treatment and risk has no event, and as `cox` does.
    """
    times, events = follow_up(time, event=event)
    given = zero_or_one(treated, name="treated", like=times.size)
    risks = numbers(risk, name="risk", like=times.size)
    if np.isin(risks, (0, 1)).all():
        _refuse_empty(events, given, risks == 1)
        low_at, high_at = 0.0, 1.0
    else:
        risks = (risks - risks.mean()) / risks.std(ddof=1)
        low_at, high_at = -1.0, 1.0
    low, high = (_centred(times, events, given, risks - at) for at in (low_at, high_at))
    return Interaction(high=high["treated"], low=low["treated"], ratio=low["treated x risk"])


def _centred(times: Floats, events: Booleans, treated: Booleans, risk: Floats) -> dict[str, HazardRatio]:
    """The model in which `treated` is the effect where `risk` is 0; moving that point changes no likelihood."""
    columns = pd.DataFrame({"treated": treated.astype(float), "risk": risk, "treated x risk": treated * risk})
    return cox(columns, time=times, event=events)


def _refuse_empty(events: Booleans, treated: Booleans, high: Booleans) -> None:
    for given, name in ((treated, "treated"), (~treated, "untreated")):
        for at, where in ((high, "high"), (~high, "low")):
            if not (events & given & at).any():
                raise EvaluationError(
                    f"treatment interaction: none of {int((given & at).sum())} {name} patients at {where} risk had the"
                    " event; the hazard ratio there is 0, infinite or unknown"
                )


def heterogeneity_p(ratios: Sequence[Estimate]) -> Estimate:
    """P value that a ratio is the same in subgroups of different patients: the test of interaction.

    Cochran's Q of the logarithms, weighted by the inverse of their variances, which are read off the intervals; of two
    ratios it is the z test of Altman and Bland 2003 (doi 10.1136/bmj.326.7382.219). That one subgroup has P < 0.05 and
    another has not is no sign of a difference; this is. Undefined with fewer than two ratios that have an interval.
    """
    known = [(each.value, each.low, each.high) for each in ratios if each.low and each.high and each.value > 0]
    n = sum(each.n for each in ratios)
    if len(known) < 2:
        return undefined("fewer than two subgroups have a ratio with an interval", n=n)
    value, low, high = np.log(np.array(known)).T
    weight = (2 * Z / (high - low)) ** 2
    apart = weight @ (value - np.average(value, weights=weight)) ** 2
    p = float(chi2.sf(apart, len(known) - 1))
    return Estimate(value=p, low=None, high=None, n=n, method="test of interaction (Cochran's Q), no interval")
