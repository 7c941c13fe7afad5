import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.statistics import logrank_test

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.intervals import clopper_pearson
from hepatica.evaluate.survival.kaplan_meier import kaplan_meier, log_rank_p

FIVE = {"time": [2, 3, 3, 5, 6], "event": [1, 1, 0, 1, 0]}
"""Survival 4/5 from 2, 3/5 from 3, 3/10 from 5; the longest follow-up, 6, is censored."""


def test_the_curve_one_can_count() -> None:
    curve = kaplan_meier(FIVE["time"], event=FIVE["event"])
    assert curve.time.tolist() == [0, 2, 3, 5, 6]
    assert curve.survival == pytest.approx([1, 4 / 5, 3 / 5, 3 / 10, 3 / 10])
    assert curve.at_risk.tolist() == [5, 5, 4, 2, 1]
    assert (curve.low[0], curve.high[0]) == (clopper_pearson(5, 5)[0], 1)  # a band, although no event has come yet


def test_the_table_at_given_times() -> None:
    table = kaplan_meier(FIVE["time"], event=FIVE["event"]).at([0, 2.5, 3, 6, 7])
    assert table["survival"].tolist() == pytest.approx([1, 4 / 5, 3 / 5, 3 / 10, math.nan], nan_ok=True)
    assert table["at_risk"].tolist() == [5, 4, 4, 1, 0]
    assert (table["low"] <= table["survival"]).tolist() == [True, True, True, True, False]


def test_greenwood_on_the_log_log_scale() -> None:
    """Survival 3/5 at 4: Greenwood sum 1/20 + 1/12, exponent 1.96 sqrt(.1333) / |ln .6| = 1.401."""
    found = kaplan_meier(FIVE["time"], event=FIVE["event"]).survival_at(4)
    exponent = 1.959964 * math.sqrt(1 / 20 + 1 / 12) / abs(math.log(0.6))
    assert found.value == pytest.approx(0.6)
    assert (found.low, found.high) == pytest.approx((0.6 ** math.exp(exponent), 0.6 ** math.exp(-exponent)))
    assert found.n == 5


def test_beyond_the_longest_follow_up_nothing_is_known() -> None:
    found = kaplan_meier(FIVE["time"], event=FIVE["event"]).survival_at(7)
    assert math.isnan(found.value)
    assert found.method == "not computable: no patient was followed beyond 6"


def test_when_all_had_the_event_it_stays_known() -> None:
    found = kaplan_meier([1, 2, 3, 3], event=[1, 1, 1, 1]).survival_at(60)
    assert found.value == 0
    assert (found.low, found.high) == clopper_pearson(0, 2)


def test_no_event_so_far_is_no_certainty() -> None:
    found = kaplan_meier([5, 6, 7], event=[1, 1, 0]).survival_at(4)
    assert found.value == 1
    assert (found.low, found.high) == clopper_pearson(3, 3)


def test_a_time_below_zero_is_refused() -> None:
    with pytest.raises(EvaluationError, match="times: got -1, wanted 0 or more"):
        kaplan_meier([1, 2], event=[1, 0]).at([-1])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=30))
def test_a_curve_falls_within_its_limits(rows: list[tuple[int, bool]]) -> None:
    time, event = zip(*rows, strict=True)
    curve = kaplan_meier(time, event=event)
    assert curve.time[0] == 0
    assert (np.diff(curve.survival) <= 1e-12).all()
    assert (curve.low <= curve.survival + 1e-12).all()
    assert (curve.survival <= curve.high + 1e-12).all()


def test_the_log_rank_test_is_that_of_lifelines() -> None:
    rng = np.random.default_rng(0)
    time, event, group = rng.exponential(size=80), rng.random(80) < 0.7, rng.random(80) < 0.5
    theirs = logrank_test(time[group], time[~group], event[group], event[~group]).p_value
    found = log_rank_p(time, event=event, group=group)
    assert found.value == pytest.approx(theirs)
    assert (found.low, found.high, found.n) == (None, None, 80)
    assert log_rank_p(time, event=event, group=np.where(group, "low", "high")).value == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("event", "group", "why"),
    [
        ([1, 1, 0], ["a", "a", "a"], "all patients are in one group"),
        ([0, 0, 0], ["a", "b", "a"], "no patient had the event"),
    ],
)
def test_the_log_rank_test_needs_two_groups_and_events(event: list[int], group: list[str], why: str) -> None:
    found = log_rank_p([1, 2, 3], event=event, group=group)
    assert math.isnan(found.value)
    assert found.method == f"not computable: {why}"


def test_a_tiny_p_value_is_not_rounded_to_nothing() -> None:
    """statsmodels gives exactly 0 from a chi-square of some hundreds on."""
    time = np.r_[np.linspace(1, 2, 500), np.linspace(10, 20, 500)]
    found = log_rank_p(time, event=np.ones(1000), group=np.repeat([0, 1], 500))
    assert 0 < found.value < 1e-100
