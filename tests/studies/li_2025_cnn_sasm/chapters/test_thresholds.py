from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hepatica.cohort.atomic import write_json
from hepatica.report.page.blocks import Figure
from hepatica.studies.li_2025_cnn_sasm.chapters.found import Study
from hepatica.studies.li_2025_cnn_sasm.chapters.thresholds import section


def test_each_slide_is_shown_with_its_outcome_and_risk(
    make_study: Callable[..., Study], sketchbook: Callable[..., Any], tmp_path: Path
) -> None:
    study = replace(make_study(), folder=tmp_path / "seen")
    slides = [(7, 0.91, True), (4, 0.12, False)]
    told = [
        {"row": row, "score": score, "target": "recurrence at 12 months", "relapsed": relapsed, "file": f"{row}.png"}
        for row, score, relapsed in slides
    ]
    levels = [{"share": share, "low": 0.4, "high": 0.6} for share in (0.5, 0.05)]
    write_json(study.folder / "seeing" / "seeing.json", {"levels": levels, "thresholds": told})
    for row, _, _ in slides:
        Image.fromarray(np.full((60, 80, 3), 200, dtype=np.uint8)).save(study.folder / "seeing" / f"{row}.png")
    (figure,) = (each for each in section(study, sketchbook(tmp_path)).blocks if isinstance(each, Figure))
    assert "levels of 50%, 5%" in figure.caption
    assert "slide in row 7, relapsed, risk 0.91; slide in row 4, relapse-free, risk 0.12" in figure.caption
    assert len(figure.panels) == 2
