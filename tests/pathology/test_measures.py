"""Measures: what is measured of slides tells one tissue from another, whatever the number of tiles."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort.applicability import distances, learn_domain
from hepatica.pathology import measures
from hepatica.pathology.measures import CHANNEL_TOLERANCES, STAINS, TOLERANCES, channel_maps, measure, measure_tiles


class Tiles:
    """A store of tiles (n h w 3) of one slide each."""

    def __init__(self, slides: dict[str, np.ndarray]) -> None:
        self.tiles = np.concatenate(list(slides.values()))
        names = [name for name, tiles in slides.items() for _ in tiles]
        self.index = pd.DataFrame({"specimen_id": names})
        self.specimens = pd.DataFrame({"specimen_id": list(slides), "haematoxylin_peak": 2.0, "eosin_peak": 1.0})

    def read(self, indices: np.ndarray) -> np.ndarray:
        return self.tiles[indices]


def blobs(seed: int) -> np.ndarray:
    """Tiles of round blue spots on pink, (4 64 64 3)."""
    rng = np.random.default_rng(seed)
    tiles = np.full((4, 64, 64, 3), (230, 170, 200), np.uint8)
    y, x = np.mgrid[:64, :64]
    for tile in tiles:
        for row, column in rng.integers(4, 60, (12, 2)):
            tile[(y - row) ** 2 + (x - column) ** 2 < 16] = (90, 60, 140)
    return tiles


def stripes() -> np.ndarray:
    """Tiles of the same colours, in stripes."""
    tiles = np.full((4, 64, 64, 3), (230, 170, 200), np.uint8)
    tiles[:, ::8] = tiles[:, 1::8] = (90, 60, 140)
    return tiles


def test_every_measure_has_a_tolerance_and_a_slide_one_row() -> None:
    found = measure(Tiles({"a": blobs(0), "b": blobs(1)}))  # type: ignore[arg-type]
    assert list(found.index) == ["a", "b"]
    assert set(found) <= set(TOLERANCES)
    assert found.loc["a", "haematoxylin_peak_log2"] == 1.0
    assert found.notna().all(axis=None)


def test_channels_are_measured_whatever_the_gain() -> None:
    """Half the counts of the second channel; by hand, of half of the tile 0 and half 1, median 0.5 / 0.5 SD."""
    tiles = blobs(0)
    dim = (tiles // [1, 2, 1]).astype(np.uint8)
    bright, dark = (measure_tiles(each, maps=channel_maps) for each in (tiles, dim))
    assert set(bright) == set(CHANNEL_TOLERANCES)
    assert dark == pytest.approx(bright, rel=0.02, abs=0.02)
    halves = np.zeros((1, 64, 64, 3), np.uint8)
    halves[:, :, 32:] = 200
    assert measure_tiles(halves, maps=channel_maps)["SHG_median"] == pytest.approx(1)


def test_stripes_of_the_same_colours_are_told_from_spots() -> None:
    training = measure(Tiles({str(seed): blobs(seed) for seed in range(8)}))  # type: ignore[arg-type]
    domain = learn_domain(training, tolerances=TOLERANCES)
    new = measure(Tiles({"spots": blobs(99), "stripes": stripes()}))  # type: ignore[arg-type]
    far = distances(new, domain=domain)
    assert far.loc["spots"].max() < 1
    assert far.loc["stripes", [f"{stain}_coherence" for stain in STAINS]].min() > 1


def test_blank_tiles_are_measured_too() -> None:
    found = measure(Tiles({"blank": np.full((2, 64, 64, 3), 255, np.uint8)}))  # type: ignore[arg-type]
    assert np.isfinite(found.to_numpy(float)).all()


@pytest.mark.skipif("HEPATICA_DATA" not in os.environ, reason="HEPATICA_DATA is not set: no real files on this machine")
def test_a_real_slide_of_skin_is_unusual_and_says_why(trained, tmp_path: Path) -> None:
    from hepatica.runs import predict

    slide = Path(os.environ["HEPATICA_DATA"]) / "pathology" / "CMU-1-Small-Region.svs"
    table = predict(trained.run, [slide], out=tmp_path, pictures=0)
    assert set(table["applicability"]) == {"unusual"}
    assert table["reason"].str.startswith("unlike the training specimens: ").all()


def test_tiles_are_measured_once_and_others_of_their_size_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "_MEASURED", {})
    first, asked = measure_tiles(blobs(41)), []
    monkeypatch.setattr(measures, "_of_map", lambda own: asked.append(own) or {"median": 0.0})
    assert measure_tiles(blobs(41)) == first
    assert not asked
    assert measure_tiles(blobs(42)) == {"haematoxylin_median": 0.0, "eosin_median": 0.0}
    assert len(asked) == 2
