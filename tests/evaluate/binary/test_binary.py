import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.binary import binary_metrics

NAMES = [
    "auroc",
    "average_precision",
    "accuracy",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "f1",
    "kappa",
    "brier",
    "observed_to_expected",
    "calibration_intercept",
    "calibration_slope",
]


@pytest.fixture
def scored() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    label = rng.random(80) < 0.4
    return label, 1 / (1 + np.exp(-(2 * label - 1 + rng.normal(size=80))))


def test_every_statistic_has_an_interval(scored: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = scored
    found = binary_metrics(label, score=score)
    assert list(found) == NAMES
    for each in found.values():
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.value < each.high


def test_scores_that_are_no_probabilities_are_ranked_but_not_calibrated(scored: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = scored
    plain, stretched = binary_metrics(label, score=score), binary_metrics(label, score=10 * score, cutoff=5)
    for name in NAMES[:9]:
        assert stretched[name] == plain[name]
    for name in NAMES[9:]:
        assert math.isnan(stretched[name].value)
        assert "are not probabilities" in stretched[name].method


def test_the_cutoff_moves_the_calls_only(scored: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = scored
    low, high = binary_metrics(label, score=score, cutoff=0.2), binary_metrics(label, score=score, cutoff=0.8)
    assert low["auroc"] == high["auroc"]
    assert low["brier"] == high["brier"]
    assert low["sensitivity"].value > high["sensitivity"].value


def test_a_cutoff_nobody_reaches(scored: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = scored
    found = binary_metrics(label, score=score, cutoff=2)
    assert math.isnan(found["ppv"].value)
    assert found["sensitivity"].value == 0
    assert found["f1"].value == 0
    assert found["kappa"].value == 0


def test_with_a_group_every_statistic_counts_patients(scored: tuple[np.ndarray, np.ndarray]) -> None:
    label, score = scored
    found = binary_metrics(label, score=score, group=np.arange(80) // 2)
    assert {found[name].n for name in ("auroc", "average_precision", "accuracy", "kappa", *NAMES[9:])} == {40}
    assert found["sensitivity"].n < 40


def test_one_class_is_refused() -> None:
    with pytest.raises(EvaluationError, match="all 2 are 0"):
        binary_metrics([0, 0], score=[0.1, 0.2])


@settings(deadline=None, max_examples=60)
@example(236, 11, 0, False)  # all above: the sum of steps rounds to more than 1
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(0, 6), st.booleans())
def test_whatever_the_table_each_statistic_lies_in_its_interval_or_says_why(
    seed: int, n: int, kind: int, grouped: bool
) -> None:
    rng = np.random.default_rng(seed)
    label = rng.permutation(np.arange(n) < max(1, min(n - 1, int(n * rng.random()))))
    score = (
        rng.random(n),
        rng.random(n).round(1),
        np.full(n, 0.3),
        label * 1.0,
        1 - label * 1.0,
        0.5 + 1e-9 * rng.random(n),
        np.clip(label + rng.normal(size=n), 0, 1),
    )[kind]
    group = rng.integers(0, max(1, n // 2), n) if grouped else None
    for each in binary_metrics(label, score=score, cutoff=float(rng.random()), group=group).values():
        json.dumps(each.as_dict(), allow_nan=False)
        if each.low is None or each.high is None:
            assert each.method.startswith("not computable: ") or ", no interval: " in each.method
        else:
            assert each.low - 1e-9 <= each.value <= each.high + 1e-9
