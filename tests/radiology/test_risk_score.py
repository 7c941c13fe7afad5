"""Risk score: the printed formula and its readings, which images enter it, its interval, and its share."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from hepatica.cohort.errors import EvaluationError
from hepatica.radiology.risk_score import (
    Gate,
    Variant,
    as_share,
    from_share,
    gated,
    risk_interval,
    risk_score,
    score_studies,
)

VARIANTS: tuple[Variant, ...] = ("as_printed", "weighted_mean", "unnormalised")
odds = st.lists(st.floats(-30, 30), min_size=1, max_size=30)
pairs = st.lists(st.tuples(st.floats(-12, 12), st.floats(-12, 12)), min_size=1, max_size=20)


@pytest.mark.parametrize(("count", "printed"), [(1, 2.0), (100, 0.02), (1000, 0.002)])
def test_the_printed_formula_falls_with_every_image(count: int, printed: float) -> None:
    # specs/radiology.md 2.3: -log10(1 - 0.99) = 2, over n.
    images = np.full(count, logit(0.99))
    assert risk_score(images, variant="as_printed") == pytest.approx(printed)
    assert risk_score(images, variant="weighted_mean") == pytest.approx(2.0)
    assert risk_score(images, variant="unnormalised") == pytest.approx(0.99 * 2)


def test_two_images_by_hand() -> None:
    # p = 0.9 and 0.5: weights 9/14 and 5/14 of 1 and log10 2.
    images = logit([0.9, 0.5])
    mean = (9 + 5 * math.log10(2)) / 14
    assert risk_score(images, variant="weighted_mean") == pytest.approx(mean)
    assert risk_score(images, variant="as_printed") == pytest.approx(mean / 2)
    assert risk_score(images, variant="unnormalised") == pytest.approx((0.9 + 0.5 * math.log10(2)) / 2)


def test_full_certainty_is_finite() -> None:
    # 1 - p = exp(-500), below the smallest difference from 1 that a double has.
    assert risk_score([500.0], variant="as_printed") == pytest.approx(500 / math.log(10))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("nothing", [[-np.inf], [-np.inf, -2000.0]])
def test_no_suspicion_at_all_is_0(variant: Variant, nothing: list[float]) -> None:
    assert risk_score(nothing, variant=variant) == 0


@pytest.mark.parametrize("wrong", [[], [np.nan], [np.inf], [[1.0]], 1.0])
def test_no_images_and_no_numbers_are_refused(wrong: Any) -> None:
    with pytest.raises(EvaluationError, match="log-odds"):
        risk_score(wrong, variant="as_printed")


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(EvaluationError, match="weighted_mean"):
        risk_score([0.0], variant="literal")  # type: ignore[arg-type]


@given(odds=odds)
def test_the_variants_bound_one_another(odds: list[float]) -> None:
    printed, mean, plain = (risk_score(odds, variant=variant) for variant in VARIANTS)
    surprise = np.logaddexp(0, odds) / math.log(10)
    assert 0 <= printed <= mean + 1e-12
    assert plain <= mean + 1e-12
    assert surprise.min() - 1e-9 <= mean <= surprise.max() + 1e-9


@given(odds=odds, repeats=st.integers(2, 5))
def test_repeated_images_shrink_the_printed_score_alone(odds: list[float], repeats: int) -> None:
    for variant, share in (("as_printed", 1 / repeats), ("weighted_mean", 1), ("unnormalised", 1)):
        once, often = (risk_score(each, variant=variant) for each in (odds, odds * repeats))
        assert often == pytest.approx(share * once)


@given(odds=odds)
def test_the_order_of_images_means_nothing(odds: list[float]) -> None:
    for variant in VARIANTS:
        assert risk_score(odds[::-1], variant=variant) == pytest.approx(risk_score(odds, variant=variant))


@given(odds, st.sampled_from(VARIANTS))
def test_interval_holds_the_score_and_one_seed_gives_one(images: list[float], variant: Variant) -> None:
    found = risk_interval(images, variant=variant, resamples=50)
    assert found.value == risk_score(images, variant=variant)
    assert found.low <= found.value <= found.high
    assert found == risk_interval(images, variant=variant, resamples=50)


def test_interval_is_that_of_resampled_images() -> None:
    images = np.random.default_rng(1).normal(size=40)
    found = risk_interval(images, variant="unnormalised", resamples=4000)
    rng = np.random.default_rng(2)
    drawn = [risk_score(rng.choice(images, 40), variant="unnormalised") for _ in range(4000)]
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), rel=0.05)
    assert found.n == 40


def test_images_that_agree_leave_no_doubt() -> None:
    found = risk_interval([1.5] * 9, variant="weighted_mean")
    assert (found.low, found.high) == pytest.approx((found.value, found.value))


@given(st.floats(0, 12))
def test_share_keeps_order_and_comes_back(risk: float) -> None:
    share = float(as_share(risk))
    assert 0 <= share <= 1
    assert float(from_share(share)) == pytest.approx(risk, abs=1e-3)
    assert float(as_share(risk + 0.1)) > share


def test_share_of_one_image_is_its_probability() -> None:
    assert float(as_share(risk_score([logit(0.73)], variant="as_printed"))) == pytest.approx(0.73)
    assert from_share(1.0) == np.inf


@given(pairs)
def test_soft_is_the_product_of_both_probabilities(odds: list[tuple[float, float]]) -> None:
    hcc, nodule = np.array(odds).T
    np.testing.assert_allclose(expit(gated(hcc, nodule, gate="soft")), expit(hcc) * expit(nodule), rtol=1e-9)


@given(pairs, st.floats(0.05, 0.95))
def test_hard_keeps_the_images_with_a_nodule(odds: list[tuple[float, float]], probability: float) -> None:
    hcc, nodule = np.array(odds).T
    kept = gated(hcc, nodule, gate="hard", probability=probability)
    assert kept.tolist() == [h for h, n in odds if n >= logit(probability)]


@given(pairs)
def test_none_keeps_all(odds: list[tuple[float, float]]) -> None:
    hcc, nodule = np.array(odds).T
    assert gated(hcc, nodule, gate="none").tolist() == hcc.tolist()


def test_full_certainty_of_both_networks_is_finite() -> None:
    assert gated(np.array([400.0]), np.array([400.0]), gate="soft")[0] == pytest.approx(400 - np.log(2))
    assert gated(np.array([400.0]), np.array([-400.0]), gate="soft")[0] == pytest.approx(-400)


def test_other_gates_are_refused() -> None:
    with pytest.raises(EvaluationError, match="got the gate 'half'"):
        gated(np.zeros(2), np.zeros(2), gate="half")


def of_study(hcc: list[float], nodule: list[float], *, gate: Gate = "none") -> "pd.Series[float]":
    """What is said of one study of such slices, before which another one lies."""
    slices = {"patient_id": "P", "specimen_id": "S", "hcc_log_odds": hcc, "nodule_log_odds": nodule}
    other = {"patient_id": ["O"], "specimen_id": ["T"], "hcc_log_odds": [1.0], "nodule_log_odds": [1.0]}
    regions = pd.concat([pd.DataFrame(other), pd.DataFrame(slices)])
    found = score_studies(
        regions, settings=SimpleNamespace(gate=gate, nodule_probability=0.5, variant="weighted_mean", seed=1)
    )
    assert found["patient_id"].tolist() == ["O", "P"]
    return found.set_index("specimen_id").loc["S"].drop("patient_id").astype(float)


def test_no_slice_through_the_gate_is_no_risk() -> None:
    found = of_study([3.0, 2.0], [-1.0, -2.0], gate="hard")
    assert found.to_dict() == {"score": 0.0, "risk": 0.0, "low": 0.0, "high": 0.0, "images": 0}


def test_score_is_the_share_of_the_risk() -> None:
    found = of_study(logit([0.9, 0.5]), [9.0, 9.0])
    assert found["risk"] == pytest.approx((9 + 5 * np.log10(2)) / 14)
    assert found["score"] == pytest.approx(1 - 10 ** -found["risk"])
    assert found["images"] == 2


@pytest.mark.parametrize("sure", [-800.0, 800.0])
@pytest.mark.parametrize("gate", ["none", "hard", "soft"])
def test_all_images_sure_is_finite(gate: Gate, sure: float) -> None:
    found = of_study([sure] * 3, [sure] * 3, gate=gate)
    assert np.isfinite(found).all()
    assert 0 <= found["score"] <= 1
