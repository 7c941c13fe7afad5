"""Neighbours: rows around a tile, white where there is none, and one reading of each tile for all its grids."""

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hepatica.cohort import CohortError
from hepatica.learn import infer
from hepatica.learn.images import as_network_input
from hepatica.learn.samples import read_tensor
from hepatica.networks import GridCrf, GridNetwork, Pooled
from hepatica.pathology.neighbours import Grids, centre_by_field, neighbours, outlined_tumour
from hepatica.pathology.store import prepare
from hepatica.pathology.tiles import Tiling

PLACES = [(0, 0), (10, 0), (20, 0), (0, 10), (20, 10), (30, 20)]
INDEX = pd.DataFrame(PLACES, columns=["x", "y"]).assign(specimen_id="a", extent=9.3)  # cut every 10 pixels


@dataclass
class Tiles:
    index: pd.DataFrame
    side: int = 4

    def __len__(self) -> int:
        return len(self.index)

    def read(self, rows: np.ndarray) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 255, (len(self), 4, 4, 3), np.uint8)[rows]


def test_the_eight_tiles_around_one_in_reading_order() -> None:
    found = neighbours(INDEX)
    assert found[1].tolist() == [-1, -1, -1, 0, 1, 2, 3, -1, 4]
    assert found[5].tolist() == [4, -1, -1, -1, 5, -1, -1, -1, -1]
    assert (found[:, 4] == np.arange(6)).all()
    assert neighbours(INDEX, reach=2).shape == (6, 25)


def test_tiles_of_another_specimen_are_no_neighbours() -> None:
    both = pd.concat([INDEX, INDEX.assign(specimen_id="b")], ignore_index=True)
    first, second = np.split(neighbours(both), 2)
    assert np.array_equal(first, neighbours(INDEX))
    assert np.array_equal(np.where(second < 0, -1, second - 6), first)


def test_a_grid_is_white_where_there_is_no_tile() -> None:
    tiles = Tiles(INDEX)
    read = Grids(tiles=tiles, centres=np.array([5, 1])).read(np.array([1]))
    assert read["mask"].tolist() == [[0, 0, 0, 1, 1, 1, 1, 0, 1]]
    assert (read["rows"][0, [0, 1, 2, 7]] == 255).all()
    assert np.array_equal(read["rows"][0, 4], tiles.read(np.array([1]))[0])


def test_one_reading_of_each_tile_serves_all_grids() -> None:
    torch.manual_seed(0)
    network = GridNetwork(Pooled(nn.Conv2d(3, 5, 2), channels=5, classes=1), GridCrf()).eval()
    nn.init.normal_(network.crf.weight)
    tiles = Tiles(INDEX)
    outputs = lambda read: (read.logits[:, 0], read.signature)  # noqa: E731
    own, features = infer(network.alone, tiles, batch=4, label="", outputs=outputs)
    grids = as_network_input(read_tensor(Grids(tiles=tiles, centres=np.arange(6)), np.arange(6)))
    with torch.inference_mode():
        expected = network(grids)[:, 4].sigmoid().numpy()
    np.testing.assert_allclose(centre_by_field(network.crf, INDEX, own, features), expected, atol=1e-6)


@pytest.fixture
def training(slides, tmp_path):
    """Two slides of 640 x 512 pixels; of the first the left 300 pixels are outlined as tumour."""
    ring = [[0, 0], [300, 0], [300, 512], [0, 512], [0, 0]]
    properties = {"classification": {"name": "Tumor"}}
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties}
    (tmp_path / "a.geojson").write_text(json.dumps(feature))
    specimens = [slides.specimen(slides.tiff(slides.picture(seed=row), name=f"{row}.tif"), row=row) for row in (2, 3)]
    specimens[0] = replace(specimens[0], attachments={"annotation": tmp_path / "a.geojson"})
    return SimpleNamespace(
        material=prepare(specimens, tiling=Tiling(side=64), folder=tmp_path / "tiles"),
        cohort=SimpleNamespace(specimens_of=lambda modality: specimens),
        split=SimpleNamespace(train=("p2", "p3")),
    )


def test_tiles_are_tumour_other_or_unknown(training):
    labels = outlined_tumour(training, classes=["Tumor"], mixed=(0.1, 0.9))
    x = training.material.index["x"]
    own = training.material.index["specimen_id"] == "s2"  # 300 pixels end within the tiles from 256 to 320
    assert set(labels[own & (x < 256)]) == {1}
    assert set(labels[own & (x == 256)]) == {-1}
    assert set(labels[own & (x > 256)]) == {0}
    assert set(labels[~own]) == {-1}


def test_without_outlines_of_training_patients_the_sentence_says_what_to_do(training):
    training.split = SimpleNamespace(train=("p3",))
    with pytest.raises(CohortError, match="no slide of a training patient has outlines of Tumor: name their GeoJSON"):
        outlined_tumour(training, classes=["Tumor"], mixed=(0.1, 0.9))


def test_a_class_that_nobody_outlined_is_no_tumour(training):
    with pytest.raises(CohortError, match=r"for the tumour network.*outline Tumour or HCC on slides.*set `tumour`"):
        outlined_tumour(training, classes=["Tumour", "HCC"], mixed=(0.1, 0.9))
    assert np.isfinite(outlined_tumour(training, classes=["Tumor", "HCC"], mixed=(0, 1))).all()
