from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.report.page.blocks import Figure, Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run
from hepatica.studies.wang_2021.chapters.found import hits
from hepatica.studies.wang_2021.chapters.saliency import mean_share, pointing, section

Sketch = Callable[[Path], Gallery]


def test_pointing_counts_images_and_its_interval_patients() -> None:
    table = pd.DataFrame({"patient_id": list("AAAABB"), "pointing": [1.0, 1, 1, 1, 0, 0]})
    found = pointing(table)
    assert (found.value, found.n) == (pytest.approx(4 / 6), 2)
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low > 0.9  # two patients, one always and one never: nothing is known


def test_a_mean_rests_on_patients() -> None:
    values = np.array([0.2, 0.4, 0.6, 0.8])
    alone, copied = (mean_share(np.tile(values, times), group=np.tile(list("ABCD"), times)) for times in (1, 10))
    assert alone.value == copied.value == pytest.approx(0.5)
    assert (copied.low, copied.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    # Standard error of the mean of four patients: 0.2582 / 2, on the logit scale 0.1291 / 0.25.
    assert alone.high == pytest.approx(1 / (1 + np.exp(-1.96 * 0.12910 / 0.25)), abs=1e-3)


def test_pictures_and_tables_of_each_cohort(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    blocks = section(study, sketchbook(tmp_path)).blocks
    assert len([block for block in blocks if isinstance(block, Figure)]) == 2
    table, _ = (block for block in blocks if isinstance(block, Table))
    own = hits(study.internal)
    assert own is not None
    rows = {row[0].strip(): list(row[1:]) for row in table.rows}
    everything = rows["All images with an outlined nodule"]
    assert everything[0] == f"{len(own)}, {own['patient_id'].nunique()} patients"
    assert everything[1].startswith(f"{own['pointing'].mean():.3f} (")
    assert everything[3] == f"{own['share'].mean():.3f}"
    assert rows["of these, NoduleNet flags"][0].startswith(f"{own['flagged'].sum()}, ")


def test_no_outlines_are_told(diagnosed: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    *_, told = section(read_run(diagnosed, external=[]), sketchbook(tmp_path)).blocks
    assert isinstance(told, Text)
    assert "no outlines of nodules" in told.text
