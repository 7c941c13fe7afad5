"""Tasks: which endpoint answers each, who is eligible, and what its scores are about."""

import pandas as pd
import pytest

from hepatica.cohort import (
    Binary,
    Classes,
    Cohort,
    CohortError,
    Margin,
    Measured,
    Months,
    MultiClass,
    Quantities,
    Segmentation,
    Status,
    Survival,
    Target,
    TimeToEvent,
)

COHORT = Cohort(
    name="A",
    hospital="",
    phantom=True,
    notes="",
    digest="",
    endpoints={
        "recurrence": TimeToEvent(name="recurrence", time="months", event="event"),
        "hcc": Status(name="hcc", column="hcc"),
        "lesion": Classes(name="lesion", column="lesion", classes=("cyst", "hcc")),
        "stiffness": Measured(name="stiffness", column="kpa", unit="kPa"),
    },
    patients=pd.DataFrame(
        {
            "months": [1.0, 2, 3],
            "event": [0, 1, 2],
            "hcc": [1, 0, None],
            "lesion": ["hcc", None, "cyst"],
            "kpa": [1, 2, 3],
        },
        index=pd.Index(["P1", "P2", "P3"], name="patient_id"),
    ),
    specimens=(),
)


def test_a_binary_task_has_a_target_a_horizon():
    task = Binary("recurrence", horizons=(Months(12), None))
    assert [each.key for each in task.targets] == ["recurrence_12", "recurrence_final"]
    assert [each.followed for each in task.targets] == [True, True]
    assert [(each.key, each.followed) for each in Binary("hcc").targets] == [("hcc", False)]


@pytest.mark.parametrize(
    ("task", "known"),
    [
        (Binary("recurrence", horizons=(None,)), ("P1", "P2", "P3")),
        (Binary("hcc"), ("P1", "P2")),
        (MultiClass("lesion", classes=("hcc", "cyst")), ("P1", "P3")),
        (Survival("recurrence"), ("P1", "P2", "P3")),
        (Quantities("stiffness"), ("P1", "P2", "P3")),
        (Quantities("metabolites"), ("P1", "P2", "P3")),
    ],
)
def test_patients_of_a_known_outcome_are_eligible(task, known):
    assert task.eligible(COHORT) == known


@pytest.mark.parametrize(
    ("task", "fault"),
    [
        (Binary("lesion"), "declared by label, classes, ordered, wanted time and event or label for a binary task"),
        (Survival("hcc"), "declared by label, wanted time and event for a survival task"),
        (MultiClass("lesion", classes=("hcc", "fnh")), "has the classes cyst, hcc, wanted hcc, fnh"),
        (Survival("death"), "has no endpoint 'death'"),
    ],
)
def test_an_endpoint_that_cannot_answer_is_an_error(task, fault):
    with pytest.raises(CohortError, match=fault):
        task.require(COHORT)


def test_targets_of_other_tasks_are_called_by_their_endpoint():
    (target,) = Survival("overall_survival").targets
    assert target == Target(endpoint="overall_survival", task="survival")
    assert (target.key, target.label, target.followed) == ("overall_survival", "overall survival", True)


def test_other_patients_are_another_cohort() -> None:
    one, two = COHORT.select(["P1"]), COHORT.select(["P2"])
    assert len({COHORT.digest, one.digest, two.digest}) == 3
    assert COHORT.select(["P3", "P2", "P1"]) is COHORT


def test_a_class_nobody_has_cannot_be_learnt() -> None:
    task = MultiClass("lesion", classes=("cyst", "hcc"))
    every = task.eligible(COHORT)
    task.refuse_absent(COHORT, every)
    cysts = [patient for patient in every if COHORT.patients.loc[patient, "lesion"] == "cyst"]
    with pytest.raises(CohortError, match=r"no patient of class hcc to train on, wanted 3 or more of each"):
        task.refuse_absent(COHORT, cysts)


def test_follow_up_without_a_horizon_is_refused_before_anything_is_read():
    with pytest.raises(CohortError, match=r"wanted more than 0, because time and event .* horizons=\(24,\)"):
        Binary("recurrence").require(COHORT)
    with pytest.raises(CohortError, match="a label has no follow-up"):
        Binary("hcc", horizons=(Months(12),)).require(COHORT)
    assert Binary("recurrence", horizons=(Months(12), None)).require(COHORT).name == "recurrence"


def test_a_score_has_the_unit_of_its_task() -> None:
    assert Segmentation("outlines").unit("lesions") == "mL"
    assert Margin("ablative_margin").unit("") == "mm"
    fat = Quantities("fat", units=(("fat", "%"), ("water", "mM")))
    assert [fat.unit(name) for name in ("fat", "water", "iron", "")] == ["%", "mM", "", ""]
    assert Binary("hcc", horizons=(Months(0),)).unit("") == ""
