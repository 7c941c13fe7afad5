"""Choice: AUROC of each network on each denoised subset, and which subset CNN-SASM is trained on, with the reason.

The paper trades performance on denoised patients, which falls as the subset grows, against generalisation, which
first rises. It measures the latter on 14 TCGA patients of the cohort it validates on afterwards and reads the choice
off the curves.

Departures: by default generalisation is measured on all held-out training patients, denoised or not, so that external
patients choose nothing (`generalisation="external"` is the paper's). The choice is a rule: the largest mean of both
AUROCs, at tile level as in the paper's Figure 2, and of equals the larger subset.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from hepatica.cohort import Cohort, EvaluationError, load_cohort
from hepatica.evaluate import Comparison, Estimate, auroc, auroc_over_folds, compare_auroc_over_folds
from hepatica.studies.li_2025_cnn_sasm.settings import OURS, StudySettings
from hepatica.studies.li_2025_cnn_sasm.subsets import confirmed, subset_folder
from hepatica.studies.study import Work

STRICT = Fraction(1, 4)
"""The ratio of the paper's generalisation test: 7 TCGA patients of each class, by whom it chooses the subset too."""

Level = Literal["tile", "image", "patient"]
"""What one score is of; the scores of an image and of a patient are means over their tiles and images."""

Patients = Literal["denoised", "all"]
"""Held-out patients whose survival confirms their status, as the paper tests, or everybody held out."""

LEVELS: tuple[Level, ...] = get_args(Level)

WHO: tuple[Patients, ...] = get_args(Patients)

_OWN = ["candidate", "ratio", "fold", "patient_id", "label", "denoised"]


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


def generalisation(work: Work) -> dict[str, float]:
    """Tile AUROC by ratio of its network on external patients whose survival confirms their status, mean over cohorts;
    a cohort of one class only is left out.
    """
    found: dict[str, float] = {}
    for ratio in work.settings.ratios:
        results = work.results(subset_folder(work.run, ratio))
        results.pop(subset_folder(work.run, ratio))
        each = [_area(load_cohort(cohort), folder, work.settings) for folder, cohort in results.items()]
        values = [area.value for area in each if area is not None]
        if values:
            found[str(ratio)] = sum(values) / len(values)
    return found


def _area(cohort: Cohort, results: Path, settings: StudySettings) -> Estimate | None:
    fold = pd.read_parquet(results / "patients.parquet")["fold"]
    status = cohort.endpoint(settings.endpoint).label(cohort.patients, horizon=None)[fold == "external"]
    strict = confirmed(status, cohort.patients, cohort.survival(settings.survival), settings, ratio=STRICT)
    tiles = pd.read_parquet(results / "regions.parquet")
    tiles = tiles[tiles["patient_id"].isin(strict)]
    try:
        return auroc(tiles["patient_id"].map(status), score=tiles["score"], group=tiles["patient_id"])
    except EvaluationError:  # one of the classes has no patient
        return None


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
