"""Endpoints: the binary label of a horizon, hand cases and what must hold for every follow-up."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import (
    Classes,
    CohortError,
    LesionClasses,
    Measured,
    Months,
    Outlined,
    Status,
    Target,
    TimeToEvent,
    declared,
)

RECURRENCE = TimeToEvent(name="recurrence", time="months", event="event")
HCC = Status(name="hcc", column="is_hcc")

FOLLOW_UPS = st.lists(
    st.tuples(st.floats(0, 120) | st.integers(0, 24).map(float), st.integers(0, 1)), min_size=1, max_size=30
).map(lambda rows: pd.DataFrame(rows, columns=["months", "event"], index=[f"P{n}" for n in range(len(rows))]))
HORIZONS = st.floats(0.5, 120) | st.integers(1, 24).map(float)


@pytest.mark.parametrize(
    ("months", "event", "label"),
    [
        (6, 1, 1),
        (12, 1, 1),
        (12.1, 1, 0),
        (6, 0, np.nan),
        (11.9, 0, np.nan),
        (12, 0, 0),
        (30, 0, 0),
        (0, 1, 1),
        (0, 0, np.nan),
    ],
)
def test_a_label_at_12_months(months, event, label):
    patients = pd.DataFrame({"months": [months], "event": [event]}, index=["P1"])
    expected = pd.Series([float(label)], index=["P1"])
    pd.testing.assert_series_equal(RECURRENCE.label(patients, horizon=Months(12)), expected)


def test_without_a_horizon_the_label_is_the_status_at_the_end():
    patients = pd.DataFrame({"months": [1, 99], "event": [0, 1]}, index=["P1", "P2"])
    assert RECURRENCE.label(patients, horizon=None).tolist() == [0, 1]


@pytest.mark.parametrize("horizon", [0, -12, math.nan, math.inf])
def test_a_horizon_is_a_positive_number_of_months(horizon):
    with pytest.raises(CohortError, match="endpoint recurrence: got a horizon of"):
        RECURRENCE.label(pd.DataFrame({"months": [1], "event": [1]}), horizon=Months(horizon))


@settings(deadline=None, max_examples=50)
@given(FOLLOW_UPS, HORIZONS)
def test_unknown_means_censored_before_the_horizon_and_nothing_else(patients, horizon):
    label = RECURRENCE.label(patients, horizon=Months(horizon))
    censored = (patients["event"] == 0) & (patients["months"] < horizon)
    pd.testing.assert_series_equal(label.isna(), censored)
    assert label.dropna().isin([0, 1]).all()


@settings(deadline=None, max_examples=50)
@given(FOLLOW_UPS, HORIZONS, HORIZONS)
def test_an_event_stays_one_later_and_event_free_was_so_earlier(patients, one, other):
    earlier, later = (RECURRENCE.label(patients, horizon=Months(each)) for each in sorted((one, other)))
    assert (later[earlier == 1] == 1).all()
    assert (earlier[later == 0] == 0).all()
    assert later.isna().sum() >= earlier.isna().sum()


@pytest.mark.parametrize(
    ("horizon", "label", "key"),
    [
        (None, "overall survival at end of follow-up", "overall_survival_final"),
        (12.0, "overall survival at 12 months", "overall_survival_12"),
        (1.5, "overall survival at 1.5 months", "overall_survival_1p5"),
    ],
)
def test_the_names_of_a_target(horizon, label, key):
    target = Target(endpoint="overall_survival", horizon=horizon)
    assert (target.label, target.key) == (label, key)


def test_the_names_of_a_diagnosis_have_no_time():
    target = Target(endpoint="liver_cancer", horizon=Months(0))
    assert (target.label, target.key) == ("liver cancer", "liver_cancer")


@pytest.mark.parametrize("horizon", [0, None])
def test_a_diagnosis_is_what_its_column_says(horizon):
    patients = pd.DataFrame({"is_hcc": [1, 0, np.nan]}, index=["P1", "P2", "P3"])
    label = HCC.label(patients, horizon=horizon)
    pd.testing.assert_series_equal(label, pd.Series([1, 0, np.nan], index=["P1", "P2", "P3"], name="is_hcc"))


@pytest.mark.parametrize("horizon", [12, -1, math.nan])
def test_a_diagnosis_has_no_follow_up(horizon):
    with pytest.raises(CohortError, match="endpoint hcc: got a horizon of"):
        HCC.label(pd.DataFrame({"is_hcc": [1]}), horizon=Months(horizon))


GRADE = Classes(name="grade", column="grade", classes=("G1", "G2", "G3"), ordered=True)
STIFFNESS = Measured(name="stiffness", column="stiffness_kpa", unit="kPa")


@pytest.mark.parametrize("endpoint", [RECURRENCE, HCC, GRADE, STIFFNESS, Outlined(name="liver", column="liver_mask")])
def test_an_endpoint_comes_back_from_its_keys(endpoint):
    assert declared(endpoint.name, keys=endpoint.declared) == endpoint


def test_keys_of_no_kind_are_an_error():
    with pytest.raises(CohortError, match="endpoint x: got the keys label, time, wanted time and event; or label;"):
        declared("x", keys={"label": "a", "time": "b"})


def test_a_competing_event_is_event_free_at_every_horizon_and_no_event_at_the_end():
    patients = pd.DataFrame({"months": [6.0, 6.0, 6.0], "event": [0, 1, 2]}, index=["P1", "P2", "P3"])
    assert RECURRENCE.label(patients, horizon=Months(12)).fillna(-1).tolist() == [-1, 1, 0]
    assert RECURRENCE.label(patients, horizon=None).tolist() == [0, 1, 0]


def test_strata_are_the_class_the_status_or_above_the_median():
    patients = pd.DataFrame(
        {
            "months": [1.0, 2.0, 3.0],
            "event": [0, 1, 1],
            "grade": ["G1", None, "G3"],
            "stiffness_kpa": [4.0, np.nan, 9.0],
        },
        index=["P1", "P2", "P3"],
    )
    assert RECURRENCE.strata(patients).tolist() == [0, 1, 1]
    assert GRADE.strata(patients).dropna().to_dict() == {"P1": "G1", "P3": "G3"}
    assert STIFFNESS.strata(patients).dropna().to_dict() == {"P1": 0.0, "P3": 1.0}


def test_a_patient_has_the_class_of_their_largest_lesion():
    endpoint = declared("kind", keys={"lesion": "label", "classes": ["hcc", "cyst"]})
    assert endpoint == LesionClasses(name="kind", lesion="label", classes=("hcc", "cyst"))
    assert (endpoint.column, endpoint.columns) == ("largest_label", ("largest_label",))
    lesions = pd.DataFrame(
        [
            ("P1", "cyst", 8), ("P1", "hcc", 31), ("P2", None, 20), ("P2", "cyst", 5), ("P3", "hcc", None),
            ("P3", "cyst", None),
        ],
        columns=["patient_id", "label", "diameter_mm"],
    )  # fmt: skip
    found = endpoint.of_patients(lesions)
    assert found.fillna("").to_dict() == {"P1": "hcc", "P2": "", "P3": "hcc"}
