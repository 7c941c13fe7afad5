"""Agreement: the worked example of Bland and Altman, counts by hand, coverage of intervals by simulation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from hepatica.cohort import EvaluationError
from hepatica.evaluate.groups.agreement import intraclass_correlation, quantity_metrics

NAMES = ["bias", "limits_low", "limits_high", "rmse", "mae", "concordance"]
PEFR = pd.read_csv(Path(__file__).parent / "published" / "bland_1986_table_1.csv")
"""Peak flow in l/min of 17 subjects, first reading by either meter (doi 10.1016/S0140-6736(86)90837-8, Table 1)."""

PAIRS = st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=4, max_size=15).filter(
    lambda rows: len({x - y for x, y in rows}) > 1
)


def limits(found: object) -> tuple[float, float, float]:
    return found.value, found.low, found.high  # type: ignore[attr-defined]


def test_peak_flow_of_bland_and_altman_1986() -> None:
    """Printed: mean difference -2.1, SD 38.8, limits by 2 SD -79.7 and 75.5."""
    found = quantity_metrics(PEFR.wright, true=PEFR.mini_wright)
    sd = (found["limits_high"].value - found["bias"].value) / 1.959964
    assert round(found["bias"].value, 1) == -2.1
    assert round(sd, 1) == 38.8
    assert [round(round(found["bias"].value, 1) + times * round(sd, 1), 1) for times in (-2, 2)] == [-79.7, 75.5]
    assert found["bias"].n == 17


def test_the_exact_limits_are_those_that_tail_areas_of_the_noncentral_t_define() -> None:
    """At the lower end of the interval, a sample limit this high or higher would be seen 2.5 times in 100."""
    upper = quantity_metrics(PEFR.wright, true=PEFR.mini_wright)["limits_high"]
    difference = (PEFR.wright - PEFR.mini_wright).to_numpy(float)
    draws = np.random.default_rng(0)
    mean = draws.standard_normal(400_000) / np.sqrt(17)
    sd = np.sqrt(draws.chisquare(16, 400_000) / 16)
    for limit, tail in ((upper.low, 0.975), (upper.high, 0.025)):
        factor = (limit - difference.mean()) / difference.std(ddof=1)
        assert (mean + factor * sd > 1.959964).mean() == pytest.approx(1 - tail, abs=0.001)


def test_counts_by_hand() -> None:
    found = quantity_metrics([1, 2, 3, 6], true=[2, 3, 4, 5])
    assert [found[name].value for name in ("bias", "rmse", "mae")] == [-0.5, 1, 1]
    assert found["limits_high"].value == pytest.approx(-0.5 + 1.959964)  # differences -1, -1, -1, 1: variance 1
    assert found["concordance"].value == pytest.approx(2 * 2 / (3.5 + 1.25 + 0.25))  # covariance 2
    assert list(found) == NAMES


def test_variance_between_and_within_patients_by_hand() -> None:
    """Differences 0, 2 / 4, 6 / 2, 10: patients' means 1, 5, 6; mean squares 14 between, 12 within; 14/2 + 12/2."""
    found = quantity_metrics([0, 2, 4, 6, 2, 10], true=np.zeros(6), group=list("aabbcc"))
    assert found["bias"].value == 4
    assert found["limits_high"].value == pytest.approx(4 + 1.959964 * np.sqrt(13))
    means = stats.ttest_1samp([1, 5, 6], 0).confidence_interval(0.95)
    assert limits(found["bias"])[1:] == pytest.approx((means.low, means.high))


def test_unequal_numbers_of_rows_weigh_as_in_the_analysis_of_variance() -> None:
    """Sizes 1, 2, 3 count as (6 - 14 / 6) / 2 = 11 / 6 rows a patient; between (16 + 2 + 2) / 2, within (2 + 2) / 3."""
    found = quantity_metrics([-4, 0, 2, 0, 1, 2], true=np.zeros(6), group=list("abbccc"))
    bias = 1 / 6
    between = ((-4 - bias) ** 2 + 2 * (1 - bias) ** 2 + 3 * (1 - bias) ** 2) / 2
    within = (2 + 2) / 3
    variance = between / (11 / 6) + (1 - 6 / 11) * within
    assert found["bias"].value == pytest.approx(bias)
    assert found["limits_low"].value == pytest.approx(bias - 1.959964 * np.sqrt(variance))


