"""Generalisation: the tile AUROC of each subset's network on external patients whose survival confirms their status.

The paper takes 7 TCGA patients of each class by its strictest ratio, and chooses the subset by them too.
"""

from fractions import Fraction
from pathlib import Path

import pandas as pd

from hepatica.cohort import Cohort, EvaluationError, load_cohort
from hepatica.evaluate import Estimate, auroc
from hepatica.studies.li_2025_cnn_sasm.settings import StudySettings
from hepatica.studies.li_2025_cnn_sasm.subsets import confirmed, subset_folder
from hepatica.studies.study import Work

STRICT = Fraction(1, 4)
"""The ratio of the paper's generalisation test."""


def generalisation(work: Work) -> dict[str, float]:
    """AUROC by ratio, mean over the external cohorts; a cohort of one class only is left out."""
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
