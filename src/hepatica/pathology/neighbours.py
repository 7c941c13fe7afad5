"""Neighbours: each tile of a store with those that touch it, as one grid of three by three."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from hepatica.networks import GridCrf
from hepatica.pathology.store import TileStore

_CHUNK = 4096  # grids whose field is computed at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Grids:
    """Grids of nine tiles, row by row, the tile of `centres` in the middle: what is read of a store at once."""

    tiles: TileStore
    centres: np.ndarray

    def __len__(self) -> int:
        return len(self.centres)

    @cached_property
    def members(self) -> np.ndarray:
        """Rows of the store (grids, 9); -1 where there is no tile."""
        return np.asarray(neighbours(self.tiles.index)[self.centres])

    def read(self, indices: np.ndarray) -> dict[str, Any]:
        """`rows` (b, 9, side, side, 3) uint8, white where there is no tile, and `mask` (b, 9), 1 where there is one."""
        members = self.members[indices]
        side = self.tiles.side
        rows = np.full((*members.shape, side, side, 3), 255, np.uint8)
        rows[members >= 0] = self.tiles.read(members[members >= 0])
        return {"rows": rows, "mask": (members >= 0).astype(np.float32)}


def neighbours(index: pd.DataFrame, *, reach: int = 1) -> np.ndarray:
    """Rows of the tiles around each tile of `TileStore.index`, itself in the middle, (tiles, (2 reach + 1)^2); -1 for
    none: beyond the tissue, or not among the tiles of a store that holds a sample.
    """
    step = np.ceil(index["extent"].to_numpy())
    places = pd.MultiIndex.from_arrays(
        [index["specimen_id"], *(np.rint(index[name] / step).astype(int) for name in ("x", "y"))]
    )
    around = [(x, y) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    specimen, column, row = (places.get_level_values(level) for level in range(3))
    found = [places.get_indexer(pd.MultiIndex.from_arrays([specimen, column + x, row + y])) for x, y in around]
    return np.stack(found, axis=1)


@torch.inference_mode()
def centre_by_field(crf: GridCrf, index: pd.DataFrame, own: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Probability (tiles,) of each tile of a store as the centre of its grid, by a random field.

    `own` (tiles,) are the log-odds and `features` (tiles, d) the features of each tile alone, so that each is read once
    for all grids that it is in.
    """
    members, device = neighbours(index), next(crf.parameters()).device
    found = []
    for rows in np.split(members, range(_CHUNK, len(members), _CHUNK)):
        given = (features[rows], own[rows], (rows >= 0).astype(np.float32))
        found.append(crf(*(torch.from_numpy(each).to(device) for each in given))[:, 4].sigmoid().cpu().numpy())
    return np.concatenate(found)
