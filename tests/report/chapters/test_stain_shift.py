from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.report.chapters.stain_shift import stain_blocks, stain_colours
from hepatica.report.page.blocks import Table, Text
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import read_run


def slides(*peaks: float) -> pd.DataFrame:
    """Slides whose stains absorb red only (haematoxylin) and green only (eosin)."""
    table = pd.DataFrame({f"{stain}_{colour}": 0.0 for stain in ("haematoxylin", "eosin") for colour in "rgb"},
                         index=range(len(peaks)))  # fmt: skip
    return table.assign(haematoxylin_r=1.0, eosin_g=1.0, haematoxylin_peak=peaks, eosin_peak=peaks)


def test_colours_are_beer_and_lamberts_and_ordered_by_red() -> None:
    # Half the peak of 2 ln 4 lets a quarter of the red through, half of 2 ln 2 one half; green and blue pass.
    found = stain_colours(slides(2 * np.log(2), 2 * np.log(4)), "haematoxylin")
    assert found == pytest.approx(np.array([[0.25, 1, 1], [0.5, 1, 1]]))
    assert stain_colours(slides(2 * np.log(2)), "eosin") == pytest.approx(np.array([[1, 0.5, 1]]))


def test_groups_without_stains_are_told(tmp_path: Path) -> None:
    nothing = pd.DataFrame(index=["p"])
    [block] = stain_blocks(
        [("Training", "k", slides(1, 2)), ("Elsewhere", "k", nothing)], Gallery(tmp_path, phantom=True)
    )
    assert isinstance(block, Text)
    assert "No stains were estimated" in block.text


def test_the_table_has_a_row_a_part_of_each_stain(finished: Path, tmp_path: Path) -> None:
    run = read_run(finished, external=[finished / "external" / "hospital_b"])
    groups = [(each.title, "k", each.stains()) for each in run.cohorts]
    _, table = stain_blocks(groups, Gallery(tmp_path, phantom=True))
    assert isinstance(table, Table)
    assert len(table.rows) == 8
    assert len(table.header) == 4


def test_stains_are_those_of_scored_patients(finished: Path) -> None:
    internal = read_run(finished, external=[]).internal
    found = internal.stains()
    assert list(found) == [f"{stain}_{part}" for stain in ("haematoxylin", "eosin") for part in ("r", "g", "b", "peak")]
    assert set(found.index) == set(internal.patients.index)
    (finished / "specimens.parquet").rename(finished / "moved.parquet")
    try:
        assert internal.stains().empty
    finally:
        (finished / "moved.parquet").rename(finished / "specimens.parquet")
