from pathlib import Path

import numpy as np
import pandas as pd

from hepatica.report.chapters.signatures import gather, maps
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
