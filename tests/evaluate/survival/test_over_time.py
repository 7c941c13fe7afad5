"""Over time: Cox regression of covariates that change, on the data that two libraries fail on."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, CoxTimeVaryingFitter
from lifelines.exceptions import ConvergenceError

from hepatica.cohort import EvaluationError
from hepatica.evaluate.survival.cox import cox
from hepatica.evaluate.survival.over_time import cox_over_time, risk_intervals


@pytest.fixture(scope="module")
def cholangitis() -> tuple[pd.DataFrame, pd.DataFrame]:
    """All patients of pbc, and the visits of 312 of them in pbcseq, as the vignette of R's survival joins them."""
    folder = Path(os.environ.get("HEPATICA_DATA", "")) / "clinical"
    if not (folder / "pbcseq.csv").is_file():
        pytest.skip("pbcseq is not at hand; HEPATICA_DATA names the folder")
    baseline = pd.read_csv(folder / "pbc.csv").set_index("id").dropna(subset="protime")
    follow_up = pd.DataFrame({"time": baseline["time"], "event": (baseline["status"] == 2).astype(int)}).loc[:312]
    rows = risk_intervals(pd.read_csv(folder / "pbcseq.csv"), patient="id", time="day", follow_up=follow_up)
    return baseline, rows.assign(bilirubin=np.log(rows["bili"]), prothrombin=np.log(rows["protime"]))


def test_mayo_coefficients_are_those_of_the_vignette(cholangitis: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    baseline, rows = cholangitis
    assert (len(rows), rows["event"].sum()) == (1807, 125)
    found = cox_over_time(
        rows[["bilirubin", "prothrombin"]],
        start=rows["start"],
        stop=rows["stop"],
        event=rows["event"],
        group=rows["id"],
    )
    coefficients = [np.log(each.ratio.value) for each in found.values()]
    assert coefficients == pytest.approx([1.241214, 3.983400], abs=5e-7)
    assert found["bilirubin"].ratio.n == 312
    at_first = pd.DataFrame({"bili": np.log(baseline["bili"]), "protime": np.log(baseline["protime"])})
    once = cox_over_time(at_first, start=np.full(416, -1), stop=baseline["time"], event=baseline["status"] == 2)
    values = [np.log(each.ratio.value) for each in once.values()]
    assert values == pytest.approx([0.930592, 2.890575], abs=2.5e-6)  # R ends its search 2e-6 short of the maximum
    table = at_first.assign(time=baseline["time"], event=baseline["status"] == 2)
    further = CoxPHFitter().fit(table, "time", "event", fit_options={"precision": 1e-12, "r_precision": 1e-14})
    assert values == pytest.approx(further.params_.tolist(), abs=1e-10)


def test_lifelines_fails_on_them(cholangitis: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Why there is a search of our own: to be dropped when this fails."""
    _, rows = cholangitis
    table = rows[["id", "start", "stop", "event", "bilirubin", "prothrombin"]]
    with pytest.raises(ConvergenceError), np.errstate(all="ignore"):
        CoxTimeVaryingFitter().fit(table, id_col="id", event_col="event", start_col="start", stop_col="stop")


def test_rows_cut_in_two_say_what_the_whole_ones_said() -> None:
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame(rng.normal(size=(90, 2)), columns=["size", "age"])
    time, event = np.ceil(5 * rng.exponential(np.exp(-0.6 * covariates["size"]))), rng.integers(2, size=90)
    whole = cox(covariates, time=time, event=event)
    halves = cox_over_time(
        pd.concat([covariates, covariates]),
        start=np.concatenate([-np.ones(90), time / 2]),
        stop=np.concatenate([time / 2, time]),
        event=np.concatenate([np.zeros(90), event]),
        group=np.tile(np.arange(90), 2),
    )
    for name, each in whole.items():
        one, two = each.ratio, halves[name].ratio
        assert (two.value, two.low, two.high) == pytest.approx((one.value, one.low, one.high), rel=1e-5)
        assert two.n == 90


def test_weight_of_two_is_two_patients_and_the_sandwich_knows_it() -> None:
    # A copy of each row under the same patient leaves the clustered interval as it was; the plain one would shrink.
    rng = np.random.default_rng(5)
    covariates, time = pd.DataFrame({"size": rng.normal(size=80)}), rng.exponential(size=80)
    options = {"event": rng.integers(2, size=80), "start": np.full(80, -1.0), "stop": time}
    once = cox_over_time(covariates, **options, weight=np.ones(80))["size"].ratio
    twice = cox_over_time(covariates, **options, weight=np.full(80, 2.0))["size"].ratio
    assert (twice.value, twice.low, twice.high) == pytest.approx((once.value, once.low, once.high), rel=1e-6)


def test_values_hold_from_visit_to_visit() -> None:
    visits = pd.DataFrame({"who": ["a", "a", "a", "b", "c"], "month": [6, 0, 30, 2, 0], "afp": [2, 1, 3, 4, 5]})
    follow_up = pd.DataFrame({"time": [20, 9], "event": [1, 0]}, index=["a", "b"])
    rows = risk_intervals(visits, patient="who", time="month", follow_up=follow_up)
    assert rows[["who", "start", "stop", "event", "afp"]].values.tolist() == [
        ["a", 0, 6, False, 1],
        ["a", 6, 20, True, 2],  # the visit at 30 is after the end
        ["b", 2, 9, False, 4],
    ]


def test_separation_and_rows_without_length_are_refused() -> None:
    parted = pd.DataFrame({"x": np.repeat([0.0, 1.0], 10)})
    times = {"start": np.full(20, -1.0), "stop": np.arange(20.0)[::-1]}
    with pytest.raises(EvaluationError, match="no maximum"):
        cox_over_time(parted, event=np.repeat([0, 1], 10), **times)
    with pytest.raises(EvaluationError, match="got 20 rows that end at their start"):
        cox_over_time(parted, start=np.arange(20.0), stop=np.arange(20.0), event=np.repeat([0, 1], 10))
