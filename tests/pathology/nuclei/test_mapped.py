"""Mapped: each tile has its own map, drawn once for the same weights."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hepatica.pathology.nuclei import mapped as module
from hepatica.pathology.nuclei.mapped import mapped
from hepatica.pathology.nuclei.training import Finder
from hepatica.pathology.store import TileStore, prepare
from hepatica.pathology.tiles import Tiling

FEW: Any = SimpleNamespace(tiles_per_specimen=3, batch=2)


def drawer(seed: int) -> Any:
    """What draws a map that depends on each pixel's colour."""
    torch.manual_seed(seed)
    network = nn.Conv2d(3, 2, 1)
    network.weight.data.mul_(20)
    return network


NETWORK = drawer(1)


@pytest.fixture
def tiles(slides: Any, tmp_path: Path) -> TileStore:
    paths = [slides.tiff(slides.picture(seed=seed), name=f"{seed}.tif") for seed in (1, 2)]
    specimens = [slides.specimen(path, row=row) for row, path in enumerate(paths, start=2)]
    return prepare(specimens, tiling=Tiling(side=64, limit=3), folder=tmp_path / "tiles")


def test_each_tile_has_its_own_map_in_any_order_and_choice(tiles: TileStore) -> None:
    found, rows = mapped(tiles, NETWORK, FEW), np.array([4, 0, 5, 2])
    maps = np.rint(255 * Finder(network=NETWORK).maps(tiles.read(rows))[:, 0])
    np.testing.assert_array_equal(found.read(rows)[..., :3], tiles.read(rows))
    assert np.abs(maps - maps[::-1]).mean() > 10
    np.testing.assert_allclose(found.read(rows)[..., 3], maps, atol=1)
    second = found.select(specimen_ids=tiles.specimens["specimen_id"][1:])
    np.testing.assert_array_equal(second.read(np.array([1])), found.read(np.array([4])))
    assert found.read(np.array([], int)).shape == (0, 64, 64, 4)


def test_maps_are_drawn_once_for_the_same_weights(tiles: TileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first = mapped(tiles, NETWORK, FEW).read(np.arange(6))
    other = mapped(tiles, drawer(2), FEW).read(np.arange(6))
    assert (first != other).any()
    monkeypatch.setattr(module, "infer", lambda *given, **named: pytest.fail("drawn again"))
    np.testing.assert_array_equal(mapped(tiles, drawer(1), FEW).read(np.arange(6)), first)


def test_where_all_tiles_are_read_or_no_network_draws_tiles_stay_as_they_are(tiles: TileStore) -> None:
    every: Any = SimpleNamespace(tiles_per_specimen=None, batch=2)
    assert mapped(tiles, NETWORK, every) is mapped(tiles, None, FEW) is tiles
