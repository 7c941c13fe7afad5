from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hepatica.cohort.atomic import write_json
from hepatica.report.page.blocks import Figure, Text
from hepatica.studies.li_2025_cnn_sasm.chapters.interpretation import modules_section, thresholds_section
from hepatica.studies.li_2025_cnn_sasm.found import Study

CHANNELS = pd.DataFrame(
    {
        "rank": np.arange(1, 41),
        "channel": 100 + np.arange(40),
        "importance": np.linspace(2, 0.05, 40),
        "low": np.linspace(1.9, 0.0, 40),
        "high": np.linspace(2.1, 0.1, 40),
        "direction": np.linspace(2, 0.05, 40) * (-1) ** np.arange(40),
    }
)


@pytest.fixture
def study(make_study: Callable[..., Study], tmp_path: Path) -> Study:
    """A study with pictures of its modules."""
    folder = tmp_path / "study"
    (folder / "interpretation").mkdir(parents=True)
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((60, 80, 3), 200, dtype=np.uint8)).save(folder / "interpretation" / name)
    CHANNELS.to_csv(folder / "interpretation" / "channels.csv", index=False)
    return replace(make_study(), folder=folder)


def write(study: Study, **changes: Any) -> None:
    modules = {"files": {"Grad-CAM": "a.png", "HiResCAM": "b.png"}, "relapsed": 3, "relapse_free": 2}
    channels = {"file": "channels.csv", "tiles": 84, "patients": 7}
    write_json(
        study.folder / "interpretation" / "interpretation.json", {"modules": modules, "channels": channels} | changes
    )


def test_the_ends_of_the_ranking_are_drawn(study: Study, sketchbook: Callable[..., Any], tmp_path: Path) -> None:
    write(study)
    gallery = sketchbook(tmp_path)
    overlays, channels = (each for each in modules_section(study, gallery).blocks if isinstance(each, Figure))
    assert "3 relapsed and the lowest of 2 relapse-free" in overlays.caption
    assert "84 tiles of 7 patients" in channels.caption
    words = gallery.words["channels_ends"].split()
    shown = {int(word) for word in words if word.isdigit() and int(word) >= 100}
    assert shown == {*range(100, 110), *range(130, 140)}


def test_a_network_without_channel_attention_has_no_ranking(
    study: Study, sketchbook: Callable[..., Any], tmp_path: Path
) -> None:
    write(study, channels=None)
    gallery = sketchbook(tmp_path)
    assert [type(each) for each in modules_section(study, gallery).blocks] == [Text, Figure]
    assert not gallery.words


def test_each_slide_is_shown_with_its_outcome_and_risk(
    make_study: Callable[..., Study], sketchbook: Callable[..., Any], tmp_path: Path
) -> None:
    study = replace(make_study(), folder=tmp_path / "study")
    slides = [(7, 0.91, True), (4, 0.12, False)]
    slides_found = [
        {"row": row, "score": score, "target": "recurrence at 12 months", "relapsed": relapsed, "file": f"{row}.png"}
        for row, score, relapsed in slides
    ]
    levels = [{"share": share, "low": 0.4, "high": 0.6} for share in (0.5, 0.05)]
    write_json(study.folder / "interpretation" / "interpretation.json", {"levels": levels, "thresholds": slides_found})
    for row, _, _ in slides:
        Image.fromarray(np.full((60, 80, 3), 200, dtype=np.uint8)).save(study.folder / "interpretation" / f"{row}.png")
    (figure,) = (each for each in thresholds_section(study, sketchbook(tmp_path)).blocks if isinstance(each, Figure))
    assert "levels of 50%, 5%" in figure.caption
    assert "slide in row 7, relapsed, risk 0.91; slide in row 4, relapse-free, risk 0.12" in figure.caption
    assert len(figure.panels) == 2
