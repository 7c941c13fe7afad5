"""Competing: cumulative incidence by hand and as R prints it; cause-specific and subdistribution hazard ratios."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from r_random import RRandom

from hepatica.cohort import EvaluationError
from hepatica.evaluate.observed import censoring
from hepatica.evaluate.survival.competing import (
    cause_specific,
    cumulative_incidence,
    fine_gray,
)
from hepatica.evaluate.survival.cox import cox
from hepatica.evaluate.survival.over_time import cox_over_time


@pytest.fixture(scope="module")
def transplanted() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The made-up cohort of 300 transplanted patients of a public R lesson (set.seed(7)): relapse 1, death 2.

    Its printed output, of survival's survfit, coxph and finegray, is what the tests below hold.
    """
    random, older = RRandom(7), np.arange(300) >= 150
    relapse = random.exponential(300) / np.where(older, 0.020, 0.022)
    death = random.exponential(300) / np.where(older, 0.030, 0.008)
    censored = 6 + 54 * random.uniform(300)
    first, ends = np.minimum(relapse, death), np.minimum(censored, 60)
    event = np.where(first > ends, 0, np.where(relapse <= death, 1, 2))
    return pd.DataFrame({"older": older.astype(float)}), np.minimum(first, ends).round(1), event


def fine_gray_rows(times: np.ndarray, causes: np.ndarray) -> pd.DataFrame:
    """The rows at risk that R's finegray makes: a new one begins where the weight of a patient changes.

    That gives coxph no id by itself, which then takes each row for a patient of its own.
    """
    until, own = censoring(times, event=causes > 0).followed_until(), causes == 1
    moments, place = np.unique(times[own], return_index=True)
    still, stays = until[own][place], (causes > 0) & ~own
    whole = {"row": np.flatnonzero(~stays), "start": -1.0, "stop": times[~stays], "event": own[~stays], "weight": 1.0}
    after = [{"row": row} | _staying(times[row], until[row], moments, still) for row in np.flatnonzero(stays)]
    return pd.concat(map(pd.DataFrame, (whole, *after)), ignore_index=True).query("weight > 0")


def _staying(time: float, followed: float, moments: np.ndarray, still: np.ndarray) -> dict[str, Any]:
    """Rows of a patient with another event at `time`, until which a share `followed` of all is not censored."""
    first = np.searchsorted(moments, time, side="right")
    stop, weight = np.append(time, moments[first:]), np.append(1.0, still[first:] / followed)
    last = np.append(np.diff(weight) != 0, True)
    stop = stop[last]
    return {"start": np.append(-1.0, stop[:-1]), "stop": stop, "event": False, "weight": weight[last]}


