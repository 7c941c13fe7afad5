import math

import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.inputs import Risk
from hepatica.evaluate.survival.concordance import c_index
from hepatica.evaluate.survival.kaplan_meier import log_rank_p
from hepatica.evaluate.survival.survival import subtype_metrics, survival_metrics


@pytest.fixture
def followed() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    risk = rng.normal(size=120)
    happens, ends = rng.exponential(20 * np.exp(-risk)), rng.uniform(5, 60, 120)
    return {"time": np.minimum(happens, ends), "event": happens <= ends, "score": risk}


def test_a_risk_that_ranks_well(followed: dict[str, np.ndarray]) -> None:
    found = survival_metrics(**followed)
    assert list(found) == ["c_index", "log_rank_p", "hazard_ratio", "hazard_ratio_p", "proportional_hazards_p"]
    assert found["c_index"].low is not None
    assert found["c_index"].low > 0.5
    assert found["log_rank_p"].value < 0.01
    assert found["hazard_ratio"].value > 1
    assert {each.n for each in found.values()} == {120}


def test_the_sign_runs_through(followed: dict[str, np.ndarray]) -> None:
    found, turned = survival_metrics(**followed), survival_metrics(**followed | {"score": -followed["score"]})
    assert turned["c_index"].value == pytest.approx(1 - found["c_index"].value)
    assert turned["hazard_ratio"].value == pytest.approx(1 / found["hazard_ratio"].value)
    assert turned["log_rank_p"].value == pytest.approx(found["log_rank_p"].value)


def test_the_groups_are_said(followed: dict[str, np.ndarray]) -> None:
    median, given = survival_metrics(**followed), survival_metrics(**followed, cutoff=0.25)
    assert median["log_rank_p"].method.endswith("the median of these scores")
    assert given["hazard_ratio"].method.endswith("groups split at 0.25, as given")


def test_a_cutoff_that_leaves_one_group(followed: dict[str, np.ndarray]) -> None:
    found = survival_metrics(**followed, cutoff=100.0)
    assert found["c_index"].value > 0.5
    for name in ("log_rank_p", "hazard_ratio", "hazard_ratio_p"):
        assert math.isnan(found[name].value)
        assert found[name].method.startswith("not computable")


# The one patient of the high group dies first, so that the ratio is infinite; all die at one time.
@pytest.mark.parametrize(
    ("time", "event", "high"), [([1, 2, 3], [1, 1, 1], [1, 0, 0]), ([1, 1, 2], [1, 1, 0], [1, 0, 1])]
)
def test_a_ratio_that_cannot_be_tested_for_change_says_so(time: list[int], event: list[int], high: list[int]) -> None:
    found = survival_metrics(time, event=event, score=np.array(high, float), cutoff=1.0)
    assert math.isfinite(found["hazard_ratio"].value)
    assert math.isnan(found["proportional_hazards_p"].value)
    assert found["proportional_hazards_p"].method.startswith("not computable: Grambsch-Therneau")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"event": np.zeros(120)}, "wanted two patients that can be compared"),
        ({"time": np.full(120, -1.0)}, "time: got -1, wanted 0 or more"),
        ({"score": np.zeros(3)}, "score: got 3 values for 120 patients"),
        ({"cutoff": math.nan}, "cut-off: got nan"),
    ],
)
def test_faulty_values_are_refused(followed: dict[str, np.ndarray], change: dict[str, object], complaint: str) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        survival_metrics(**followed | change)  # type: ignore[arg-type]


def test_subtypes_against_groups_dealt_to_other_patients() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(["S1", "S2"], 40)
    time = rng.exponential(np.where(group == "S1", 20, 30))
    share = np.stack([group == "S1", group == "S2"], axis=1) * 0.8 + 0.1
    found = subtype_metrics(time, event=np.ones(80), group=group, share=share)
    assert found["log_rank_p"].value == log_rank_p(time, event=np.ones(80), group=group).value
    assert found["log_rank_permutation_p"].value == pytest.approx(found["log_rank_p"].value, abs=0.02)
    assert found["c_index"].value == c_index(time, event=np.ones(80), score=Risk(share[:, 0])).value > 0.5
    alone = subtype_metrics(time, event=np.ones(80), group=np.repeat("S1", 80), share=share)
    assert np.isnan(alone["log_rank_permutation_p"].value)
