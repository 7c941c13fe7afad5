import json

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort.applicability import cautions, distances, judge, learn_domain

TRAINING = pd.DataFrame({"bone_share": np.linspace(0.02, 0.04, 101), "units": "HU"})
TOLERANCES = {"bone_share": 0.05}


def test_a_domain_is_the_range_of_training_without_its_tails_in_plain_values() -> None:
    domain = learn_domain(TRAINING, tolerances=TOLERANCES)
    assert domain == {
        "bone_share": {"low": 0.0202, "high": 0.0398, "tolerance": 0.05},
        "units": {"values": ["HU"]},
    }
    assert json.loads(json.dumps(domain)) == domain


def test_a_measure_without_a_tolerance_may_lie_half_its_range_beyond() -> None:
    domain = learn_domain(pd.DataFrame({"afp": np.linspace(0, 100, 101)}), tolerances={})
    assert domain["afp"] == {"low": 1.0, "high": 99.0, "tolerance": 49.0}


def test_what_no_specimen_has_is_no_part_of_a_domain() -> None:
    assert learn_domain(pd.DataFrame({"afp": [np.nan, np.nan]}), tolerances={}) == {}


def test_a_specimen_within_the_tolerance_is_in_the_domain_and_one_beyond_says_why_and_how_far() -> None:
    domain = learn_domain(TRAINING, tolerances=TOLERANCES)
    new = pd.DataFrame(
        {"bone_share": [0.03, 0.0889, 0.2398, np.nan], "units": ["HU", "HU", "grey", "HU"]}, list("abcd")
    )
    found = judge(new, domain=domain)
    assert found["applicability"].to_dict() == {"a": "in_domain", "b": "in_domain", "c": "unusual", "d": "in_domain"}
    assert found.loc["c", "reason"] == (
        "unlike the training specimens: units grey (in training HU);"
        " bone share 0.24 (in training 0.0202 to 0.0398; 4.0 times the tolerance)"
    )
    assert found["reason"].isna().tolist() == [True, True, False, True]


def test_of_many_reasons_the_worst_are_named() -> None:
    domain = learn_domain(pd.DataFrame({name: [0.0, 1.0] for name in "abcde"}), tolerances=dict.fromkeys("abcde", 1.0))
    (reason,) = judge(pd.DataFrame({name: [10.0 + place] for place, name in enumerate("abcde")}), domain=domain)[
        "reason"
    ]
    assert [part.split()[0] for part in reason.split(": ")[1].split("; ")[::2]][:1] == ["e"]
    assert reason.endswith("; 2 more measures")


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30), st.floats(-1e9, 1e9), st.floats(0.001, 1e3))
def test_the_distance_is_0_inside_and_grows_beyond(training: list[float], value: float, tolerance: float) -> None:
    domain = learn_domain(pd.DataFrame({"x": training}), tolerances={"x": tolerance})
    near, far = (distances(pd.DataFrame({"x": [each]}), domain=domain)["x"].item() for each in (value, value * 2))
    assert near >= 0
    if min(training) <= value <= max(training) and len(set(training)) == 1:
        assert near == 0
    if value > max(training) and value > 0:
        assert far >= near


def test_a_measure_that_never_varied_needs_a_tolerance_to_allow_anything() -> None:
    domain = learn_domain(pd.DataFrame({"x": [1.0, 1.0]}), tolerances={})
    assert distances(pd.DataFrame({"x": [1.0, 1.1]}), domain=domain)["x"].tolist() == [0.0, np.inf]


def test_what_makes_a_score_doubtful_is_said_of_its_specimen() -> None:
    table = pd.DataFrame(
        {
            "specimen_id": ["a", "b", "c", "d", None],
            "applicability": ["unusual", "in_domain", "unusual", "unknown", "unusual"],
            "seen_in_training": pd.array([False, False, True, True, True], dtype="boolean"),
        }
    )
    unusual, seen = "UNUSUAL SPECIMEN, unlike those of training", "SEEN IN TRAINING, no estimate for new patients"
    assert cautions(table) == {"a": unusual, "c": f"{unusual}; {seen}", "d": seen}
