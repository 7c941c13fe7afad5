from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate import Comparison, Estimate, auroc, compare_auroc, fit_logistic
from hepatica.report.chapters.follow_up import clinical_model
from hepatica.report.chapters.follow_up.clinical_model import (
    INTEGRATED,
    SIGNATURE,
    TOGETHER,
    Judged,
    Known,
    _verdict,
    box,
    cross_fitted,
    fold_aurocs,
    mean_limits,
    new_patients,
    ranked_within_folds,
    recorded,
    risks,
    training,
)
from hepatica.report.page.blocks import Figure, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.wording import p_value
from hepatica.studies.li_2025_cnn_sasm.chapters.found import Study

Make = Callable[..., Study]
Sketch = Callable[[Path], Gallery]


def section(study: Study, gallery: Gallery) -> Section:
    own = {"out_of_fold": study.out_of_fold, "indicators": study.settings.indicators}
    return clinical_model.section(study.run, gallery, **own)


def known_of(study: Study) -> Known:
    return Known(run=study.run, out_of_fold=study.out_of_fold, indicators=study.settings.indicators)


def told(found: Section, kind: type) -> list[str]:
    return [getattr(block, "text", getattr(block, "caption", "")) for block in found.blocks if isinstance(block, kind)]


def test_whiskers_are_the_t_interval_of_the_mean() -> None:
    # Mean 0.7, SD 0.158114, t(0.975, 4) = 2.776445: 0.7 ± 2.776445 * 0.158114 / sqrt(5) = 0.7 ± 0.196324
    values = pd.Series([0.5, 0.6, 0.7, 0.8, 0.9])
    assert mean_limits(values) == pytest.approx((0.503676, 0.896324), abs=1e-6)
    found = box(values)
    assert (found["q1"], found["med"], found["q3"]) == pytest.approx((0.6, 0.7, 0.8))
    assert (found["whislo"], found["whishi"]) == mean_limits(values)


def test_whiskers_stay_within_nought_and_one() -> None:
    assert mean_limits(pd.Series([0.0, 1.0])) == (0, 1)
    assert mean_limits(pd.Series([0.8, 0.8])) == (0.8, 0.8)


def test_every_target_is_shown_the_first_in_full(make_study: Make, tmp_path: Path, sketchbook: Sketch) -> None:
    found = section(make_study(), sketchbook(tmp_path))
    assert found.anchor == "indicators"
    assert [caption.split(",")[0].split(":")[0] for caption in told(found, Table)] == [
        "Recurrence at 12 months",
        "Internal test",
        "External",
        "Recurrence at 24 months",
        "Recurrence at end of follow-up",
    ]
    assert [len(block.panels) for block in found.blocks if isinstance(block, Figure)] == [3, 2, 3, 3]


def test_indicators_a_cohort_lacks_are_named(make_study: Make, tmp_path: Path, sketchbook: Sketch) -> None:
    text = " ".join(told(section(make_study(), sketchbook(tmp_path)), Text))
    assert (
        "Internal test: Hospital A lacks HBsAg, ALT (U/L) (or codes it otherwise); its regressions are learnt without."
        in text
    )


def test_settings_choose_the_indicators(make_study: Make, tmp_path: Path, sketchbook: Sketch) -> None:
    study = make_study(settings={"indicators": ["tumour_size_cm", "age_years"]})
    found = section(study, sketchbook(tmp_path))
    [table, *_] = [block for block in found.blocks if isinstance(block, Table)]
    assert [row[0] for row in table.rows] == [
        "Tumour size (cm)", "Age (years)", TOGETHER, "Indicators and signature (LR)", SIGNATURE
    ]  # fmt: skip
    assert "Internal test: Hospital A has all indicators. Gaps were filled for 0 patients" in " ".join(
        told(found, Text)
    )


