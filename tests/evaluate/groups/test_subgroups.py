"""Subgroups: differences of independent patients, their limits, and what cannot be compared."""

import numpy as np
import pytest

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.binary.binary import binary_metrics
from hepatica.evaluate.binary.discrimination import auroc
from hepatica.evaluate.estimate import Estimate
from hepatica.evaluate.groups.subgroups import Subgroup, by_subgroup, difference


def estimate(value: float, low: float | None, high: float | None) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=10, method="")


def test_limits_are_newcombe_s() -> None:
    """56 of 70 against 48 of 80, Wilson limits: 0.2 (0.0524 to 0.3339), Newcombe 1998, Table II, method 10."""
    found = difference(estimate(0.8, 0.6918, 0.8769), others=estimate(0.6, 0.4904, 0.7004))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=3e-4)
    assert found.n == 20


def test_what_has_no_interval_has_no_difference() -> None:
    assert difference(estimate(0.5, None, None), others=estimate(0.6, 0.4, 0.7)).method.startswith("not computable")


def table(n: int, seed: int, *, gap: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    level, label = rng.random(n) < 0.4, rng.random(n) < 0.5
    score = label * np.where(level, 1.5 + gap, 1.5) + rng.normal(size=n)
    return np.where(level, "f", "m"), label, score


def compared(level: np.ndarray, label: np.ndarray, score: np.ndarray) -> list[Subgroup]:
    return by_subgroup(level, of=lambda rows: {"auroc": auroc(label[rows], score=score[rows])})


def test_intervals_of_a_difference_hold_it_as_often_as_they_claim() -> None:
    """No difference, 150 tables: 95 % within 3 standard errors; a real one is found."""
    found = [compared(*table(120, seed, gap=0.0))[0].difference for seed in range(150)]
    assert np.mean([each.low <= 0 <= each.high for each in found]) == pytest.approx(0.95, abs=0.053)
    level, label, score = table(400, 0, gap=2.0)
    apart = by_subgroup(level, of=lambda rows: binary_metrics(label[rows], score=score[rows], cutoff=1.0))
    assert apart[0].difference.low > 0
    assert apart[0].level == "f"


def test_blank_levels_count_nowhere_and_one_class_is_said() -> None:
    level, label, score = table(60, 1, gap=0.0)
    level[:10] = ""
    label[level == "f"] = True
    found = by_subgroup(level, of=lambda rows: binary_metrics(label[rows], score=score[rows]))
    assert found[0].others.n == (level == "m").sum()
    assert "all" in found[0].own.method
    assert found[0].difference.method.startswith("not computable")


@pytest.mark.parametrize("level", [np.full(5, "a"), np.arange(30).astype(str)])
def test_one_level_or_too_many_are_no_subgroups(level: np.ndarray) -> None:
    with pytest.raises(EvaluationError, match="levels of subgroups, wanted 2 to 12"):
        by_subgroup(level, of=lambda rows: {})
