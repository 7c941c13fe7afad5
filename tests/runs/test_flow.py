"""Flow: what the counts of a cohort tell of its endpoints."""

from types import SimpleNamespace

import pandas as pd

from hepatica.cohort import Cohort, Status
from hepatica.runs.results import cohort_flow


def test_the_flow_tells_the_column_of_a_diagnosis() -> None:
    patients = pd.DataFrame({"is_hcc": [1, 0]}, index=pd.Index(["P1", "P2"], name="patient_id"))
    endpoints = {"hcc": Status(name="hcc", column="is_hcc")}
    cohort = Cohort(
        name="x", hospital="x", phantom=True, notes="", digest="", endpoints=endpoints, patients=patients, specimens=()
    )
    nothing = pd.DataFrame(columns=["patient_id", "row", "error"])
    material = SimpleNamespace(specimens=nothing, failures=nothing)
    told = cohort_flow(cohort, modality="table", material=material, folds=pd.Series("test", patients.index))
    assert told["endpoints"] == {"hcc": {"label": "is_hcc"}}
