"""Neighbours: rows around a tile, white where there is none, and one reading of each tile for all its grids."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from hepatica.learn import infer
from hepatica.learn.images import as_network_input
from hepatica.learn.samples import read_tensor
from hepatica.networks import GridCrf, GridNetwork, Pooled
from hepatica.pathology.neighbours import Grids, centre_by_field, neighbours

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
