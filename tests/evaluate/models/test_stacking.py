"""Stacking: nobody is judged by a regression learnt from them, and folds are compared on one scale."""

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate import auroc, fit_logistic
from hepatica.evaluate.models.stacking import (
    cross_fitted,
    fold_aurocs,
    mean_limits,
    ranked_within_folds,
    stacked_risks,
)

NAMES = ["size", "stage"]
SIGNATURE, TOGETHER = "signature", "together"
CANDIDATES = {"size": ["size"], "stage": ["stage"], TOGETHER: NAMES, "integrated": [*NAMES, SIGNATURE]}


@pytest.fixture
def known() -> pd.DataFrame:
    """100 patients in 5 folds; the larger the tumour the likelier the event, and the signature knows more."""
    rng = np.random.default_rng(0)
    size = rng.normal(5, 2, 100)
    label = (size + rng.normal(0, 2, 100) > 5).astype(float)
    return pd.DataFrame(
        {
            "size": size,
            "stage": rng.choice(["A", "B"], 100),
            "label": label,
            SIGNATURE: 0.6 * label + 0.4 * rng.random(100),
            "held_out": np.tile(list("12345"), 20),
        }
    )


def test_a_regression_a_candidate_and_the_score_as_it_is(known: pd.DataFrame) -> None:
    found = stacked_risks(known, of=known, candidates=CANDIDATES, score=SIGNATURE)
    assert list(found) == [*CANDIDATES, SIGNATURE]
    assert found[TOGETHER].to_numpy() == pytest.approx(fit_logistic(known[NAMES], label=known["label"]).risk(known))
    assert found[SIGNATURE].equals(known[SIGNATURE])
    assert list(stacked_risks(known, of=known, candidates={}, score=SIGNATURE)) == [SIGNATURE]


def test_one_class_cannot_be_fitted(known: pd.DataFrame) -> None:
    with pytest.raises(EvaluationError, match="all 100 are 1"):
        stacked_risks(known.assign(label=1.0), of=known, candidates=CANDIDATES, score=SIGNATURE)


def test_no_patient_is_judged_by_what_was_learnt_from_them(known: pd.DataFrame) -> None:
    before = cross_fitted(known, candidates=CANDIDATES, score=SIGNATURE)
    turned = known.assign(label=known["label"].where(known["held_out"] != "3", 1 - known["label"]))
    after, third = cross_fitted(turned, candidates=CANDIDATES, score=SIGNATURE), known["held_out"] == "3"
    pd.testing.assert_frame_equal(before[third], after[third])
    assert not np.isclose(before.loc[~third, TOGETHER], after.loc[~third, TOGETHER]).any()
    assert before.index.equals(known.index)


def test_an_area_for_each_fold_that_has_both_classes(known: pd.DataFrame) -> None:
    cross = cross_fitted(known, candidates=CANDIDATES, score=SIGNATURE)
    first = known["held_out"] == "1"
    areas = fold_aurocs(known, cross)
    assert areas.shape == (5, 5)
    assert areas[SIGNATURE].iloc[0] == auroc(known.loc[first, "label"], score=known.loc[first, SIGNATURE]).value
    assert len(fold_aurocs(known.assign(label=known["label"].mask(first, 1.0)), cross)) == 4


def test_ranks_take_away_what_differs_between_fits(known: pd.DataFrame) -> None:
    cross = cross_fitted(known, candidates=CANDIDATES, score=SIGNATURE)
    shifted = cross.add(known["held_out"].astype(float), axis=0)
    ranked = ranked_within_folds(known, shifted)
    assert ranked.to_numpy() == pytest.approx(ranked_within_folds(known, cross).to_numpy())
    assert (ranked.min().min(), ranked.max().max()) == (0.5 / 20, 19.5 / 20)
    ties = ranked_within_folds(known, cross * 0)
    assert (ties == 0.5).all().all()


def test_whiskers_are_the_t_interval_of_the_mean() -> None:
    # Mean 0.7, SD 0.158114, t(0.975, 4) = 2.776445: 0.7 ± 2.776445 * 0.158114 / sqrt(5) = 0.7 ± 0.196324
    values = pd.Series([0.5, 0.6, 0.7, 0.8, 0.9])
    assert mean_limits(values) == pytest.approx((0.503676, 0.896324), abs=1e-6)


def test_whiskers_stay_within_nought_and_one() -> None:
    assert mean_limits(pd.Series([0.0, 1.0])) == (0, 1)
    assert mean_limits(pd.Series([0.8, 0.8])) == (0.8, 0.8)
