"""Covariates: only what is told, at the time of the diagnosis; treatment by its time."""

import pytest

from hepatica.fetch.covariates import covariates
from hepatica.fetch.follow_up import FollowUp

FOLLOWED = FollowUp(recurrence_days=300, recurrence_event=True, survival_days=900, survival_event=False)
CENSORED = FollowUp(recurrence_days=900, recurrence_event=False, survival_days=900, survival_event=False)


def found(*, followed=FOLLOWED, person=(), visits=(), **diagnosis):
    case = {"demographic": dict(person), "diagnoses": [diagnosis], "follow_ups": list(visits)}
    return covariates(case, followed=followed)


def drug(**told):
    return {"treatment_type": "Targeted Molecular Therapy", **told}


def afp(value, **told):
    return {"laboratory_test": "Alpha Fetoprotein", "test_value": value, "test_units": "ng/mL", **told}


def test_nothing_told_is_nothing_filled():
    assert set(found().values()) == {None}


def test_what_is_told_is_copied():
    told = found(
        person={"gender": "Female", "age_at_index": 61},
        ajcc_pathologic_stage="Stage IIIA",
        primary_diagnosis="Hepatocellular carcinoma, NOS",
        child_pugh_classification="Not Reported",
        prior_treatment="No",
    )
    assert told["sex"] == "female"
    assert told["age_years"] == 61
    assert told["ajcc_stage"] == "Stage IIIA"
    assert told["histology"] == "Hepatocellular carcinoma, NOS"
    assert told["child_pugh"] is None
    assert told["earlier_treatment"] == "No"


def test_age_comes_from_days_where_years_are_missing():
    assert found(age_at_diagnosis=21915)["age_years"] == 60  # by hand: 60 x 365.25


@pytest.mark.parametrize(
    ("details", "wanted"),
    [
        ([{"vascular_invasion_present": "Yes"}], 1),
        ([{"vascular_invasion_type": "Micro"}], 1),
        ([{"vascular_invasion_type": "No Vascular Invasion"}, {"vascular_invasion_type": "Macro"}], 1),
        ([{"vascular_invasion_present": "No"}], 0),
        ([{"vascular_invasion_type": "No Vascular Invasion"}], 0),
        ([{"vascular_invasion_present": "Unknown"}], None),
        ([], None),
    ],
)
def test_vascular_invasion(details, wanted):
    assert found(pathology_details=details)["vascular_invasion"] == wanted


def test_the_largest_size_counts():
    details = [{"tumor_largest_dimension_diameter": 2.5}, {"tumor_largest_dimension_diameter": "4"}]
    assert found(pathology_details=details)["tumour_size_cm"] == 4


@pytest.mark.parametrize(
    ("visits", "wanted"),
    [
        ([{"timepoint_category": "Initial Diagnosis", "molecular_tests": [afp(400)]}], 400),
        ([{"molecular_tests": [afp(12, days_to_test=-3)]}], 12),
        ([{"molecular_tests": [afp(12, days_to_test=-3), afp(12, days_to_test=0)]}], 12),
        ([{"molecular_tests": [afp(12, days_to_test=-3), afp(15, days_to_test=0)]}], None),
        ([{"molecular_tests": [afp(12, days_to_test=200)]}], None),
        ([{"timepoint_category": "Last Contact", "molecular_tests": [afp(12)]}], None),
        ([{"molecular_tests": [afp(12, days_to_test=-3, test_units="IU/mL")]}], None),
        ([{"molecular_tests": [afp(12, days_to_test=-3) | {"laboratory_test": "Albumin"}]}], None),
    ],
)
def test_afp_is_that_of_the_diagnosis_in_its_unit(visits, wanted):
    assert found(visits=visits)["afp_ng_ml"] == wanted


def test_risk_factors_are_gathered():
    visits = [{"other_clinical_attributes": [{"risk_factors": ["Hepatitis B Infection", "Unknown"]}]}]
    assert found(visits=[*visits, {"risk_factors": "Alcohol"}])["risk_factors"] == "Alcohol; Hepatitis B Infection"


@pytest.mark.parametrize(
    ("treatments", "followed", "wanted"),
    [
        ([], FOLLOWED, None),
        ([{"treatment_type": "Surgery, NOS", "treatment_or_therapy": "yes"}], FOLLOWED, None),
        ([{"treatment_type": "Pharmaceutical Therapy, NOS", "treatment_or_therapy": "no"}], FOLLOWED, "none"),
        ([{"treatment_type": "Pharmaceutical Therapy, NOS", "treatment_or_therapy": "unknown"}], FOLLOWED, None),
        ([{"treatment_type": "Pharmaceutical Therapy, NOS", "treatment_or_therapy": "yes"}], FOLLOWED, None),
        ([drug(therapeutic_agents="Sorafenib", treatment_intent_type="Adjuvant")], FOLLOWED, "sorafenib"),
        ([drug(treatment_or_therapy="yes", days_to_treatment_start=30)], FOLLOWED, "targeted molecular therapy"),
        ([drug(therapeutic_agents="Sorafenib", days_to_treatment_start=400)], FOLLOWED, "none"),
        ([drug(therapeutic_agents="Sorafenib", days_to_treatment_start=400)], CENSORED, "sorafenib"),
        (
            [drug(therapeutic_agents="Sorafenib", treatment_intent_type="Adjuvant", days_to_treatment_start=400)],
            FOLLOWED,
            "none",
        ),
        ([drug(therapeutic_agents="Sorafenib")], FOLLOWED, None),
        ([drug(treatment_or_therapy="yes", treatment_intent_type="Neoadjuvant")], FOLLOWED, "none"),
        (
            [drug(therapeutic_agents=each, days_to_treatment_start=9) for each in ("Sorafenib", "Doxorubicin")],
            FOLLOWED,
            "doxorubicin; sorafenib",
        ),
    ],
)
def test_treatment_is_none_only_where_the_record_says_so(treatments, followed, wanted):
    assert found(treatments=treatments, followed=followed)["treatment"] == wanted
