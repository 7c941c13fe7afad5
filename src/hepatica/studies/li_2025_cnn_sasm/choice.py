"""Choice: which denoised subset CNN-SASM is trained on, with the reason.

The paper trades performance on denoised patients, which falls as the subset grows, against generalisation, which
first rises. It measures the latter on 14 TCGA patients of the cohort it validates on afterwards and reads the choice
off the curves.

Departures: by default generalisation is measured on all held-out training patients, denoised or not, so that external
patients choose nothing (`generalisation="external"` is the paper's). The choice is a rule: the largest mean of both
AUROCs, at tile level as in the paper's Figure 2, and of equals the larger subset.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from hepatica.cohort import EvaluationError
from hepatica.studies.li_2025_cnn_sasm.performance import performance
from hepatica.studies.li_2025_cnn_sasm.settings import OURS


def choose_subset(cells: pd.DataFrame, *, external: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The chosen `ratio`, a sentence that gives the `reason`, and for each ratio both AUROCs and their mean.

    `external` maps ratios to the AUROC on external patients, the paper's measure of generalisation; without it all
    held-out patients are. EvaluationError when no subset could be judged.
    """
    denoised, everybody = (performance(cells, level="tile", who=who) for who in ("denoised", "all"))
    general = {ratio: found.value for (name, ratio), (found, _) in everybody.items() if name == OURS}
    general = general if external is None else dict(external)
    judged = {
        ratio: {"denoised": found.value, "general": general[ratio]}
        for (name, ratio), (found, _) in denoised.items()
        if name == OURS and ratio in general
    }
    if not judged:
        raise EvaluationError(
            "no subset could be judged: each fold's denoised patients are of one class; use fewer folds, more patients"
        )
    table = {ratio: aurocs | {"mean": sum(aurocs.values()) / 2} for ratio, aurocs in judged.items()}
    best = max(table, key=lambda ratio: (table[ratio]["mean"], Fraction(ratio)))
    return {"ratio": best, "reason": _reason(table, best, external=external is not None), "subsets": table}


def _reason(table: dict[str, dict[str, float]], best: str, *, external: bool) -> str:
    own = table[best]
    whom = "strictly denoised external patients" if external else "all held-out patients"
    reason = (
        f"Subset {best} has the largest mean of the AUROC on denoised held-out patients ({own['denoised']:.3f}) and on"
        f" {whom} ({own['general']:.3f}), {own['mean']:.3f}"
    )
    basis = (
        "External patients were used for the choice, as in the paper: the external validation is optimistic."
        if external
        else "Only training patients were used."
    )
    others = {ratio: each["mean"] for ratio, each in table.items() if ratio != best}
    if not others:
        return f"{reason}; no other could be judged. {basis}"
    second = max(others, key=lambda ratio: others[ratio])
    return f"{reason}; next is {second} with {others[second]:.3f}. {basis}"
