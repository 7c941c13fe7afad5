"""Choice: which denoised subset CNN-SASM is trained on, from cross-validation alone, with the reason.

The paper trades performance on denoised patients, which falls as the subset grows, against generalisation, which
first rises. It measures the latter on 14 TCGA patients of the cohort it validates on afterwards and reads the choice
off the curves.

Departures: generalisation is measured on all held-out training patients, denoised or not, so that external patients
choose nothing; the choice is a rule: the largest mean of both AUROCs, at tile level as in the paper's Figure 2, and of
equals the larger subset.
"""

from fractions import Fraction
from typing import Any

import pandas as pd

from hepatica.cohort import EvaluationError
from hepatica.studies.li_2025.performance import performance
from hepatica.studies.li_2025.settings import OURS


def choose_subset(cells: pd.DataFrame) -> dict[str, Any]:
    """The chosen `ratio`, a sentence that gives the `reason`, and for each ratio both AUROCs and their mean.

    EvaluationError when no subset could be judged.
    """
    denoised, everybody = (performance(cells, level="tile", who=who) for who in ("denoised", "all"))
    judged = {
        ratio: {"denoised": denoised[OURS, ratio][0].value, "all": everybody[OURS, ratio][0].value}
        for candidate, ratio in denoised
        if candidate == OURS and (OURS, ratio) in everybody
    }
    if not judged:
        raise EvaluationError(
            "no subset could be judged: each fold's denoised patients are of one class; use fewer folds, more patients"
        )
    table = {ratio: aurocs | {"mean": (aurocs["denoised"] + aurocs["all"]) / 2} for ratio, aurocs in judged.items()}
    best = max(table, key=lambda ratio: (table[ratio]["mean"], Fraction(ratio)))
    return {"ratio": best, "reason": _reason(table, best), "subsets": table}


def _reason(table: dict[str, dict[str, float]], best: str) -> str:
    own = table[best]
    said = (
        f"Subset {best} has the largest mean of the held-out AUROC on denoised patients ({own['denoised']:.3f}) and on"
        f" all patients ({own['all']:.3f}), {own['mean']:.3f}"
    )
    others = {ratio: each["mean"] for ratio, each in table.items() if ratio != best}
    if not others:
        return f"{said}; no other could be judged."
    second = max(others, key=lambda ratio: others[ratio])
    return f"{said}; next is {second} with {others[second]:.3f}. Only training patients were looked at."