def test_new_patients_are_judged_by_all_training_patients(make_study: Make, tmp_path: Path, sketchbook: Sketch) -> None:
    study, names = make_study(settings={"indicators": ["tumour_size_cm", "age_years"]}), ["tumour_size_cm", "age_years"]
    target, external = study.run.targets[0], study.run.external[0]
    new = new_patients(external, target).dropna(subset=["label"])
    scored = risks(training(known_of(study), target), of=new, names=names)
    wanted = compare_auroc(new["label"], score_a=scored[SIGNATURE], score_b=scored[TOGETHER])
    tables = [block for block in section(study, sketchbook(tmp_path)).blocks if isinstance(block, Table)]
    row = {row[0]: row for row in tables[2].rows}[TOGETHER]
    assert row[2:4] == [str(wanted.difference), p_value(wanted.p)]
    area = external.metric("auroc", target)["value"]
    assert {row[0]: row for row in tables[2].rows}[SIGNATURE][1].startswith(f"{area:.3f}")


def test_a_cohort_of_one_outcome_is_told_not_compared(make_study: Make, tmp_path: Path, sketchbook: Sketch) -> None:
    found = section(make_study(events=False), sketchbook(tmp_path))
    warnings = [block.text for block in found.blocks if isinstance(block, Text) and block.tone == "warning"]
    assert len(warnings) == 3
    assert all("not compared" in text for text in warnings)


def test_one_outcome_elsewhere_leaves_the_other_cohorts(make_study: Make, tmp_path: Path, sketchbook: Sketch) -> None:
    study = make_study()
    away = study.run.external[0].patients
    away["recurrence_event"], away["recurrence_months"] = 1, away["recurrence_months"] / 100
    tables = [block for block in section(study, sketchbook(tmp_path)).blocks if isinstance(block, Table)]
    internal, external = ({row[0]: row for row in table.rows}[SIGNATURE] for table in tables[1:3])
    assert internal[1] != "not computable"
    assert external[1] == "not computable"
    assert external[4] != "not computable"


def test_no_indicator_leaves_the_signature(make_study: Make, tmp_path: Path, sketchbook: Sketch) -> None:
    found = section(make_study(covariates=False, external=False), sketchbook(tmp_path))
    [table, *_] = [block for block in found.blocks if isinstance(block, Table)]
    assert [row[0] for row in table.rows] == [SIGNATURE]
    assert np.isfinite(float(table.rows[0][3].split()[0]))


def test_the_verdict_counts_the_lost_as_well_as_the_won(make_study: Make) -> None:
    def judged(value: float, p: float) -> Judged:
        found = Estimate(value=value, low=None, high=None, n=9, method="made up")
        return Judged(name="any", value=found, ahead=Comparison(difference=found, p=p))

    found = [judged(0.1, 0.01), judged(0.1, 0.2), judged(-0.2, 0.03), judged(-0.1, 0.5), judged(-0.1, 0.04)]
    [block] = _verdict(make_study().run.internal, found)
    assert "higher AUROC than 2 of 5 other risks, with P below 0.05 than 1, and a lower one" in block.text
    assert "lower one with P below 0.05 than 2." in block.text


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


def test_no_patient_is_judged_by_what_was_learnt_from_them(known: pd.DataFrame) -> None:
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
    table = training(known_of(study), target)
    folds = study.run.internal.patients["fold"]
    assert set(folds.loc[table.index]) == {"train"}
    own = study.out_of_fold[study.out_of_fold["specimen_id"].isna() & (study.out_of_fold["horizon_months"] == 12)]
    own = own.set_index("patient_id")["score"].astype(float)
    assert table[SIGNATURE].to_numpy() == pytest.approx(own.loc[table.index].to_numpy())
    seen = study.run.internal.outcomes(target, fold="train")["score"]
    assert not np.isclose(table[SIGNATURE], seen.loc[table.index]).any()
    assert set(folds.loc[new_patients(study.run.internal, target).index]) == {"test"}
