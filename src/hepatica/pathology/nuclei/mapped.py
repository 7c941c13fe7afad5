"""Mapped: tiles with their nuclear map as a fourth channel; a slide's maps are drawn once and kept beside its tiles."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
from torch import Tensor

from hepatica.cohort.array_store import open_arrays, path_of, write_arrays
from hepatica.cohort.digests import content_name
from hepatica.learn import Arrays, infer
from hepatica.networks import UNet
from hepatica.pathology.room import SlidePlan
from hepatica.pathology.store import TileStore


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedTiles(TileStore):
    """Reads (b, side, side, 4) uint8: colours and the probability of nucleus times 255, from the files in `maps`."""

    maps: Path

    @cached_property
    def _drawn(self) -> TileStore:
        return TileStore(folder=self.maps, **_tables(self))

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Tiles of these rows of `index`, in the order asked, each with its map."""
        return np.concatenate([super().read(indices), self._drawn.arrays("maps", indices)], axis=3)


def mapped(tiles: TileStore, network: UNet | None, settings: SlidePlan) -> TileStore:
    """The tiles with the network's first output, where each slide gives so few that all are read again and again.

    A slide's maps are drawn where that was not done before with the same weights. Where slides give all their tiles, of
    which each is hardly ever read twice, or without a network, the tiles as they are.
    """
    if network is None or settings.tiles_per_specimen is None:
        return tiles
    weights = b"".join(tensor.detach().cpu().numpy().tobytes() for tensor in network.state_dict().values())
    folder = tiles.folder / f"nuclei_{content_name(weights)}"
    for key in tiles.specimens["key"]:
        if open_arrays(folder, key) is None:
            own = Arrays(values=tiles.tiles_of(key))
            drawn = infer(network, own, batch=settings.batch, label="drawing nuclei", outputs=_nuclei)
            pixels = rearrange(np.rint(255 * drawn).astype(np.uint8), "b c h w -> b h w c")
            write_arrays(path_of(folder, key), {"maps": pixels}, about="nuclei")
    return MappedTiles(folder=tiles.folder, **_tables(tiles), maps=folder)


def _tables(tiles: TileStore) -> dict[str, Any]:
    return {name: getattr(tiles, name) for name in ("side", "index", "specimens", "failures", "uncut")}


def _nuclei(maps: Tensor) -> Tensor:
    return maps[:, :1].sigmoid()
