"""Localisation: pictures, and maps compared with outlines; intervals rest on patients."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pandas as pd
import pytest

from hepatica.cohort import RunError
from hepatica.cohort.atomic import read_json
from hepatica.cohort.seal import write_sealed
from hepatica.report.chapters.localisation import hits, section
from hepatica.report.page.blocks import Figure, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run

Sketch = Callable[[Path], Gallery]


def test_pictures_and_tables_of_each_cohort(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    made = section(study, sketchbook(tmp_path), remark="As a paper found.")
    assert not isinstance(made, str)
    assert len([block for block in made.blocks if isinstance(block, Figure)]) == 2
    assert "As a paper found." in str(made.blocks)
    table, _ = (block for block in made.blocks if isinstance(block, Table))
    own = hits(study.internal, study.targets[0])
    assert own is not None
    assert set(own["patient_id"]) <= set(study.internal.outcomes(study.targets[0]).index)
    rows = {row[0].strip(): list(row[1:]) for row in table.rows}
    everything = rows["All images with an outline"]
    assert everything[0] == f"{len(own)}, {own['patient_id'].nunique()} patients"
    assert everything[1].startswith(f"{own['pointing'].mean():.3f} (")
    assert everything[2].startswith(f"{own['dice'].mean():.3f} (")
    assert everything[3] == f"{own['share'].mean():.3f}"
    assert rows["of these, flagged"][0].startswith(f"{own['flagged'].sum()}, ")
    assert next(name for name in rows if name.endswith("phase")) == "plain phase"


def test_ten_copies_of_an_image_tell_no_more_than_one(study: Run, tmp_path: Path, sketchbook: Sketch) -> None:
    path = study.folder / "saliency.parquet"
    table = pd.read_parquet(path)
    told = []
    for copies in (1, 10):
        pd.concat([table] * copies).to_parquet(path, index=False)
        made = section(study, sketchbook(tmp_path))
        assert not isinstance(made, str)
        told.append(next(block for block in made.blocks if isinstance(block, Table)).rows[0][3:])
    table.to_parquet(path, index=False)
    assert told[0] == told[1]


def test_no_outlines_leave_the_pictures(diagnosed: Path, tmp_path: Path, sketchbook: Sketch) -> None:
    made = section(read_run(diagnosed, external=[]), sketchbook(tmp_path))
    assert not isinstance(made, str)
    assert {type(block) for block in made.blocks} == {Figure}


def test_pictures_of_an_older_version_are_to_be_drawn_again(diagnosed: Path, tmp_path: Path) -> None:
    run = copytree(diagnosed, tmp_path / "older")
    path = run / "explained" / "explained.json"
    write_sealed(path, [{name: each[name] for name in ("row", "score", "files")} for each in read_json(path)])
    with pytest.raises(RunError, match=r"explained.json was written by an older version .* run hepatica explain again"):
        read_run(run, external=[]).internal.explained()
