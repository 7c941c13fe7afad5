from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate import auroc, fit_logistic
from hepatica.studies.li_2025.chapters.clinical_risks import (
    INTEGRATED,
    SIGNATURE,
    TOGETHER,
    cross_fitted,
    fold_aurocs,
    new_patients,
    ranked_within_folds,
    recorded,
    risks,
    training,
)
from hepatica.studies.li_2025.chapters.found import Study

NAMES = ["size", "stage"]


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


def test_each_alone_all_together_and_with_the_signature(known: pd.DataFrame) -> None:
    found = risks(known, of=known, names=NAMES)
    assert list(found) == ["Size", "Stage", TOGETHER, INTEGRATED, SIGNATURE]
    assert found[TOGETHER].to_numpy() == pytest.approx(fit_logistic(known[NAMES], label=known["label"]).risk(known))
    assert found[SIGNATURE].equals(known[SIGNATURE])
    assert list(risks(known, of=known, names=["size"])) == ["Size", INTEGRATED, SIGNATURE]
    assert list(risks(known, of=known, names=[])) == [SIGNATURE]


def test_nobody_is_judged_by_what_was_learnt_from_him(known: pd.DataFrame) -> None:
    before = cross_fitted(known, NAMES)
    turned = known.assign(label=known["label"].where(known["held_out"] != "3", 1 - known["label"]))
    after, third = cross_fitted(turned, NAMES), known["held_out"] == "3"
    pd.testing.assert_frame_equal(before[third], after[third])
    assert not np.isclose(before.loc[~third, TOGETHER], after.loc[~third, TOGETHER]).any()
    assert before.index.equals(known.index)


def test_an_area_for_each_fold_that_has_both_classes(known: pd.DataFrame) -> None:
    cross = cross_fitted(known, NAMES)
    first = known["held_out"] == "1"
    areas = fold_aurocs(known, cross)
    assert areas.shape == (5, 5)
    assert areas[SIGNATURE].iloc[0] == auroc(known.loc[first, "label"], score=known.loc[first, SIGNATURE]).value
    assert len(fold_aurocs(known.assign(label=known["label"].mask(first, 1.0)), cross)) == 4


def test_ranks_take_away_what_differs_between_fits(known: pd.DataFrame) -> None:
    cross = cross_fitted(known, NAMES)
    shifted = cross.add(known["held_out"].astype(float), axis=0)
    ranked = ranked_within_folds(known, shifted)
    assert ranked.to_numpy() == pytest.approx(ranked_within_folds(known, cross).to_numpy())
    assert (ranked.min().min(), ranked.max().max()) == (0.5 / 20, 19.5 / 20)
    ties = ranked_within_folds(known, cross * 0)
    assert (ties == 0.5).all().all()


def test_an_indicator_must_be_recorded_everywhere(known: pd.DataFrame) -> None:
    assert recorded(NAMES, known, known.assign(stage=None)) == ["size"]
    assert recorded([*NAMES, "hbsag"], known) == NAMES
    assert recorded(NAMES, known, known.assign(stage=1.0)) == ["size"]
    with pytest.raises(EvaluationError, match="all 100 are 1"):
        risks(known.assign(label=1.0), of=known, names=NAMES)


def test_training_patients_have_the_risk_of_a_network_that_did_not_see_them(make_study: Callable[..., Study]) -> None:
    study = make_study()
    target = study.run.targets[0]
    table = training(study, target)
    folds = study.run.internal.patients["fold"]
    assert set(folds.loc[table.index]) == {"train"}
    own = study.out_of_fold[study.out_of_fold["specimen_id"].isna() & (study.out_of_fold["horizon_months"] == 12)]
    own = own.set_index("patient_id")["score"].astype(float)
    assert table[SIGNATURE].to_numpy() == pytest.approx(own.loc[table.index].to_numpy())
    seen = study.run.internal.outcomes(target, fold="train")["score"]
    assert not np.isclose(table[SIGNATURE], seen.loc[table.index]).any()
    assert set(folds.loc[new_patients(study.run.internal, target).index]) == {"test"}
