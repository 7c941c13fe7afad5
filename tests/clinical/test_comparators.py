"""Comparators: scores as risks, and none where an input is missing or impossible."""

import numpy as np
import pandas as pd
import pytest

from hepatica.clinical.comparators import published
from hepatica.cohort import Cohort


@pytest.fixture
def cohort() -> Cohort:
    patients = pd.DataFrame(
        {
            "age_years": [55, 35, 45], "sex": ["male", "female", None], "platelets_10e9_l": [90, 210, 120],
            "tumour_number": [1, 3, 1], "tumour_size_cm": [4.0, 3.5, 2.0], "tumour_sum_cm": [4.0, 9.0, 2.0],
            "vascular_invasion": [0, 0, 1], "extrahepatic_spread": [0, 0, 0], "albumin_g_l": [40, 400, 35],
        },
        index=pd.Index(["P1", "P2", "P3"], name="patient_id"),
    )  # fmt: skip
    about = {"name": "x", "hospital": "x", "phantom": True, "notes": "", "digest": "", "endpoints": {}}
    return Cohort(**about, patients=patients, specimens=())


def test_points_and_rules_are_risks(cohort: Cohort) -> None:
    found = published("page_b", "milan", "ucsf")(None, None, cohort)
    assert found["page_b"].tolist()[:2] == [6 + 6 + 9, 2]  # 50-59, male, below 100; 30-39
    assert np.isnan(found.loc["P3", "page_b"])  # sex is not known
    assert found["milan"].tolist() == [0, 1, 1]  # within; 3 of which one is above 3 cm; invasion
    assert found["ucsf"].tolist() == [0, 1, 1]  # P2: sum above 8 cm


def test_a_column_that_is_absent_or_impossible_leaves_none(cohort: Cohort) -> None:
    found = published("kyoto", "mpage_b")(None, None, cohort)  # no PIVKA-II; albumin of 400 g/L
    assert found.isna().all().all()
    assert found.index.equals(cohort.patients.index)


def test_unknown_score_is_refused_when_the_system_is_made() -> None:
    with pytest.raises(KeyError, match="no such score: adress_hcc"):
        published("page_b", "adress_hcc")
