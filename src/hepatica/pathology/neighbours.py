"""Neighbours: each tile of a store with those that touch it, three by three, and which tiles are outlined as tumour."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch

from hepatica.cohort import CohortError
from hepatica.networks import GridCrf
from hepatica.pathology.outlines import tile_share
from hepatica.pathology.store import TileStore
from hepatica.protocol.plain import UNKNOWN, require_both
from hepatica.protocol.records import Training


def outlined_tumour(
    training: Training[Any, TileStore], *, classes: Sequence[str], mixed: tuple[float, float]
) -> np.ndarray:
    """Of each tile (tiles,) int64: 1 tumour, 0 other tissue; UNKNOWN on slides without annotation, and where the share
    that is tumour lies between those of `mixed`.

    `classes` are those of the outlines. CohortError where no training patient has tiles of both kinds.
    """
    share = tile_share(training.material, training.cohort.specimens_of("slide"), classes=classes)
    labels = np.where(share >= mixed[1], 1, np.where(share <= mixed[0], 0, UNKNOWN))
    own = labels[training.material.index["patient_id"].isin(training.split.train) & (labels != UNKNOWN)]
    names = " or ".join(classes)
    if not own.size:
        raise CohortError(
            f"no slide of a training patient has outlines of {names}: name their GeoJSON files in the column annotation"
            " of specimens.csv, for this system first learns to find the tumour"
        )
    hint = f"outline {names} on slides that show other tissue, too, or set `tumour` to the classes that you outlined"
    require_both(own, of="the tumour network", hint=hint)
    return labels.astype(np.int64)


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
