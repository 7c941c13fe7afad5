"""Survival: every statistic of a risk against follow-up, in one call."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.binary import binary_metrics
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.groups.permutation import permutation_null
from hepatica.evaluate.inputs import Booleans, Floats, Risk, first_events, follow_up, numbers
from hepatica.evaluate.observed import at_horizon
from hepatica.evaluate.survival.concordance import c_index
from hepatica.evaluate.survival.cox import cox
from hepatica.evaluate.survival.kaplan_meier import log_rank_p, log_rank_statistic

PERMUTATIONS = 1000
"""Permutations of subtypes among patients. Ours."""

UNTESTED = (
    "Grambsch-Therneau: the hazard ratio has no finite estimate of maximum likelihood, or patients of both groups are"
    " at risk at one time of events at most"
)
"""Why there is no P that a hazard ratio is the same at all times."""


def survival_metrics(
    time: ArrayLike, *, event: ArrayLike, score: ArrayLike, cutoff: float | None = None, horizon: float | None = None
) -> dict[str, Estimate]:
    """C-index of the scores, and log-rank test and hazard ratio of patients at or above `cutoff` against the rest; with
    a `horizon` also the statistics of `binary_metrics` for the event by then, weighted for censoring.

    `time` (n,) of event or censoring, `event` (n,) 1 happened, 0 censored, or from 2 on a competing event, `score` (n,)
    the higher, the earlier the event. Competing events count as censored, at the horizon as free of the event. Without
    a cut-off the groups are split at the median of these very scores, which `method` says: a cut-off fixed on other
    patients is better. Raises EvaluationError on faulty values or when no two patients can be compared.
    """
    scores, (times, causes) = numbers(score, name="score"), first_events(time, event=event)
    happened = causes == 1
    concordance = c_index(times, event=happened, score=Risk(scores))
    split = float(np.median(scores)) if cutoff is None else cutoff
    if not np.isfinite(split):
        raise EvaluationError(f"cut-off: got {split}, wanted a number")
    split_note = f"groups split at {split:.6g}, " + ("the median of these scores" if cutoff is None else "as given")
    high = scores >= split
    grouped = {"log_rank_p": log_rank_p(times, event=happened, group=high)} | _hazard_ratio(times, happened, high)
    found = {name: replace(each, method=f"{each.method}; {split_note}") for name, each in grouped.items()}
    found = {"c_index": concordance} | found
    if horizon is None:
        return found
    return found | binary_metrics(at_horizon(times, event=causes, horizon=horizon), score=scores, cutoff=split)


def _hazard_ratio(time: Floats, event: Booleans, high: Booleans) -> dict[str, Estimate]:
    """Hazard ratio of the high group against the low, its P, and that of the ratio being the same at all times."""
    try:
        found = cox(pd.DataFrame({"high": high.astype(float)}), time=time, event=event)["high"]
    except EvaluationError as error:
        return dict.fromkeys(
            ("hazard_ratio", "hazard_ratio_p", "proportional_hazards_p"), undefined(str(error), n=high.size)
        )
    test = f"{found.ratio.method}, no interval"
    p = Estimate(value=found.p, low=None, high=None, n=high.size, method=test)
    same = Estimate(value=found.changes_p, low=None, high=None, n=high.size, method="Grambsch-Therneau, no interval")
    changes = undefined(UNTESTED, n=high.size) if np.isnan(found.changes_p) else same
    return {"hazard_ratio": found.ratio, "hazard_ratio_p": p, "proportional_hazards_p": changes}


def subtype_metrics(time: ArrayLike, *, event: ArrayLike, group: ArrayLike, share: ArrayLike) -> dict[str, Estimate]:
    """Log-rank test of the groups (n,) of patients, by its chi-square distribution and by permuting the groups among
    patients; and the C-index of the expected subtype of each patient by the probability `share` (n, k) of each, the
    first of which has the most events. Groups must not have been formed by this survival: if they were, these P values
    are not valid, and `permutation_null` of the whole analysis is needed.
    """
    times, events = follow_up(time, event=event)
    groups, shares = np.unique(np.asarray(group), return_inverse=True)[1], np.asarray(share, float)
    asymptotic = log_rank_p(times, event=events, group=groups)

    def found(order: np.ndarray) -> float:
        return log_rank_statistic(times[order], event=events[order], group=groups)

    null = permutation_null(found, patients=len(groups), permutations=PERMUTATIONS)
    by_chance = replace(asymptotic, value=null.p, method=f"log-rank test, {PERMUTATIONS} permutations, no interval")
    place = shares @ np.arange(shares.shape[1], 0, -1)
    return {
        "c_index": c_index(times, event=events, score=Risk(place)),
        "log_rank_p": asymptotic,
        "log_rank_permutation_p": asymptotic if np.isnan(asymptotic.value) else by_chance,
    }
