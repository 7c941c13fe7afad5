import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats.meta_analysis import combine_effects

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import Estimate, heterogeneity_p
from hepatica.evaluate.intervals import Z
from hepatica.evaluate.survival.cox import cox
from hepatica.evaluate.survival.interaction import treatment_interaction

Followed = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def followed(n: int, *, seed: int, continuous: bool = False, ratio: float = 0.5) -> Followed:
    """Patients whose treatment has a hazard ratio of 0.8 at risk 0, and `ratio` times as much at risk 1."""
    rng = np.random.default_rng(seed)
    treated = rng.random(n) < 0.5
    risk = rng.standard_normal(n) if continuous else (rng.random(n) < 0.5).astype(float)
    hazard = 0.1 * 2.0**risk * np.where(treated, 0.8 * ratio**risk, 1)
    happens, ends = rng.exponential(1 / hazard), rng.uniform(5, 40, n)
    return np.minimum(happens, ends), happens <= ends, treated, risk


@pytest.mark.parametrize("continuous", [False, True])
def test_the_truth_is_found(continuous: bool) -> None:
    time, event, treated, risk = followed(6000, seed=1, continuous=continuous)
    found = treatment_interaction(time, event=event, treated=treated, risk=risk)
    at_low = 0.8 if not continuous else 0.8 / 0.5
    for each, truth in ((found.ratio, 0.5), (found.high, 0.4), (found.low, at_low)):
        error = np.log((each.ratio.high or 0) / (each.ratio.low or 1)) / (2 * 1.96)
        assert error < 0.12
        assert abs(np.log(each.ratio.value / truth)) < 3.3 * error
    assert found.ratio.p < 0.001


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """60 cohorts without interaction; 95 % of intervals hold 1: fewer than 51 of 60 by chance in 1 of 2,000 tries."""
    covered = 0
    for seed in range(60):
        time, event, treated, risk = followed(150, seed=seed, ratio=1.0)
        found = treatment_interaction(time, event=event, treated=treated, risk=risk).ratio.ratio
        covered += (found.low or 0) < 1 < (found.high or 0)
    assert covered >= 51


def test_a_group_has_the_model_of_statsmodels() -> None:
    time, event, treated, risk = followed(300, seed=3)
    found = treatment_interaction(time, event=event, treated=treated, risk=risk)
    theirs = PHReg(time, np.stack([treated, risk, treated * risk], axis=1), status=event, ties="efron").fit()
    assert np.log([found.low.ratio.value, found.ratio.ratio.value]) == pytest.approx(theirs.params[[0, 2]], rel=1e-3)
    assert found.ratio.p == pytest.approx(theirs.pvalues[2], rel=1e-2)
    in_high = np.array([1.0, 0, 1])
    error = np.sqrt(in_high @ theirs.cov_params() @ in_high)
    limits = np.exp(theirs.params @ in_high + 1.959964 * np.array([-1, 1]) * error)
    assert (found.high.ratio.low, found.high.ratio.high) == pytest.approx(tuple(limits), rel=1e-3)


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_the_ratio_is_high_over_low(seed: int) -> None:
    time, event, treated, risk = followed(200, seed=seed)
    found = treatment_interaction(time, event=event, treated=treated, risk=risk)
    assert found.ratio.ratio.value == pytest.approx(found.high.ratio.value / found.low.ratio.value, rel=1e-4)
    turned = treatment_interaction(time, event=event, treated=treated, risk=1 - risk)
    assert turned.ratio.ratio.value == pytest.approx(1 / found.ratio.ratio.value, rel=1e-4)
    assert turned.high.ratio.value == pytest.approx(found.low.ratio.value, rel=1e-4)
    swapped = treatment_interaction(time, event=event, treated=~treated, risk=risk)
    assert swapped.high.ratio.value == pytest.approx(1 / found.high.ratio.value, rel=1e-4)


def test_a_score_counts_in_standard_deviations() -> None:
    time, event, treated, risk = followed(200, seed=5, continuous=True)
    one = treatment_interaction(time, event=event, treated=treated, risk=risk)
    other = treatment_interaction(time, event=event, treated=treated, risk=0.3 + 0.05 * risk)
    assert other.ratio.ratio.value == pytest.approx(one.ratio.ratio.value, rel=1e-4)
    assert other.high.ratio.value == pytest.approx(one.high.ratio.value, rel=1e-4)
    assert one.high.ratio.value / one.low.ratio.value == pytest.approx(one.ratio.ratio.value**2, rel=1e-4)


def test_it_is_no_pair_of_separate_models() -> None:
    time, event, treated, risk = followed(200, seed=6)
    found = treatment_interaction(time, event=event, treated=treated, risk=risk)
    high = risk == 1
    alone = cox(pd.DataFrame({"treated": treated[high] * 1.0}), time=time[high], event=event[high])["treated"]
    assert found.high.ratio.value == pytest.approx(alone.ratio.value, rel=0.2)
    assert found.high.ratio.value != alone.ratio.value


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t, e, g, r: (t, e & ~(g & (r == 1)), g, r), "treated patients at high risk had the event"),
        (lambda t, e, g, r: (t, e, np.ones_like(g), r), "none of 0 untreated patients"),
        (lambda t, e, g, r: (t, e, g, np.zeros_like(r)), "none of 0 treated patients at high risk"),
        (lambda t, e, g, r: (t, e, g * 2, r), "treated: got 2, wanted 0 or 1"),
        (lambda t, e, g, r: (t, e, g, np.full_like(r, 0.3)), "same for all"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change: object, complaint: str) -> None:
    time, event, treated, risk = change(*followed(60, seed=7))  # type: ignore[operator]
    with pytest.raises(EvaluationError, match=complaint):
        treatment_interaction(time, event=event, treated=treated, risk=risk)


def ratio(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=50, method="given")


def of(logarithm: float, error: float) -> Estimate:
    return ratio(*np.exp(logarithm + np.array([0, -Z * error, Z * error])).tolist())


def test_altman_and_blands_example() -> None:
    # BMJ 2003;326:219: relative risks 0.67 (0.46 to 0.98) and 0.88 (0.71 to 1.08), z = -1.24, P = 0.2.
    found = heterogeneity_p([ratio(0.67, 0.46, 0.98), ratio(0.88, 0.71, 1.08)])
    assert found.value == pytest.approx(0.215, abs=0.01)
    assert found.n == 100


def test_cochrans_q_is_that_of_statsmodels() -> None:
    logarithms, errors = np.array([0.1, 0.8, 1.4]), np.array([0.3, 0.2, 0.5])
    theirs = combine_effects(logarithms, errors**2).test_homogeneity().pvalue
    found = heterogeneity_p([of(*each) for each in zip(logarithms, errors, strict=True)])
    assert found.value == pytest.approx(theirs)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(0.1, 1)), min_size=2, max_size=4), st.floats(-1, 1))
def test_neither_order_nor_a_common_factor_matters(given_: list[tuple[float, float]], shift: float) -> None:
    plain = heterogeneity_p([of(*each) for each in given_])
    assert 0 <= plain.value <= 1
    turned = [of(logarithm + shift, error) for logarithm, error in reversed(given_)]
    assert heterogeneity_p(turned).value == pytest.approx(plain.value, abs=1e-6)


def test_equal_ratios_are_no_sign_of_a_difference() -> None:
    assert heterogeneity_p([ratio(2, 1, 4), ratio(2, 1, 4)]).value == pytest.approx(1)


def test_one_subgroup_is_none() -> None:
    assert np.isnan(heterogeneity_p([ratio(2, 1, 4)]).value)