@settings(deadline=None, max_examples=25)
@given(PAIRS, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_copies_add_no_knowledge(rows: list[tuple[int, int]], random: object) -> None:
    measured, true = np.array(rows, dtype=float).T
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    alone = quantity_metrics(measured, true=true)
    shuffled = quantity_metrics(measured[order], true=true[order])
    copied = quantity_metrics(np.tile(measured, 3), true=np.tile(true, 3), group=np.tile(np.arange(len(rows)), 3))
    for name in NAMES:
        assert limits(shuffled[name]) == pytest.approx(limits(alone[name]), nan_ok=True)
        assert limits(copied[name]) == pytest.approx(limits(alone[name]), nan_ok=True)
        assert copied[name].n == len(rows)


@settings(deadline=None, max_examples=25)
@given(PAIRS)
def test_the_two_methods_change_places(rows: list[tuple[int, int]]) -> None:
    x, y = np.array(rows, dtype=float).T
    found, turned = quantity_metrics(x, true=y), quantity_metrics(y, true=x)
    assert turned["bias"].value == pytest.approx(-found["bias"].value)
    assert limits(turned["limits_low"]) == pytest.approx(
        (-found["limits_high"].value, -found["limits_high"].high, -found["limits_high"].low)
    )
    assert limits(turned["concordance"]) == pytest.approx(limits(found["concordance"]))


def test_the_interval_of_concordance_is_that_of_a_jackknife_over_patients() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(40), 2)
    true = rng.normal(10, 3, 40)[group]
    measured = true + rng.normal(0.5, 1, 40)[group] + rng.normal(0, 1, 80)
    found = quantity_metrics(measured, true=true, group=group)["concordance"]
    without = [
        np.arctanh(quantity_metrics(measured[group != each], true=true[group != each])["concordance"].value)
        for each in range(40)
    ]
    error = np.sqrt(39 / 40 * np.square(without - np.mean(without)).sum())
    assert (np.arctanh(found.high) - np.arctanh(found.low)) / 2 / 1.959964 == pytest.approx(error, rel=0.1)


@pytest.mark.parametrize(("patients", "rows"), [(8, 1), (10, 3)])
def test_intervals_hold_the_truth_95_times_in_100(patients: int, rows: int) -> None:
    """600 samples, SD 1 between and 1 within patients, bias 2: the share has a standard error of 0.9 %."""
    rng, group = np.random.default_rng(3), np.repeat(np.arange(patients), rows)
    sd = np.sqrt(2)
    truth = {"bias": 2, "limits_low": 2 - 1.959964 * sd, "limits_high": 2 + 1.959964 * sd, "rmse": np.sqrt(6)}
    held = dict.fromkeys(truth, 0)
    for _ in range(600):
        difference = 2 + rng.standard_normal(patients)[group] + rng.standard_normal(group.size)
        found = quantity_metrics(difference, true=np.zeros(group.size), group=None if rows == 1 else group)
        for name, value in truth.items():
            held[name] += found[name].low < value < found[name].high
    assert {name: 0.92 < count / 600 < 0.98 for name, count in held.items()} == dict.fromkeys(truth, True)


def test_perfect_measurements_have_no_interval_but_a_reason() -> None:
    found = quantity_metrics([1, 2, 3], true=[1, 2, 3])
    assert [found[name].value for name in ("bias", "rmse", "mae", "concordance")] == [0, 0, 0, 1]
    assert np.isnan(found["limits_low"].value)
    assert found["limits_low"].method == "not computable: the differences do not vary among patients"
    assert "no variation among patients" in found["concordance"].method
    assert quantity_metrics([1, 1], true=[1, 1])["concordance"].method == "not computable: the quantities do not vary"


def test_one_patient_is_no_sample() -> None:
    found = quantity_metrics([1, 2, 4], true=[1, 1, 1], group=["a", "a", "a"])
    assert found["bias"].value == pytest.approx(4 / 3)
    assert [found[name].low for name in NAMES] == [None] * 6


def test_missing_and_unpaired_values_are_refused() -> None:
    with pytest.raises(EvaluationError, match="measured: got 1 of 2 missing"):
        quantity_metrics([1, np.nan], true=[1, 2])
    with pytest.raises(EvaluationError, match="measured: got 1 values for 2 patients"):
        quantity_metrics([1], true=[1, 2])


def test_intraclass_correlation_of_the_textbook() -> None:
    # Shrout and Fleiss 1979, table 2: six targets by four judges; ICC(1,1) = 0.17 (their table 4).
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    found = intraclass_correlation(ratings)
    assert found.value == pytest.approx(0.1657, abs=1e-4)
    # By F(5, 18) = 1.79 (their table 3); R's psych::ICC gives -0.13 to 0.72.
    assert (found.low, found.high) == pytest.approx((-0.1330, 0.7226), abs=5e-4)


def test_intraclass_correlation_at_its_ends() -> None:
    assert intraclass_correlation([[1, 1], [2, 2], [5, 5]]).value == 1
    assert np.isnan(intraclass_correlation([[3, 3], [3, 3]]).value)
    with pytest.raises(EvaluationError, match="wanted two subjects or more"):
        intraclass_correlation([[1, 2]])
