import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate import auroc, recalibrate
from hepatica.evaluate.binary.recalibration import expected_calibration_error, fit_temperature


def patients(seed: int, *, intercept: float, slope: float, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Scores, and labels whose true log odds are intercept + slope times those of the scores."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(0, 1.2, n)
    return (rng.random(n) < expit(intercept + slope * log_odds)).astype(int), expit(log_odds)


def test_two_groups_by_hand() -> None:
    # 10 of 40 with a score of 0.2 and 30 of 40 with 0.8 have the event: a line through two points is exact, from log
    # odds -ln 4 and ln 4 to -ln 3 and ln 3.
    score, label = np.repeat([0.2, 0.8], 40), np.repeat([1, 0, 1, 0], [10, 30, 30, 10])
    found = recalibrate(label, score=score, slope=True)
    assert (found.intercept, found.slope) == (pytest.approx(0, abs=1e-6), pytest.approx(np.log(3) / np.log(4)))
    assert found.apply([0.2, 0.8]) == pytest.approx([0.25, 0.75])


def test_an_intercept_by_hand() -> None:
    # All have a score of 0.5 and a quarter have the event: log odds 0 are to be ln(1/3).
    found = recalibrate([1, 0, 0, 0], score=[0.5] * 4, slope=False)
    assert (found.intercept, found.slope) == (pytest.approx(-np.log(3)), 1)


def test_what_was_done_to_the_scores_is_found() -> None:
    label, score = patients(1, intercept=-0.8, slope=0.5, n=100_000)
    found = recalibrate(label, score=score, slope=True)
    assert (found.intercept, found.slope) == (pytest.approx(-0.8, abs=0.03), pytest.approx(0.5, abs=0.03))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(-1, 1), st.floats(0.5, 1.5), st.booleans())
def test_recalibrated_scores_need_nothing_more(seed: int, intercept: float, slope: float, both: bool) -> None:
    label, score = patients(seed, intercept=intercept, slope=slope)
    updated = recalibrate(label, score=score, slope=both).apply(score)
    assert updated.mean() == pytest.approx(label.mean(), abs=1e-6)
    again = recalibrate(label, score=updated, slope=both)
    assert (again.intercept, again.slope) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-5))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.booleans())
def test_the_order_of_patients_stays(seed: int, both: bool) -> None:
    label, score = patients(seed, intercept=-1, slope=0.8)
    updated = recalibrate(label, score=score, slope=both).apply(score)
    assert auroc(label, score=updated).value == auroc(label, score=score).value


def test_certain_scores_stay_finite() -> None:
    found = recalibrate([0, 1, 0, 1], score=[0.0, 0.3, 0.6, 1.0], slope=True)
    assert np.isfinite(logit(found.apply([0.0, 1.0]))).all()


def test_a_slope_that_does_not_exist_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no slope fits"):
        recalibrate([0, 0, 1, 1], score=[0.1, 0.2, 0.3, 0.4], slope=True)
    with pytest.raises(EvaluationError, match="probabilities from 0 to 1"):
        recalibrate([0, 1], score=[0.1, 1.2], slope=False)


@pytest.fixture
def honest() -> tuple[np.ndarray, np.ndarray]:
    """6000 cases of three classes that happen as often as the logits say."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (6000, 3))
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1), logits


def test_error_one_can_count() -> None:
    """Two cases with confidence 0.8 of which one is right, one with 0.6 that is right: (|1 - 1.6| + |1 - 0.6|) / 3."""
    logits = np.log([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]])
    assert expected_calibration_error([0, 1, 1], logits=logits) == pytest.approx((0.6 + 0.4) / 3)


def test_honest_logits_need_no_temperature(honest: tuple[np.ndarray, np.ndarray]) -> None:
    label, logits = honest
    assert fit_temperature(label, logits=logits) == pytest.approx(1, abs=0.05)
    assert expected_calibration_error(label, logits=logits) < 0.015


@settings(deadline=None, max_examples=10)
@given(st.floats(0.2, 5), st.floats(-50, 50))
def test_temperature_undoes_stretching_and_knows_no_shift(stretched: float, shift: float) -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (500, 3))
    label = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    once = fit_temperature(label, logits=logits)
    assert fit_temperature(label, logits=stretched * logits + shift) == pytest.approx(once * stretched, rel=1e-4)


@pytest.mark.parametrize(
    ("label", "logits", "told"),
    [
        ([0, 1], [[2, 0], [0, 2]], "every case is right"),
        ([1, 0], [[2, 0], [0, 2]], "no better than chance"),
        ([0, 2], [[2, 0], [0, 2]], "labels from 0 to 1"),
        ([0, 1], [[2, np.nan], [0, 2]], "finite"),
        ([0], [[2, 0], [0, 2]], "wanted"),
    ],
)
def test_what_has_no_temperature(label: list[int], logits: list[list[float]], told: str) -> None:
    with pytest.raises(EvaluationError, match=told):
        fit_temperature(label, logits=logits)


@pytest.fixture(scope="module")
def lilnet() -> pd.DataFrame:
    data = os.environ.get("HEPATICA_DATA")
    if not data:
        pytest.skip("HEPATICA_DATA is not set: the logits of LiLNet are not here")
    folder = Path(data) / "radiology" / "lilnet"
    return pd.concat([pd.read_csv(folder / f"lilnet_logits_{name}.csv") for name in ("internal_test", "other_sets")])


def of(table: pd.DataFrame, sheet: str, *, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rows = table[table["sheet"] == sheet]
    return rows["label"].to_numpy(), rows[["z0", "z1", "z2"][:classes]].to_numpy()


# LiLNet (Nat Commun 2024; logits from github.com/yangmeiyi/Liver, MIT). Benign or malignant: the paper prints accuracy
# 94.7 % and AUROC 97.2 % for the test set; the external numbers are those of specs/radiology.md, section 4.1.
@pytest.mark.parametrize(
    ("sheet", "n", "accuracy", "area"),
    [("figure_2B_2E_LiLNet", 1360, 0.947, 0.9727), ("figure_3A_3D_LiLNet", 636, 0.899, 0.953)],
)
def test_lilnet_benign_or_malignant(lilnet: pd.DataFrame, sheet: str, n: int, accuracy: float, area: float) -> None:
    label, logits = of(lilnet, sheet, classes=2)
    assert label.size == n
    assert (logits.argmax(axis=1) == label).mean() == pytest.approx(accuracy, abs=0.0005)
    assert auroc(label, score=logits[:, 1] - logits[:, 0]).value == pytest.approx(area, abs=0.0005)


def test_lilnet_malignant_is_too_sure_of_itself_in_another_hospital(lilnet: pd.DataFrame) -> None:
    label, logits = of(lilnet, "figure_2C_2F_LiLNET", classes=3)
    elsewhere, other_logits = of(lilnet, "figure_3B_3E_LiLNet", classes=3)
    assert expected_calibration_error(label, logits=logits) == pytest.approx(0.057, abs=0.0005)
    assert expected_calibration_error(elsewhere, logits=other_logits) == pytest.approx(0.115, abs=0.0005)
    temperature = fit_temperature(label, logits=logits)
    assert temperature == pytest.approx(1.843, abs=0.001)
    mended = expected_calibration_error(elsewhere, logits=other_logits / temperature)
    assert mended == pytest.approx(0.088, abs=0.0005)
