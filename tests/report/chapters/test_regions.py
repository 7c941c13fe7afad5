"""Regions: patients are the unit of intervals, levels count what they are of."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from hepatica.evaluate import auroc
from hepatica.report.chapters import regions
from hepatica.report.chapters.regions import rates
from hepatica.report.page.blocks import Figure, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.report.page.wording import interval

Sketch = Callable[[Path], Gallery]

PAPER = {"": "14,778 images", "auroc": "0.901"}


def marked(study: Run, gallery: Gallery):
    return regions.marked_section(
        study, gallery, mark="nodule", score="nodule_log_odds", at=0.5, network="NoduleNet", paper=PAPER
    )


def test_patients_are_the_unit_of_intervals() -> None:
    # Ten copies of each image tell no more than one: the interval stays, that of images shrinks.
    few = pd.DataFrame({"mark": [1, 1, 1, 0, 0, 0, 1, 0], "odds": [2, 1, -1, -2, 0.5, -1, 3, -3]})
    few["patient_id"] = [f"P{n}" for n in range(len(few))]
    many = pd.concat([few] * 10)
    width = {by: [rates(table, at=0.5, by_patient=by)["auroc"] for table in (few, many)] for by in (True, False)}
    by_patient, by_image = ([each.high - each.low for each in pair] for pair in (width[True], width[False]))
    assert by_patient[1] == pytest.approx(by_patient[0], rel=0.35)
    assert by_image[1] < 0.5 * by_image[0]
    assert rates(many, at=0.5)["sensitivity"].n == 4


def test_an_image_is_flagged_from_the_settings_probability_on() -> None:
    table = pd.DataFrame({"mark": [1, 0], "odds": [0.0, -0.1], "patient_id": ["A", "B"]})
    found = rates(table, at=0.5)
    assert (found["sensitivity"].value, found["specificity"].value) == (1, 1)
    assert rates(table, at=0.6)["sensitivity"].value == 0


def test_the_table_has_both_kinds_of_interval_and_the_papers(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    tables = [block for block in marked(study, sketchbook(tmp_path)).blocks if isinstance(block, Table)]
    rows = {row[0].strip(): list(row[1:]) for row in tables[0].rows}
    images = pd.read_parquet(study.folder / "regions.parquet").dropna(subset=["nodule"])
    seen = images[images["patient_id"].isin(study.internal.outcomes(study.targets[0]).index)]
    own = auroc(seen["nodule"], score=seen["nodule_log_odds"], group=seen["patient_id"].to_numpy())
    assert rows["By patients"][1] == interval(own.as_dict())
    assert rows["By images"][1] != rows["By patients"][1]
    assert rows["Paper"] == ["14,778 images", "0.901", "\N{EN DASH}", "\N{EN DASH}"]
    assert rows["By patients"][0] == f"{len(seen)}, {int(seen['nodule'].sum())}, {own.n} patients"
    assert len(tables) == 2


def test_images_no_expert_marked_have_no_chapter(
    study: Run, tmp_path: Path, sketchbook: Sketch, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = pd.DataFrame({"patient_id": ["A"], "mark": [float("nan")], "odds": [0.0]})
    monkeypatch.setattr(regions, "_marked", lambda *_: bare)
    assert "No images of reported patients were marked" in marked(study, sketchbook(tmp_path))


def test_scores_of_regions_are_judged_at_every_level(diagnosed: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    run = read_run(diagnosed, external=[])
    made = regions.section(run, sketchbook(tmp_path))
    assert not isinstance(made, str)
    assert [len(block.panels) for block in made.blocks if isinstance(block, Figure)] == [3]
    table = made.blocks[-1]
    assert isinstance(table, Table)
    counts = [row[1] for row in table.rows if row[0] == "Rows; patients"]
    known = run.internal.outcomes(run.targets[0])["label"].notna().sum()
    assert counts == [f"{6 * known}; {known}", f"{2 * known}; {known}", f"{known}; {known}"]


def test_slices_of_a_lesion_are_one_lesion(diagnosed: Path, tmp_path: Path) -> None:
    results = read_run(diagnosed, external=[]).internal
    table = pd.read_parquet(results.folder / "regions.parquet")
    table["lesion_id"] = "1"
    table.to_parquet(tmp_path / "regions.parquet")
    found = regions._scored(replace(results, folder=tmp_path)).set_index("specimen_id")["score"]
    assert found.index.is_unique
    assert found.to_dict() == pytest.approx(table.groupby("specimen_id")["score"].mean().loc[found.index].to_dict())
