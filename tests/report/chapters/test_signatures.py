from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.report.chapters.signatures import gather, maps, section
from hepatica.report.page import Gallery
from hepatica.report.page.results import read_run


def test_tiles_of_training_patients_are_never_shown(finished: Path) -> None:
    run = read_run(finished, external=[finished / "external" / "hospital_b"])
    folds = run.internal.patients["fold"]
    table, signatures = run.internal.regions()
    assert len(table) == len(signatures)
    assert set(folds.loc[table["patient_id"].unique()]) == {"test", "set_aside"}


def test_signatures_stay_with_their_tiles(finished: Path) -> None:
    run = read_run(finished, external=[])
    everything = pd.read_parquet(finished / "regions.parquet")
    table, signatures = run.internal.regions()
    # Signatures of the test run rise with the score of their tile along one direction.
    direction = np.linalg.lstsq(signatures, table["score"].to_numpy(), rcond=None)[0]
    assert np.corrcoef(signatures @ direction, table["score"])[0, 1] > 0.8
    assert len(table) < len(everything)


def test_maps_are_the_same_twice(finished: Path) -> None:
    tiles = gather(read_run(finished, external=[finished / "external" / "hospital_b"]), limit=60)
    assert len(tiles.signatures) == 60
    for first, second in zip(maps(tiles.signatures), maps(tiles.signatures), strict=True):
        np.testing.assert_array_equal(first.places, second.places)


@pytest.mark.parametrize("spread", [0.0, 1e-30, 1e-9])
def test_signatures_that_are_nearly_the_same_have_maps(spread: float) -> None:
    noise = np.random.default_rng(0).normal(size=(90, 16)) * spread
    for laid in maps(noise.astype(np.float32)):
        assert laid.places.shape == (90, 2)
        assert np.isfinite(laid.places).all()
        assert ("all the same" in laid.name) == (spread == 0)


def test_signatures_that_are_the_same_are_said_to_be(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = read_run(finished, external=[])
    tiles = replace(gather(run, limit=60), signatures=np.ones((60, 4)))
    monkeypatch.setattr("hepatica.report.chapters.signatures.gather", lambda *_, **__: tiles)
    assert "All 60 tile signatures are the same" in section(run, Gallery(tmp_path, phantom=True))
