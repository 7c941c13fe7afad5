from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hepatica.evaluate import pearson
from hepatica.report.chapters.treated import FOLD, _treatments, correlated, section, tile_scores, with_treated
from hepatica.report.page.blocks import Figure, Table
from hepatica.report.page.gallery import Gallery
from hepatica.report.page.results import Run, read_run


@pytest.fixture
def run(finished: Path) -> Run:
    return read_run(finished, external=[finished / "external" / "hospital_b"])


def test_tile_scores_are_means_over_all_tiles_of_a_patient(run: Run) -> None:
    table, regions = tile_scores(run.internal, run.targets[0]), run.internal.regions()[0]
    assert set(table.index) == set(run.internal.outcomes(run.targets[0], fold=FOLD).index)
    one = table.index[0]
    tiles = regions.loc[regions["patient_id"] == one, "score"]
    assert len(tiles) == 6
    assert table.loc[one, "tiles"] == pytest.approx(tiles.mean())


def test_r_stands_in_the_table_and_in_the_figure(run: Run, tmp_path: Path, sketchbook: Callable[..., Any]) -> None:
    gallery = sketchbook(tmp_path)
    found = section(run, gallery)
    outcomes = tile_scores(run.internal, run.targets[0])
    told = f"{pearson(outcomes['tiles'], y=outcomes['time']).r.value:.2f} ("
    table = next(each for each in found.blocks if isinstance(each, Table))
    assert next(row for row in table.rows if row[0].startswith("Mean tile score"))[1].startswith(told)
    assert f"r {told}" in gallery.words["treated_tiles_internal"]
    assert sum(isinstance(each, Figure) for each in found.blocks) == 2


def test_one_patient_has_no_correlation(run: Run) -> None:
    assert "got 1 patients" in str(correlated(tile_scores(run.internal, run.targets[0])[:1]))


def test_nobody_was_treated(
    make_run: Callable[..., tuple[Path, list[Path]]], tmp_path: Path, sketchbook: Callable[..., Gallery]
) -> None:
    path, external = make_run(treated=False)
    run = read_run(path, external=external)
    assert with_treated(run) == []
    [note] = section(run, sketchbook(tmp_path)).blocks
    assert "No patients were set aside" in str(note)


def test_a_blank_treatment_is_not_called_nan(run: Run) -> None:
    bare = replace(run.internal, patients=run.internal.patients.assign(treatment=None))
    assert _treatments([bare]) == "treatment not told"
    assert _treatments([run.internal, bare]) == f"{_treatments([run.internal])}, treatment not told"
