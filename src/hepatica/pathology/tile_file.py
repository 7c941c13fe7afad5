"""Tile file: the tiles of one slide in one safetensors file, written as a stream and read tile by tile."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from hepatica.cohort.atomic import replacing


@dataclass(frozen=True)
class TileFile:
    """An open tile file. `corners` (n 2) int64 (x, y); `about` what was written with them, such as mpp and stains."""

    tiles: Any
    corners: np.ndarray
    about: Mapping[str, Any]

    def __getitem__(self, number: int) -> np.ndarray:
        """One tile, (side side 3) uint8; only its own bytes are read from the disk."""
        tile: np.ndarray = self.tiles[number]
        return tile


def open_tiles(path: Path) -> TileFile | None:
    """Open a tile file; None where there is none, or none that is whole."""
    try:
        opened: Any = safe_open(path, "numpy")  # its methods carry no types
        return TileFile(opened.get_slice("tiles"), opened.get_tensor("corners"), json.loads(opened.metadata()["about"]))
    except (FileNotFoundError, SafetensorError):
        return None


@contextmanager
def writing(
    path: Path, *, corners: np.ndarray, side: int, about: Mapping[str, Any]
) -> Iterator[Callable[[np.ndarray], Any]]:
    """Yield a function that appends tiles (b side side 3) uint8, one slide's tiles may be larger than the memory.

    The file appears under its name only when all the tiles of `corners` are in it. What killed attempts have left
    beside it is removed, so one folder is to be written by one run at a time.
    """
    for left in path.parent.glob(f".{path.stem}.*.part{path.suffix}"):
        left.unlink()
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