def test_cohort_is_that_of_the_lesson(transplanted: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    assert np.bincount(transplanted[2]).tolist() == [96, 105, 99]


def test_incidence_is_what_r_prints(transplanted: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    covariates, time, event = transplanted
    relapse, death = (cumulative_incidence(time, event=event, cause=cause) for cause in (1, 2))
    assert [round(relapse.at(t).value, 3) for t in (12, 24, 36)] == [0.183, 0.320, 0.400]
    assert [round(death.at(t).value, 3) for t in (12, 24, 36)] == [0.166, 0.275, 0.369]
    young = covariates["older"] == 0
    at = [cumulative_incidence(time[young], event=event[young], cause=cause).at(36).value for cause in (1, 2)]
    assert at == pytest.approx([0.495, 0.223], abs=5e-4)


def test_hazard_ratios_are_what_r_prints(transplanted: tuple[pd.DataFrame, np.ndarray, np.ndarray]) -> None:
    covariates, time, event = transplanted
    rate = cause_specific(covariates, time=time, event=event)["older"]
    assert rate.ratio.value == pytest.approx(0.8881, abs=5e-5)
    assert rate.p == pytest.approx(0.55, abs=5e-3)
    assert fine_gray(covariates, time=time, event=event)["older"].ratio.value == pytest.approx(0.6902, abs=5e-5)
    rows = fine_gray_rows(time, event)
    assert len(rows) == 2735
    spread = covariates.assign(other=np.random.default_rng(0).normal(size=300))
    times = {name: rows[name] for name in ("start", "stop", "event", "weight")}
    expanded = cox_over_time(spread.iloc[rows["row"]], **times, group=rows["row"])
    for name, found in fine_gray(spread, time=time, event=event).items():
        ratio, wanted = found.ratio, expanded[name].ratio
        assert (ratio.value, ratio.low, ratio.high) == pytest.approx((wanted.value, wanted.low, wanted.high), rel=1e-8)
    # Its P takes each row for a patient.
    times = {name: rows[name] for name in ("start", "stop", "event", "weight")}
    by_row = cox_over_time(covariates.iloc[rows["row"]], **times)["older"]
    assert by_row.p == pytest.approx(0.0441, abs=5e-5)
    assert np.log(by_row.ratio.high / by_row.ratio.low) / 2 / 1.959964 == pytest.approx(0.1842, abs=5e-5)


def test_fine_gray_interval_is_that_of_leaving_each_patient_out(
    transplanted: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    covariates, time, event = (each[::5] for each in transplanted)
    whole, n = fine_gray(covariates, time=time, event=event)["older"].ratio, time.size
    out = [np.delete(np.arange(n), each) for each in range(n)]
    values = [fine_gray(covariates.iloc[rows], time=time[rows], event=event[rows])["older"].ratio.value for rows in out]
    error = np.log(values).std() * np.sqrt(n - 1)
    assert np.log(whole.high / whole.low) / 2 / 1.959964 == pytest.approx(error, rel=0.1)


def test_five_patients_by_hand() -> None:
    # At 1 one of 5 has the event: 0.2. At 2 one of 4 dies: 0.8 free, then 0.6. At 3 one is censored, at 4 one of 2
    # has it: 0.6 / 2 more. At 5 the last one dies.
    found = cumulative_incidence([1, 2, 3, 4, 5], event=[1, 2, 0, 1, 2])
    assert found.incidence.tolist() == pytest.approx([0.2, 0.2, 0.2, 0.5, 0.5])
    assert found.at_risk.tolist() == [5, 4, 3, 2, 1]
    other = cumulative_incidence([1, 2, 3, 4, 5], event=[1, 2, 0, 1, 2], cause=2)
    assert (found.incidence + other.incidence)[-1] == pytest.approx(1)


def test_without_competing_event_it_is_kaplan_meier_with_greenwoods_limits() -> None:
    rng = np.random.default_rng(1)
    time, event = np.ceil(rng.exponential(6, 80)), (rng.random(80) < 0.7).astype(int)  # tied
    found, fitted = cumulative_incidence(time, event=event), KaplanMeierFitter().fit(time, event)
    limits = fitted.confidence_interval_.loc[found.time]
    inside = (found.incidence > 0) & (found.incidence < 1)
    assert 1 - found.incidence == pytest.approx(fitted.survival_function_.loc[found.time].to_numpy()[:, 0])
    assert 1 - found.high[inside] == pytest.approx(limits.iloc[:, 0].to_numpy()[inside])
    assert 1 - found.low[inside] == pytest.approx(limits.iloc[:, 1].to_numpy()[inside])


def test_limits_are_those_of_leaving_each_patient_out(
    transplanted: tuple[pd.DataFrame, np.ndarray, np.ndarray],
) -> None:
    _, time, event = transplanted
    whole, n = cumulative_incidence(time, event=event).at(30), time.size
    out = [np.delete(np.arange(n), each) for each in range(n)]
    values = np.array([cumulative_incidence(time[rows], event=event[rows]).at(30).value for rows in out])
    error = np.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum())
    free = 1 - whole.value
    margin = 1.959964 * error / (free * abs(np.log(free)))
    assert (whole.low, whole.high) == pytest.approx((1 - free ** np.exp(-margin), 1 - free ** np.exp(margin)), rel=0.01)


def test_without_competing_event_fine_gray_is_cox() -> None:
    rng = np.random.default_rng(2)
    covariates = pd.DataFrame({"size": rng.normal(size=120), "age": rng.normal(size=120)})
    time, event = rng.exponential(np.exp(-0.5 * covariates["size"])).round(1) + 0.1, rng.integers(2, size=120)
    ours, theirs = fine_gray(covariates, time=time, event=event), cox(covariates, time=time, event=event)
    assert [each.ratio.value for each in ours.values()] == pytest.approx(
        [each.ratio.value for each in theirs.values()], rel=1e-4
    )


def test_before_the_first_event_the_interval_is_that_of_none() -> None:
    found = cumulative_incidence([5.0] * 20 + [9.0] * 20, event=[0] * 20 + [1] * 10 + [0] * 10)
    assert (found.at(2).value, found.at(2).low) == (0, 0)
    assert 0.05 < found.at(2).high < 0.15
    assert np.isnan(found.at(10).value)


def test_cause_that_never_happens_is_refused() -> None:
    with pytest.raises(EvaluationError, match=r"no patient with event 3; they have \[0, 1\]"):
        cumulative_incidence([1, 2], event=[0, 1], cause=3)
