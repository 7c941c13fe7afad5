"""Follow-up: each place a recurrence can stand, each reason to leave a patient out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.fetch.follow_up import FollowUp, follow_up, primary_diagnosis

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
