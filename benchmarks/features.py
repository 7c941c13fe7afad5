"""Features: time and memory to describe a slide by ResNet50, against a bare OpenSlide and timm loop over its tiles.

    python benchmarks/features.py [SLIDE.svs] [--tiles 128] [--rounds 3] [--huge 60000]

The slide (without one: HEPATICA_DATA/pathology/CMU-1-Small-Region.svs) is repeated to a mosaic as in tile_reading.py.
Both loops have the same random weights, run on the CPU in one process, in turn, and must give the same features; the
bare loop is given the places of the tiles, ours looks for tissue and measures stains as well. Then a slide of HUGE x
HUGE pixels is described whole, by a small network, in a process of its own, whose peak memory is printed.

LazySlide is not compared: it brings a PyTorch of its own (several GB) into an environment apart. Run it there and
compare with the seconds of the bare loop printed here.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import openslide
import pyvips
import timm
import torch
from PIL import Image
from tile_reading import mosaic
from torchvision import transforms

from hepatica.cohort import MicronsPerPixel, Specimen, TilePixels
from hepatica.pathology.features.encoder import build_encoder
from hepatica.pathology.features.feature_file import read_features
from hepatica.pathology.features.feature_store import describe
from hepatica.pathology.tiles import Tiling

BATCH = 32


def main() -> None:
    """Print the ratio, then what the huge slide takes."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("slide", type=Path, nargs="?", help="a real slide to make the mosaics from")
    arguments.add_argument("--tiles", type=int, default=128)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--huge", type=int, default=60_000, help="pixels of its side; 0: none")
    arguments.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    source = given.slide or Path(os.environ["HEPATICA_DATA"]) / "pathology" / "CMU-1-Small-Region.svs"
    if given.alone:
        print(json.dumps(whole(given.alone)))
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(mosaic(source, Path(folder) / "mosaic.tif"), folder=Path(folder), given=given)
        if given.huge:
            path = huge(source, Path(folder) / "huge.tif", side=given.huge)
            words = [sys.executable, __file__, str(source), "--alone", str(path)]
            found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
            print(
                f"{given.huge} x {given.huge} pixels, {path.stat().st_size / 1e6:.0f} MB: {found['tiles']} tiles in"
                f" {found['seconds']:.0f} s, {found['tiles'] / found['seconds']:.0f} tiles/s (small network); peak"
                f" memory {found['peak']:.2f} GB, of which {found['idle']:.2f} GB before the slide was opened"
            )


def compare(path: Path, *, folder: Path, given: argparse.Namespace) -> None:
    """Interleave the loops and print the ratio of their medians."""
    network = build_encoder("resnet50", weights="random", seed=1)
    model = timm.create_model("resnet50.tv_in1k", num_classes=0).eval()
    model.load_state_dict(network.body.state_dict())
    specimen = Specimen(patient_id="p", specimen_id="s", modality="slide", path=path, row=2)
    tiling = Tiling(side=TilePixels(224), mpp=MicronsPerPixel(0.5), limit=given.tiles)
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    network = network.to(memory_format=torch.channels_last)
    for turn in range(given.rounds):
        to = folder / f"{turn}.h5"
        seconds["ours"].append(timed(partial(ours, specimen, network, tiling, to)))
        found = read_features(to)
        loop = partial(bare, path, found.corners, model)
        seconds["bare"].append(timed(loop, wanted=found.read(np.arange(len(found.corners)))))
    ratio = median(seconds["ours"]) / median(seconds["bare"])
    both = ", ".join(
        f"{name} {median(each):.1f} s ({min(each):.1f} to {max(each):.1f})" for name, each in seconds.items()
    )
    print(f"{given.tiles} tiles, ResNet50, {torch.get_num_threads()} thread(s): {ratio:.2f} x the bare loop; {both}")


def timed(loop, *, wanted: np.ndarray | None = None) -> float:
    """Seconds of a loop, whose features must be those wanted."""
    start = time.perf_counter()
    found = loop()
    taken = time.perf_counter() - start
    if wanted is not None:
        np.testing.assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())
    return taken


def ours(specimen: Specimen, network: torch.nn.Module, tiling: Tiling, to: Path) -> None:
    """As hepatica describes a slide."""
    describe(specimen, network, tiling=tiling, stain=None, made_by="benchmark", batch=BATCH, to=to)


@torch.inference_mode()
def bare(path: Path, corners: np.ndarray, model: torch.nn.Module) -> np.ndarray:
    """The loop anybody would write."""
    change = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    )
    found, batch = [], []
    with openslide.OpenSlide(path) as slide:
        for place, corner in enumerate(corners.tolist(), start=1):
            batch.append(change(slide.read_region(tuple(corner), 0, (224, 224)).convert("RGB")))
            if len(batch) == BATCH or place == len(corners):
                found.append(model(torch.stack(batch)).numpy())
                batch = []
    return np.concatenate(found)


def huge(source: Path, path: Path, *, side: int) -> Path:
    """Repeat a slide to a square of that side, at 0.25 micrometres per pixel."""
    with openslide.OpenSlide(source) as slide:
        pixels = np.asarray(slide.read_region((0, 0), 0, (2220, 2967)).convert("RGB"))
    pixels = np.asarray(Image.fromarray(pixels).resize((2048, 2048)))
    times = -(-side // 2048)
    image = pyvips.Image.new_from_array(pixels).replicate(times, times).crop(0, 0, side, side)
    size = {"tile": True, "pyramid": True, "tile_width": 512, "tile_height": 512, "bigtiff": True}
    image.tiffsave(str(path), compression="jpeg", Q=75, **size, xres=4000, yres=4000, resunit="cm")
    return path


def whole(path: Path) -> dict[str, float]:
    """Describe every tile of a slide; seconds, tiles and gigabytes."""
    small = {"channels": (4, 8, 8, 16)}
    network = build_encoder("resnet18.tv_in1k", weights="random", shape=small)
    network = network.to(memory_format=torch.channels_last)
    specimen = Specimen(patient_id="p", specimen_id="s", modality="slide", path=path, row=2)
    idle, start = peak(), time.perf_counter()
    to = path.with_suffix(".h5")
    ours(specimen, network, Tiling(side=TilePixels(224), mpp=MicronsPerPixel(0.5)), to)
    return {
        "seconds": time.perf_counter() - start,
        "tiles": len(read_features(to).corners),
        "idle": idle,
        "peak": peak(),
    }


def peak() -> float:
    """Most memory that this process has had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    main()
