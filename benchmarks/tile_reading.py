"""Tile reading: our tiles per second against a bare OpenSlide loop over the same tiles in the same order.

    python benchmarks/tile_reading.py [SLIDE.svs] [--rounds 5]

The slide (without one: HEPATICA_DATA/pathology/CMU-1-Small-Region.svs) is repeated to a mosaic of 17,760 x 17,802
pixels and written as a pyramidal JPEG TIFF in a temporary folder. Normalisation is off, every loop opens the file anew.
Rounds are interleaved, medians are compared, and every tile must be identical to the bare loop's.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np
import openslide
import pyvips

from hepatica.cohort import MicronsPerPixel, TilePixels
from hepatica.cohort.specimens import Specimen
from hepatica.pathology import disk_need, reader
from hepatica.pathology.slide import open_slide
from hepatica.pathology.stain import StainSettings
from hepatica.pathology.store import prepare
from hepatica.pathology.tiles import Tiling

SIDE, MPP = TilePixels(224), MicronsPerPixel(0.5)


def main() -> None:
    """Print one line a ratio."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("slide", type=Path, nargs="?", help="a real slide to make the mosaic from")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--tiles", type=int, default=1500, help="tiles a round")
    given = arguments.parse_args()
    source = given.slide or Path(os.environ["HEPATICA_DATA"]) / "pathology" / "CMU-1-Small-Region.svs"
    with tempfile.TemporaryDirectory() as folder:
        path = mosaic(source, Path(folder) / "mosaic.tif")
        print(f"{path.stat().st_size / 1e6:.0f} MB, {given.tiles} tiles of {SIDE} px, medians of {given.rounds} rounds")
        raster = corners(path)[: given.tiles]
        compare("raster order", path, raster, rounds=given.rounds)
        shuffled = [raster[k] for k in np.random.default_rng(0).permutation(len(raster))]
        compare("random order", path, shuffled, rounds=given.rounds)
        compare_stores(path, Path(folder), count=given.tiles)


def compare_stores(path: Path, folder: Path, *, count: int) -> None:
    """Stain-normalised tiles, in random order and batches of 64: stored, and cut whenever they are read."""
    slide, tiling = Specimen(patient_id="p", specimen_id="s", modality="slide", path=path, row=2), Tiling(limit=count)
    expected = None
    for name, room in (("stored", disk_need.WORTH_A_LINE), ("cut when read", 0)):
        with patch.object(disk_need, "WORTH_A_LINE", room), patch.object(disk_need, "MOST", room):
            start = time.perf_counter()
            store = prepare([slide], tiling=tiling, stain=StainSettings(), folder=folder / name, progress=False)
            prepared = time.perf_counter() - start
        order = np.random.default_rng(0).permutation(len(store))
        start = time.perf_counter()
        tiles = np.concatenate([store.read(part) for part in np.split(order, range(64, len(order), 64))])
        rate = len(order) / (time.perf_counter() - start)
        size = sum(each.stat().st_size for each in (folder / name).glob("*.safetensors"))
        assert expected is None or np.array_equal(tiles, expected), "other pixels"
        expected = tiles
        print(f"{name}: {size / 1e6:.2f} MB for {len(order)} tiles, prepared in {prepared:.1f} s, {rate:.0f} tiles/s")


def mosaic(source: Path, path: Path) -> Path:
    """Repeat a slide 8 x 6 times into one pyramidal TIFF of 256-pixel JPEG tiles."""
    with openslide.OpenSlide(source) as slide:
        pixels = np.asarray(slide.read_region((0, 0), 0, (2220, 2967)).convert("RGB"))
    image = pyvips.Image.new_from_array(pixels).replicate(8, 6)
    size = {"tile": True, "pyramid": True, "tile_width": 256, "tile_height": 256}
    image.tiffsave(str(path), compression="jpeg", Q=85, **size, xres=1000 / MPP, yres=1000 / MPP, resunit="cm")
    return path


def corners(path: Path) -> list[tuple[int, int]]:
    """Every tile of the slide in raster order."""
    with openslide.OpenSlide(path) as slide:
        width, height = slide.dimensions
    return [(x, y) for y in range(0, height - SIDE, SIDE) for x in range(0, width - SIDE, SIDE)]


def bare(path: Path, order: list[tuple[int, int]]) -> list[np.ndarray]:
    """The loop anybody would write."""
    with openslide.OpenSlide(path) as slide:
        return [np.asarray(slide.read_region(corner, 0, (SIDE, SIDE)).convert("RGB")) for corner in order]


def ours(path: Path, order: list[tuple[int, int]]) -> list[np.ndarray]:
    """As hepatica cuts tiles: libvips, once it has proved identical."""
    with open_slide(path) as slide:
        return [slide.read(corner, side=SIDE, mpp=MPP) for corner in order]


def ours_by_openslide(path: Path, order: list[tuple[int, int]]) -> list[np.ndarray]:
    """As hepatica cuts tiles of a format that libvips does not read."""
    with patch.object(reader, "_FAST_VENDORS", set()):
        return ours(path, order)


def compare(name: str, path: Path, order: list[tuple[int, int]], *, rounds: int) -> None:
    """Interleave the loops and print the ratios of their medians."""
    loops = [bare, ours, ours_by_openslide]
    seconds: dict[str, list[float]] = {loop.__name__: [] for loop in loops}
    expected = bare(path, order)
    for turn in range(rounds):
        for loop in np.roll(loops, turn):
            start = time.perf_counter()
            tiles = loop(path, order)
            seconds[loop.__name__].append(time.perf_counter() - start)
            assert all(map(np.array_equal, tiles, expected)), f"{loop.__name__} gives other pixels"
            del tiles
    rate = {loop: len(order) / median(each) for loop, each in seconds.items()}
    spread = {loop: f"{len(order) / max(each):.0f} to {len(order) / min(each):.0f}" for loop, each in seconds.items()}
    for loop in ("ours", "ours_by_openslide"):
        print(
            f"{name}, {loop}: {rate[loop] / rate['bare']:.2f} x a bare OpenSlide loop"
            f" ({rate[loop]:.0f} tiles/s [{spread[loop]}] against {rate['bare']:.0f} [{spread['bare']}])"
        )


if __name__ == "__main__":
    main()
