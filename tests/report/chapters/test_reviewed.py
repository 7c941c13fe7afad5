import numpy as np
import pandas as pd
import pytest

from hepatica.pathology.nuclei.detections import FINDINGS
from hepatica.report.chapters.reviewed import compared
from hepatica.studies.liu_2022_mobilenetv2_hcc_class.chapters import EXPECTED


def counted(effect: float, *, patients: int = 20) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        {"patient_id": str(patient), "end": end, "immune_cells": 100 + rng.normal() - effect * (end == "high")}
        | {name: rng.normal() for name in FINDINGS if name != "immune_cells"}
        for patient in range(patients)
        for end in ("high", "low")
    ]
    return pd.DataFrame(rows)


def test_a_planted_difference_is_found_and_corrected() -> None:
    found = compared(counted(20))
    assert found.loc["immune_cells", "difference"] == pytest.approx(-20, abs=2)
    assert found.loc["immune_cells", "q"] < 0.001
    assert (found["q"] >= found["p"]).all()
    assert (found.drop("immune_cells")["q"] > 0.05).all()
    assert set(EXPECTED) == set(FINDINGS)


def test_too_few_patients_have_no_test() -> None:
    assert compared(counted(20, patients=5))["q"].isna().all()
