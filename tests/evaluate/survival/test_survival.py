import math

import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.survival.survival import survival_metrics


@pytest.fixture
def followed() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    risk = rng.normal(size=120)
    happens, ends = rng.exponential(20 * np.exp(-risk)), rng.uniform(5, 60, 120)
    return {"time": np.minimum(happens, ends), "event": happens <= ends, "score": risk}


def test_a_risk_that_ranks_well(followed: dict[str, np.ndarray]) -> None:
    found = survival_metrics(**followed)
    assert list(found) == ["c_index", "log_rank_p", "hazard_ratio", "hazard_ratio_p"]
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
