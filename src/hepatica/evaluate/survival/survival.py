"""Survival: every statistic of a risk against follow-up, in one call."""

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.estimate import Estimate, undefined
from hepatica.evaluate.inputs import Booleans, Risk, numbers
from hepatica.evaluate.survival.concordance import c_index
from hepatica.evaluate.survival.cox import cox
from hepatica.evaluate.survival.kaplan_meier import log_rank_p


def survival_metrics(
    time: ArrayLike, *, event: ArrayLike, score: ArrayLike, cutoff: float | None = None
) -> dict[str, Estimate]:
    """C-index of the scores, and log-rank test and hazard ratio of patients at or above `cutoff` against the rest.

    `time` (n,) of event or censoring, `event` (n,) 1 happened or 0 censored, `score` (n,) the higher, the earlier the
    event. Without a cut-off the groups are split at the median of these very scores, which `method` says: a cut-off
    fixed on other patients is better. Raises EvaluationError on faulty values or when no two patients can be compared.
    """
    scores = numbers(score, name="score")
    concordance = c_index(time, event=event, score=Risk(scores))
    split = float(np.median(scores)) if cutoff is None else cutoff
    if not np.isfinite(split):
        raise EvaluationError(f"cut-off: got {split}, wanted a number")
    split_note = f"groups split at {split:.6g}, " + ("the median of these scores" if cutoff is None else "as given")
    high = scores >= split
    grouped = {"log_rank_p": log_rank_p(time, event=event, group=high)} | _hazard_ratio(time, event, high)
    found = {name: replace(each, method=f"{each.method}; {split_note}") for name, each in grouped.items()}
    return {"c_index": concordance} | found


def _hazard_ratio(time: ArrayLike, event: ArrayLike, high: Booleans) -> dict[str, Estimate]:
    """Hazard ratio of the high group against the low, and its P value."""
    try:
        found = cox(pd.DataFrame({"high": high.astype(float)}), time=time, event=event)["high"]
    except EvaluationError as error:
        return dict.fromkeys(("hazard_ratio", "hazard_ratio_p"), undefined(str(error), n=high.size))
    p = Estimate(value=found.p, low=None, high=None, n=high.size, method="Cox, Wald test, no interval")
    return {"hazard_ratio": found.ratio, "hazard_ratio_p": p}
