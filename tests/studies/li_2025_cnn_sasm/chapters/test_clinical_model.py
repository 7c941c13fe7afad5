from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.evaluate import Comparison, Estimate, at_horizon, compare_auroc
from hepatica.evaluate.models.stacking import stacked_risks
from hepatica.report.chapters.follow_up import clinical_model
from hepatica.report.chapters.follow_up.clinical_model import Judged, _verdict
from hepatica.report.chapters.follow_up.indicators import (
    INTEGRATED,
    SIGNATURE,
    TOGETHER,
    Known,
    candidates,
    new_patients,
    recorded,
    training,
)
from hepatica.report.page.blocks import Figure, Section, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.wording import p_value
from hepatica.studies.li_2025_cnn_sasm.found import Study

Make = Callable[..., Study]
Sketch = Callable[[Path], Gallery]


def section(study: Study, gallery: Gallery) -> Section:
    own = {"out_of_fold": study.out_of_fold, "indicators": study.settings.indicators}
    return clinical_model.section(study.run, gallery, **own)


def known_of(study: Study) -> Known:
    return Known(run=study.run, out_of_fold=study.out_of_fold, indicators=study.settings.indicators)


def told(found: Section, kind: type) -> list[str]:
    return [getattr(block, "text", getattr(block, "caption", "")) for block in found.blocks if isinstance(block, kind)]


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
        "Internal test: Hospital A lacks HBsAg, ALT (U/L) (or codes it otherwise); its regressions are fitted without."
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
    new = new_patients(external, target)
    table = training(known_of(study), target)
    scored = stacked_risks(table, of=new, candidates=candidates(names), score=SIGNATURE)
    outcome = at_horizon(new["time"], event=new["cause"], horizon=target.horizon)
    wanted = compare_auroc(outcome, score_a=scored[SIGNATURE], score_b=scored[TOGETHER])
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


def test_an_indicator_must_be_recorded_everywhere() -> None:
    known, names = pd.DataFrame({"size": [1.0, 2.0], "stage": ["A", "B"]}), ["size", "stage"]
    assert recorded(names, known, known.assign(stage=None)) == ["size"]
    assert recorded([*names, "hbsag"], known) == names
    assert recorded(names, known, known.assign(stage=1.0)) == ["size"]


def test_each_alone_all_together_and_with_the_signature() -> None:
    assert candidates(["size", "stage"]) == {
        "Size": ["size"],
        "Stage": ["stage"],
        TOGETHER: ["size", "stage"],
        INTEGRATED: ["size", "stage", SIGNATURE],
    }
    assert list(candidates(["size"])) == ["Size", INTEGRATED]
    assert candidates([]) == {}


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
