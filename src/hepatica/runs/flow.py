"""Flow: how many patients and specimens entered, left and why, as a flow diagram needs them."""

from typing import Any

import pandas as pd

from hepatica.cohort import Cohort
from hepatica.protocol import Material


def cohort_flow(cohort: Cohort, *, modality: str, material: Material, folds: pd.Series) -> dict[str, Any]:
    """Counts at each step and the specimens that failed, by their row in specimens.csv and without any identifier."""
    specimens = cohort.specimens_of(modality)
    with_files = {specimen.patient_id for specimen in specimens}
    steps = [
        _step("in the tables", len(cohort.patients), len(specimens)),
        _step("with a specimen", len(with_files), len(specimens)),
        _step("with a usable specimen", int((folds != "not_scored").sum()), len(material.specimens)),
    ]
    counts = folds[folds != "not_scored"].value_counts(sort=False)
    per_patient = material.specimens.groupby("patient_id").size()
    steps += [
        _step(
            f"fold {fold}", int(count), int(per_patient.loc[per_patient.index.isin(folds.index[folds == fold])].sum())
        )
        for fold, count in counts.items()
    ]
    return {
        "name": cohort.name,
        "hospital": cohort.hospital,
        "phantom": cohort.phantom,
        "digest": cohort.digest,
        "endpoints": {name: each.declared for name, each in cohort.endpoints.items()},
        "flow": steps,
        "failures": material.failures[["row", "error"]].to_dict("records"),
    }


def _step(name: str, patients: int, specimens: int) -> dict[str, Any]:
    return {"step": name, "patients": patients, "specimens": specimens}
