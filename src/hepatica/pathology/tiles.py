"""Tiles: where to cut a slide into squares of one size and resolution, on tissue and without overlap."""

import math
from dataclasses import dataclass

import numpy as np

from hepatica.cohort.errors import SettingsError
from hepatica.cohort.units import MicronsPerPixel, SlidePixels, TilePixels
from hepatica.pathology.slide import extent


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
