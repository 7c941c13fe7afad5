"""Follow-up: each place a recurrence can stand, each reason to leave a patient out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.fetch.follow_up import FollowUp, covariates, follow_up, primary_diagnosis

PRIMARY = {"submitter_id": "P_diagnosis", "classification_of_tumor": "primary", "diagnosis_is_primary_disease": True}


def case(*, visits=(), further=(), person=None, **primary):
    person = {"vital_status": "Alive"} if person is None else person
    return {"demographic": person, "diagnoses": [*further, PRIMARY | primary], "follow_ups": list(visits)}


def dead(days):
    return {"vital_status": "Dead", "days_to_death": days}


def seen(days, **told):
    return {"days_to_follow_up": days, **told}


def further(kind, days=300, **told):
    return {"classification_of_tumor": kind, "days_to_diagnosis": days, "diagnosis_is_primary_disease": False, **told}


def test_months_are_days_over_the_mean_month():
    # by hand: 1461 days are 4 years of 365.25, so 48 months; 365.25 / 12 = 30.4375 days, so 1217.5 would be 40
    found = follow_up(case(visits=[seen(1461)]))
    assert found.columns() == {
        "recurrence_months": 48.0,
        "recurrence_event": 0,
        "overall_survival_months": 48.0,
        "overall_survival_event": 0,
    }


@pytest.mark.parametrize(
    "recurred",
    [
        case(visits=[seen(150, progression_or_recurrence="Yes", days_to_recurrence=150), seen(900)]),
        case(visits=[seen(200, days_to_progression=150), seen(900)]),
        case(visits=[seen(900)], progression_or_recurrence="yes", days_to_recurrence="150"),
        case(visits=[seen(900)], days_to_recurrence=150),
        case(visits=[seen(900)], further=[further("recurrence", 150)]),
        case(visits=[seen(900)], further=[further("metastasis", 150)]),
        case(visits=[seen(900)], further=[further("Unknown", 150, tumor_of_origin="P_diagnosis")]),
        case(visits=[seen(900, progression_or_recurrence="Yes")], further=[further("recurrence", 150)]),
        case(visits=[seen(900)], further=[further("recurrence", 700), further("Progression", 150)]),
        case(days_to_last_follow_up=900, further=[further("recurrence", 150)]),
    ],
)
def test_a_recurrence_is_found_wherever_it_stands(recurred):
    wanted = FollowUp(recurrence_days=150, recurrence_event=True, survival_days=900, survival_event=False)
    assert follow_up(recurred) == wanted


@pytest.mark.parametrize(
    "well",
    [
        case(visits=[seen(900)]),
        case(visits=[seen(900), seen(300, progression_or_recurrence="No", days_to_recurrence=200)]),
        case(visits=[seen(900)], further=[further("Subsequent Primary")]),
        case(visits=[seen(900)], further=[further("Unknown")]),
        case(visits=[seen(900)], further=[further("Synchronous primary", 0), further("Prior primary", -2000)]),
        case(visits=[seen(900)], further=[further("metastasis", 0)]),
        case(visits=[seen(900, disease_response="WT-With Tumor"), seen(400)]),
        case(days_to_last_follow_up=900, visits=[seen(300)]),
    ],
)
def test_what_is_no_recurrence_is_none(well):
    wanted = FollowUp(recurrence_days=900, recurrence_event=False, survival_days=900, survival_event=False)
    assert follow_up(well) == wanted


def test_death_without_recurrence_ends_the_wait_for_it():
    found = follow_up(case(person=dead(730), visits=[seen(700)]))
    assert found == FollowUp(recurrence_days=730, recurrence_event=False, survival_days=730, survival_event=True)


def test_death_after_recurrence():
    found = follow_up(case(person=dead(400), visits=[seen(150, days_to_recurrence=150)]))
    assert found == FollowUp(recurrence_days=150, recurrence_event=True, survival_days=400, survival_event=True)


def test_a_recurrence_after_the_last_visit_was_a_contact():
    found = follow_up(case(visits=[seen(100)], further=[further("recurrence", 500)]))
    assert found.survival_days == found.recurrence_days == 500


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        (case(), "alive, day of the last contact not recorded"),
        (case(visits=[{"timepoint_category": "Last Contact"}]), "alive, day of the last contact not recorded"),
        (case(visits=[seen(0)]), "no follow-up after the index date"),
        (case(visits=[seen(-3)]), "no follow-up after the index date"),
        (case(person=dead(None), visits=[seen(100)]), "dead, day of death not recorded"),
        (case(person=dead(0)), "no follow-up after the index date"),
        (case(person={"vital_status": "Not Reported"}, visits=[seen(9)]), "vital status not recorded"),
        (case(person={}), "vital status not recorded"),
        (case(person={"vital_status": "Alive", "days_to_death": 9}), "alive, yet with a day of death"),
        (case(visits=[seen(610, progression_or_recurrence="Yes")]), "recurrence recorded without its day"),
        (case(visits=[seen(610)], further=[further("recurrence", None)]), "recurrence recorded without its day"),
        (case(visits=[seen(610, days_to_recurrence=0)]), "recurrence dated on or before the index date"),
        (case(person=dead(100), visits=[seen(90, days_to_recurrence=120)]), "recurrence dated after death"),
        ({}, "vital status not recorded"),
    ],
)
def test_whoever_cannot_be_used_is_left_out_with_the_reason(left_out, reason):
    assert follow_up(left_out) == reason


def test_the_primary_diagnosis_is_found_by_mark_class_or_time():
    assert primary_diagnosis(case(further=[further("recurrence", 5)]))["submitter_id"] == "P_diagnosis"
    classed = [{"days_to_diagnosis": 3}, {"classification_of_tumor": "primary", "days_to_diagnosis": 9}]
    assert primary_diagnosis({"diagnoses": classed}) is classed[1]
    old = [{"days_to_diagnosis": 9}, {"days_to_diagnosis": 0}]
    assert primary_diagnosis({"diagnoses": old}) is old[1]
    assert primary_diagnosis({}) == {}


@settings(deadline=None, max_examples=50)
@given(days=st.lists(st.integers(1, 5000), min_size=1, max_size=5), order=st.randoms(use_true_random=False))
def test_the_order_of_visits_does_not_matter_and_recurrence_never_follows_death(days, order):
    visits = [seen(each, days_to_recurrence=each) for each in days]
    found = follow_up(case(visits=visits))
    order.shuffle(visits)
    assert follow_up(case(visits=visits)) == found
    assert found.recurrence_days == min(days) <= found.survival_days == max(days)


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
