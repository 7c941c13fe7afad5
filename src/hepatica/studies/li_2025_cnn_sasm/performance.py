"""Performance: AUROC of each candidate and subset over the folds, at tile, image and patient level."""

from typing import Literal, get_args

import pandas as pd

from hepatica.cohort import EvaluationError
from hepatica.evaluate import Comparison, Estimate, auroc_over_folds, compare_auroc_over_folds

Level = Literal["tile", "image", "patient"]
"""What one score is of; the scores of an image and of a patient are means over their tiles and images."""

Patients = Literal["denoised", "all"]
"""Held-out patients whose survival confirms their status, as the paper tests, or everybody held out."""

LEVELS: tuple[Level, ...] = get_args(Level)
WHO: tuple[Patients, ...] = get_args(Patients)

_OWN = ["candidate", "ratio", "fold", "patient_id", "label", "denoised"]


def at_level(cells: pd.DataFrame, level: Level) -> pd.DataFrame:
    """The held-out scores, one row a tile, image or patient."""
    if level == "tile":
        return cells
    images = cells.groupby([*_OWN, "specimen_id"], sort=False, as_index=False)[["score"]].mean()
    if level == "image":
        return images
    return images.groupby(_OWN, sort=False, as_index=False)[["score"]].mean()


def performance(
    cells: pd.DataFrame, *, level: Level, who: Patients
) -> dict[tuple[str, str], tuple[Estimate, dict[str, float]]]:
    """Mean AUROC over folds with its interval, and each fold's, by (candidate, ratio); left out where no fold has two
    classes.
    """
    rows = at_level(cells, level)
    rows = rows[rows["denoised"]] if who == "denoised" else rows
    found = {}
    for (candidate, ratio), own in rows.groupby(["candidate", "ratio"], sort=False):
        try:
            found[str(candidate), str(ratio)] = auroc_over_folds(
                own["label"], score=own["score"], fold=own["fold"], group=own["patient_id"]
            )
        except EvaluationError:
            continue
    return found


def compare(cells: pd.DataFrame, *, first: str, ratio: str, who: Patients) -> dict[str, Comparison]:
    """AUROC of `first` minus that of each other candidate on the same held-out tiles of a subset, by candidate."""
    rows = cells[(cells["ratio"] == ratio) & (cells["denoised"] | (who == "all"))]
    scores = {str(name): own.reset_index(drop=True) for name, own in rows.groupby("candidate", sort=False)}
    own = scores.pop(first)
    return {
        name: compare_auroc_over_folds(
            own["label"], score_a=own["score"], score_b=other["score"], fold=own["fold"], group=own["patient_id"]
        )
        for name, other in scores.items()
    }
