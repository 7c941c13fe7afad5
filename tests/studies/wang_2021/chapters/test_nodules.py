from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from hepatica.evaluate import auroc
from hepatica.report.page.blocks import Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run
from hepatica.report.page.wording import interval
from hepatica.studies.wang_2021.chapters.found import images
from hepatica.studies.wang_2021.chapters.nodules import rates, section, seen_by_experts

Sketch = Callable[[Path], Gallery]


def test_patients_are_the_unit_of_intervals() -> None:
    # Ten copies of each image tell no more than one: the interval stays, that of images shrinks.
    few = pd.DataFrame({"nodule": [1, 1, 1, 0, 0, 0, 1, 0], "nodule_log_odds": [2, 1, -1, -2, 0.5, -1, 3, -3]})
    few["patient_id"] = [f"P{n}" for n in range(len(few))]
    many = pd.concat([few] * 10)
    width = {by: [rates(table, at=0.5, by_patient=by)["auroc"] for table in (few, many)] for by in (True, False)}
    by_patient, by_image = ([each.high - each.low for each in pair] for pair in (width[True], width[False]))
    assert by_patient[1] == pytest.approx(by_patient[0], rel=0.35)
    assert by_image[1] < 0.5 * by_image[0]
    assert rates(many, at=0.5)["sensitivity"].n == 4


def test_an_image_is_flagged_from_the_settings_probability_on() -> None:
    table = pd.DataFrame({"nodule": [1, 0], "nodule_log_odds": [0.0, -0.1], "patient_id": ["A", "B"]})
    found = rates(table, at=0.5)
    assert (found["sensitivity"].value, found["specificity"].value) == (1, 1)
    assert rates(table, at=0.6)["sensitivity"].value == 0


def test_the_table_has_both_kinds_of_interval_and_the_papers(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    tables = [block for block in section(study, sketchbook(tmp_path)).blocks if isinstance(block, Table)]
    rows = {row[0].strip(): list(row[1:]) for row in tables[0].rows}
    seen = seen_by_experts(images(study.internal))
    own = auroc(seen["nodule"], score=seen["nodule_log_odds"], group=seen["patient_id"].to_numpy())
    assert rows["By patients"][1] == interval(own.as_dict())
    assert rows["By images, as in the paper"][1] != rows["By patients"][1]
    assert rows["Paper"][1] == "0.901 (0.893 to 0.910)"
    assert rows["By patients"][0] == f"{len(seen)}, {int(seen['nodule'].sum())}, {own.n} patients"
    assert len(tables) == 2


def test_images_no_expert_marked_are_told(
    study: Run, tmp_path: Path, sketchbook: Sketch, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = images(study.internal).assign(nodule=float("nan"))
    monkeypatch.setattr("hepatica.studies.wang_2021.chapters.nodules.images", lambda results: bare)
    [told] = section(study, sketchbook(tmp_path)).blocks
    assert isinstance(told, Text)
    assert "No images of reported patients were marked" in told.text
