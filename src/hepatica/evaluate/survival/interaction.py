"""Interaction: whether a treatment goes with a different course in patients at high risk than in those at low risk."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Booleans, Floats, follow_up, numbers, zero_or_one
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
