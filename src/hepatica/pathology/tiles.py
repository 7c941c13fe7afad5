"""Tiles: where to cut a slide into squares of one size and resolution, on tissue; and the file they are written to."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import SettingsError
from hepatica.cohort.units import MicronsPerPixel, SlidePixels, TilePixels
from hepatica.pathology.slide import extent


@contextmanager
def writing(
    path: Path, *, corners: np.ndarray, side: int, about: Mapping[str, Any]
) -> Iterator[Callable[[np.ndarray], Any]]:
    """Yield a function that appends tiles (b side side 3) uint8, one slide's tiles may be larger than the memory.

    The file appears under its name only when all the tiles of `corners` are in it.
    """
    places = corners.astype("<i8").tobytes()
    end = len(places) + len(corners) * side * side * 3
    header = {
        "__metadata__": {"about": json.dumps(about)},
        "corners": {"dtype": "I64", "shape": corners.shape, "data_offsets": [0, len(places)]},
        "tiles": {"dtype": "U8", "shape": [len(corners), side, side, 3], "data_offsets": [len(places), end]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as temporary:
        with temporary.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text + places)
            yield lambda tiles: file.write(np.ascontiguousarray(tiles, np.uint8).data)
            complete = file.tell() == 8 + len(text) + end
        assert complete, "every corner needs its tile"


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How slides are cut: side and resolution of a tile, the largest share of background in it, tiles a slide.

    With a `limit`, a slide that has more tiles gives that many, drawn at random from `seed`.
    """

    side: TilePixels = TilePixels(224)
    mpp: MicronsPerPixel = MicronsPerPixel(0.5)
    background: float = 0.5
    limit: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        sound = self.side >= 1 and self.mpp > 0 and 0 <= self.background <= 1
        if not sound or (self.limit is not None and self.limit < 1):
            raise SettingsError(f"got {self}, wanted side and limit of at least 1, mpp above 0, background in 0 to 1")


def grid(
    mask: np.ndarray, *, size: tuple[SlidePixels, SlidePixels], mpp: MicronsPerPixel, tiling: Tiling
) -> np.ndarray:
    """Upper left corners (x, y) of the tiles to keep, (n 2) int64 in raster order, in pixels of the finest level.

    `mask` (h w) bool covers the whole slide of `size` (width, height) at `mpp`. A tile lies wholly inside the slide and
    touches no other; its share of background is measured exactly, parts of mask pixels included.
    """
    side = extent(side=tiling.side, mpp=tiling.mpp, native=mpp)
    step = math.ceil(side)
    x, y = (np.arange(0, math.floor(length - side) + 1, step) for length in size)
    across = _overlap(x, side, size=size[0], count=mask.shape[1])
    down = _overlap(y, side, size=size[1], count=mask.shape[0])
    tissue = down @ mask @ across.T
    row, column = np.nonzero(1 - tissue <= tiling.background + 1e-9)
    corners = np.stack([x[column], y[row]], axis=1).astype(np.int64)
    if tiling.limit is None or len(corners) <= tiling.limit:
        return corners
    kept = np.random.default_rng(tiling.seed).choice(len(corners), tiling.limit, replace=False)
    return corners[np.sort(kept)]


def _overlap(start: np.ndarray, side: float, *, size: int, count: int) -> np.ndarray:
    """Share of each tile's side that lies in each of `count` equal parts of the slide's side, (tiles count)."""
    edges = np.arange(count + 1) * (size / count)
    begin, end = start[:, None], start[:, None] + side
    shared = np.minimum(end, edges[1:]) - np.maximum(begin, edges[:-1])
    share: np.ndarray = np.maximum(shared, 0) / side
    return share
