"""Outcome confidence: the six subsets by hand, their nesting, and the censoring-aware ranking."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hepatica.cohort import RATIOS, CohortError, TimeToEvent, confident_patients
from hepatica.cohort.confidence import expected_quantile

SURVIVAL = TimeToEvent(name="overall_survival", time="months", event="died")
VARIANTS = ("printed", "censoring_aware")


def survivors(months, died=None):
    died = [1] * len(months) if died is None else died
    return pd.DataFrame({"months": months, "died": died}, index=[f"P{n}" for n in range(len(months))], dtype=float)


def cohort_of(rows):
    patients = survivors([row[0] for row in rows], [row[1] for row in rows])
    return patients, pd.Series([row[2] for row in rows], index=patients.index)


ROWS = st.tuples(
    st.integers(0, 30).map(float) | st.floats(0, 120), st.integers(0, 1), st.sampled_from([0.0, 1.0, np.nan])
)
COHORTS = st.lists(ROWS, min_size=2, max_size=40).map(cohort_of).filter(lambda both: both[1].nunique() == 2)


@pytest.mark.parametrize(
    ("ratio", "count"),
    # Linear quantile at (n - 1) t with n = 13: at 3, 4, 6, 8, 9 and 12, so that many and one.
    [("1/4", 4), ("1/3", 5), ("1/2", 7), ("2/3", 9), ("3/4", 10), ("1", 13)],
)
def test_the_six_ratios_of_thirteen_relapse_free_and_thirteen_relapsed(ratio, count):
    patients = survivors([*range(13), *range(100, 113)])
    label = pd.Series([0] * 13 + [1] * 13, index=patients.index)
    chosen = confident_patients(label, patients=patients, survival=SURVIVAL, ratio=Fraction(ratio))
    longest = [f"P{n}" for n in range(13 - count, 13)]
    shortest = [f"P{n}" for n in range(13, 13 + count)]
    assert list(chosen) == longest + shortest


def test_the_six_ratios_are_those_of_the_paper():
    assert [str(ratio) for ratio in RATIOS] == ["1/4", "1/3", "1/2", "2/3", "3/4", "1"]


def test_half_of_a_small_cohort_by_hand():
    # Relapse-free 10, 20, 30, 40: the median is 25, so 30 and 40. Relapsed 5, 15, 25: the median is 15, so 5 and 15.
    patients = survivors([40, 5, 10, 15, 30, 25, 20])
    label = pd.Series([0, 1, 0, 1, 0, 1, 0], index=patients.index)
    chosen = confident_patients(label, patients=patients, survival=SURVIVAL, ratio=Fraction(1, 2))
    assert chosen == ("P0", "P1", "P3", "P4")


def test_patients_at_the_bound_are_kept_together():
    patients = survivors([1, 7, 7, 7, 3, 3, 3, 9])
    label = pd.Series([0, 0, 0, 0, 1, 1, 1, 1], index=patients.index)
    chosen = confident_patients(label, patients=patients, survival=SURVIVAL, ratio=Fraction(1, 4))
    assert chosen == ("P1", "P2", "P3", "P4", "P5", "P6")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 10, 13, 31, 100, 399])
def test_the_size_of_a_subset_is_exact_in_the_ratio(count):
    # By quantiles in floating point 512 of 4788 subsets of up to 399 patients came out one patient short.
    patients = survivors(np.arange(2 * count) * 1.7 + 0.3)
    label = pd.Series([0] * count + [1] * count, index=patients.index)
    for ratio in RATIOS:
        chosen = confident_patients(label, patients=patients, survival=SURVIVAL, ratio=ratio)
        assert len(chosen) == 2 * ((count - 1) * ratio.numerator // ratio.denominator + 1)


@pytest.mark.parametrize("variant", VARIANTS)
@settings(deadline=None, max_examples=12)
@given(both=COHORTS)
def test_subsets_are_nested_and_the_last_is_everybody_with_a_known_label(variant, both):
    patients, label = both
    subsets = [
        confident_patients(label, patients=patients, survival=SURVIVAL, ratio=ratio, variant=variant)
        for ratio in RATIOS
    ]
    for smaller, larger in pairwise(subsets):
        assert set(smaller) <= set(larger)
    assert subsets[-1] == tuple(label.dropna().index)
    assert set(label[list(subsets[0])]) == {0.0, 1.0}


@pytest.mark.parametrize("variant", VARIANTS)
@settings(deadline=None, max_examples=12)
@given(both=COHORTS, data=st.data())
def test_patients_outside_the_given_labels_are_neither_chosen_nor_looked_at(variant, both, data):
    patients, label = both
    allowed = label[data.draw(st.lists(st.booleans(), min_size=len(label), max_size=len(label)))]
    assume(allowed.nunique() == 2)
    half = Fraction(1, 2)
    whole = confident_patients(allowed, patients=patients, survival=SURVIVAL, ratio=half, variant=variant)
    alone = confident_patients(
        allowed, patients=patients.loc[allowed.index], survival=SURVIVAL, ratio=half, variant=variant
    )
    assert set(whole) <= set(allowed.index)
    assert whole == alone


@settings(deadline=None, max_examples=12)
@given(both=COHORTS, ratio=st.sampled_from(RATIOS))
def test_without_censoring_both_variants_choose_the_same(both, ratio):
    patients, label = both
    patients = patients.assign(died=1.0)
    printed, aware = (
        confident_patients(label, patients=patients, survival=SURVIVAL, ratio=ratio, variant=variant)
        for variant in VARIANTS
    )
    assert printed == aware


@settings(deadline=None, max_examples=12)
@given(both=COHORTS, seed=st.integers(0, 99))
def test_the_order_of_the_rows_does_not_matter(both, seed):
    patients, label = both
    shuffled = label.sample(frac=1, random_state=seed)
    arguments = {"patients": patients, "survival": SURVIVAL, "ratio": Fraction(1, 3)}
    assert sorted(confident_patients(label, **arguments)) == sorted(confident_patients(shuffled, **arguments))


def test_expected_quantiles_by_hand():
    # Deaths at 0, 1, 1 and 4, censored at 1 and 3. Survivors: 5/6 after 0; x 3/5 = 1/2 after 1; 0 after 4.
    # F: 1/6, 1/2, 1/2, 1. Died at 0: (0 + 1/6) / 2; at 1: (1/6 + 1/2) / 2; at 4: (1/2 + 1) / 2.
    # Censored at 1 and at 3: (1 + 1/2) / 2.
    patients = survivors([4, 1, 0, 1, 3, 1], [1, 0, 1, 1, 0, 1])
    expected = [3 / 4, 3 / 4, 1 / 12, 1 / 3, 3 / 4, 1 / 3]
    np.testing.assert_allclose(expected_quantile(patients, survival=SURVIVAL), expected, atol=1e-12)


def test_a_death_at_the_first_time_ranks_lowest():
    quantile = expected_quantile(survivors([0, 1, 2, 3]), survival=SURVIVAL)
    np.testing.assert_allclose(quantile, [1 / 8, 3 / 8, 5 / 8, 7 / 8], atol=1e-12)


def test_a_class_without_deaths_is_kept_whole_by_the_censoring_aware_variant():
    patients = survivors([10, 20, 30, 40, 5, 6], [0, 0, 0, 0, 1, 1])
    label = pd.Series([0, 0, 0, 0, 1, 1], index=patients.index)
    chosen = confident_patients(
        label, patients=patients, survival=SURVIVAL, ratio=Fraction(1, 4), variant="censoring_aware"
    )
    assert chosen == ("P0", "P1", "P2", "P3", "P4")


def test_an_early_censored_relapse_is_no_early_death():
    # Printed, the patient censored at 1 month counts as the shortest survivor; he may have lived for years.
    patients = survivors([1, 2, 3, 4, 50], [0, 1, 1, 1, 1])
    label = pd.Series([1, 1, 1, 1, 0], index=patients.index)
    quarter = {"patients": patients, "survival": SURVIVAL, "ratio": Fraction(1, 4)}
    assert confident_patients(label, **quarter) == ("P0", "P4")
    assert confident_patients(label, **quarter, variant="censoring_aware") == ("P1", "P4")


@settings(deadline=None, max_examples=12)
@given(both=COHORTS)
def test_quantiles_lie_in_0_to_1_average_a_half_and_rank_deaths_by_time(both):
    patients, _ = both
    quantile = expected_quantile(patients, survival=SURVIVAL)
    assert quantile.between(0, 1).all()
    deaths = patients[patients["died"] == 1].sort_values("months").index
    assert quantile[deaths].is_monotonic_increasing
    everybody_died = expected_quantile(patients.assign(died=1.0), survival=SURVIVAL)
    assert everybody_died.mean() == pytest.approx(0.5)


@pytest.mark.parametrize("ratio", [Fraction(0), Fraction(-1, 2), Fraction(3, 2)])
def test_a_ratio_out_of_range_is_refused(ratio):
    patients = survivors([1, 2])
    with pytest.raises(CohortError, match="wanted more than 0 and at most 1"):
        confident_patients(pd.Series([0, 1], index=patients.index), patients=patients, survival=SURVIVAL, ratio=ratio)


@pytest.mark.parametrize("labels", [[0, 0, np.nan], [1, 1, np.nan], [np.nan] * 3])
def test_a_class_without_patients_is_refused(labels):
    patients = survivors([1, 2, 3])
    label = pd.Series(labels, index=patients.index)
    with pytest.raises(CohortError, match="no patient with recurrence label"):
        confident_patients(label, patients=patients, survival=SURVIVAL, ratio=Fraction(1, 2))


def test_a_competing_event_is_no_death():
    months = [2, 5, 7, 9]
    competing = expected_quantile(survivors(months, [1, 2, 0, 1]), survival=SURVIVAL)
    pd.testing.assert_series_equal(competing, expected_quantile(survivors(months, [1, 0, 0, 1]), survival=SURVIVAL))
