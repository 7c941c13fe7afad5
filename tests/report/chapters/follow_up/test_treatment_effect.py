from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hepatica.evaluate import Estimate, HazardRatio, Interaction, treatment_interaction
from hepatica.report.chapters.follow_up.treatment_effect import arms, conclusion, interaction, section, treated_and_not
from hepatica.report.page.blocks import Table, Text
from hepatica.report.page.results import Run, read_run


@pytest.fixture
def run(finished: Path) -> Run:
    return read_run(finished, external=[finished / "external" / "hospital_b"])


def ratio(value: float, low: float, high: float, p: float) -> HazardRatio:
    return HazardRatio(ratio=Estimate(value=value, low=low, high=high, n=73, method="Cox"), p=p)


def found(value: float, low: float, high: float, p: float) -> Interaction:
    one = ratio(1.0, 0.5, 2.0, 1.0)
    return Interaction(high=one, low=one, ratio=ratio(value, low, high, p))


def outcomes(*, help_low: float) -> pd.DataFrame:
    """80 patients of whom all have the event; treatment divides time at low risk by `help_low`, at high risk by 1."""
    rng, treated, high = np.random.default_rng(0), np.arange(80) % 2, np.arange(80) % 4 < 2
    time = rng.exponential(np.where(treated & ~high, 1 / help_low, 1))
    group = np.where(high, "high", "low")
    return pd.DataFrame({"time": time, "event": 1, "group": group, "treated": treated, "score": high * 0.6})


def test_treated_are_those_set_aside(run: Run) -> None:
    table = treated_and_not(run.internal, run.targets[0])
    folds = run.internal.patients["fold"]
    assert table["treated"].sum() == (folds == "set_aside").sum()
    assert (1 - table["treated"]).sum() == (folds == "test").sum()
    parts = [arms(table, subset=subset) for subset in ("high", "low")]
    assert sum(len(arm.patients) for pair in parts for arm in pair) == len(table)


def test_a_blank_treatment_is_in_neither_group(run: Run, tmp_path: Path, sketchbook: Callable[..., Any]) -> None:
    internal, target = run.internal, run.targets[0]
    aside = internal.patients.index[internal.patients["fold"] == "set_aside"]
    for blank in (aside[:3], aside):
        treatment = internal.patients["treatment"].mask(internal.patients.index.isin(blank))
        bare = replace(internal, patients=internal.patients.assign(treatment=treatment))
        assert not treated_and_not(bare, target).index.intersection(blank).size
        made = section(replace(run, cohorts=(bare,)), sketchbook(tmp_path))
        texts = [made] if isinstance(made, str) else [each.text for each in made.blocks if isinstance(each, Text)]
        said = (
            "there is no treatment to compare"
            if len(blank) == len(aside)
            else "treatment of 3 patients set aside is unknown"
        )
        assert any(said in text for text in texts)


@pytest.mark.parametrize("by", ["group", "score"])
def test_the_interaction_is_that_of_evaluate(run: Run, by: str) -> None:
    table = treated_and_not(run.internal, run.targets[0])
    risk = table["group"] == "high" if by == "group" else table["score"]
    assert interaction(table, by=by) == treatment_interaction(
        table["time"], event=table["event"], treated=table["treated"], risk=risk.astype(float)
    )


def test_every_cohort_has_curves_boxes_a_forest_and_a_conclusion(
    run: Run, tmp_path: Path, sketchbook: Callable[..., Any]
) -> None:
    gallery = sketchbook(tmp_path)
    blocks = section(run, gallery).blocks
    assert len(gallery.words) == 7 * len(run.cohorts)
    assert "Log-rank P" in gallery.words["treatment_low_internal"]
    assert "interaction" in gallery.words["interaction_external_hospital_b"]
    assert sum("not randomised" in each.text for each in blocks if isinstance(each, Text)) == len(run.cohorts)
    table = next(each for each in blocks if isinstance(each, Table) and "interaction" in each.caption)
    both = interaction(treated_and_not(run.internal, run.targets[0]), by="group")
    assert not isinstance(both, str)
    told = {row[0]: row[1] for row in table.rows}
    assert told["High over low: interaction"].startswith(f"{both.ratio.ratio.value:.2f} (")
    assert told["Treatment, high risk"].startswith(f"{both.high.ratio.value:.2f} (")


def test_significant_here_and_not_there_is_no_difference() -> None:
    table = outcomes(help_low=4)
    pairs = {key: arms(table, subset=key) for key in ("all", "high", "low")}
    text = conclusion(found(0.7, 0.35, 1.4, 0.31), "none", pairs)
    assert "significant in one group and not in the other is no evidence that the groups differ" in text
    assert "spans a factor of 4.0 from end to end and includes 1" in text
    assert "the score is not shown to predict who benefits" in text
    alike = {key: arms(outcomes(help_low=1), subset=key) for key in pairs}
    assert "no evidence that the groups differ" not in conclusion(found(0.7, 0.35, 1.4, 0.31), "none", alike)


@pytest.mark.parametrize(
    ("sure", "course"), [(found(0.2, 0.1, 0.4, 0.0001), "better"), (found(5, 2.5, 10, 0.0001), "worse")]
)
def test_an_interaction_is_a_lead_and_no_proof(sure: Interaction, course: str) -> None:
    table = outcomes(help_low=1)
    text = conclusion(sure, sure, {key: arms(table, subset=key) for key in ("high", "low")})
    assert f"excludes 1: among these 73 patients treatment is associated with a relatively {course} course" in text
    assert "no proof" in text
    assert "not randomised" in text
    assert "By the score itself the interaction is" in text


def test_what_cannot_be_fitted_is_told() -> None:
    table = outcomes(help_low=1).assign(treated=1)
    found = interaction(table, by="group")
    assert isinstance(found, str)
    assert "none of 0 untreated patients" in found
    pairs = {key: arms(table, subset=key) for key in ("high", "low")}
    assert "cannot be said here: treatment interaction: none of 0" in conclusion(found, found, pairs)


def test_nobody_was_treated(
    make_run: Callable[..., tuple[Path, list[Path]]], tmp_path: Path, sketchbook: Callable[..., Any]
) -> None:
    path, external = make_run(treated=False)
    assert "no treatment to compare" in str(section(read_run(path, external=external), sketchbook(tmp_path)))


@pytest.mark.parametrize("change", [{"events": False}, {"patients": 14}])
def test_small_cohorts_and_no_events(
    make_run: Callable[..., tuple[Path, list[Path]]],
    tmp_path: Path,
    sketchbook: Callable[..., Any],
    change: dict[str, Any],
) -> None:
    path, external = make_run(**change)
    text = str(section(read_run(path, external=external), sketchbook(tmp_path)).blocks)
    assert "cannot be said here" in text
    assert "SECRET" not in text
