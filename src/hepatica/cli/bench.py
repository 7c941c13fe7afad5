"""Bench: what bounds hepatica on this machine: each hot path as a share of the limit that the machine sets it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from hepatica.cli.options import Json

if TYPE_CHECKING:
    import numpy as np

SIDE = 256
"""Pixels of the side of a tile, as slides have them."""

SLIDE = 4096
"""Pixels of the side of the slide, so large that its opening, with a check of four tiles, counts little."""

Seconds = Annotated[float, typer.Option(help="Seconds that each measurement takes.", min=0.05)]
Folder = Annotated[Path | None, typer.Option(help="Folder on the disk to be measured; by default the one here.")]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """How much a second, in `unit`; of a hot path, `limit` is what the machine could do, and `bound` what sets it."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    bound: str = ""

    @property
    def share(self) -> float | None:
        """Of the limit."""
        return None if self.limit is None else self.value / self.limit


def bench(seconds: Seconds = 1.0, folder: Folder = None, as_json: Json = False) -> None:
    """Measure this machine, then the hot paths of hepatica as shares of what it could do.

    Limits are measured by the plainest program that does the same: decoding JPEG, copying memory, multiplying matrices,
    writing to the disk, hashing, sorting. All on this process's threads, so set OMP_NUM_THREADS as you run hepatica.
    Nothing is left behind. A share near 100 % says that only another machine helps; a busy machine lowers both.
    """
    import json
    from dataclasses import asdict

    import torch

    with TemporaryDirectory(dir=folder or ".", prefix=".hepatica_bench_") as place:
        found = list(rates(Path(place), seconds=seconds))
    if as_json:
        typer.echo(json.dumps([asdict(each) | {"share": each.share} for each in found], indent=2))
        return
    typer.echo(f"{torch.get_num_threads()} thread(s)")
    for each in found:
        share = "" if each.share is None else f"{100 * each.share:4.0f} % of {each.bound}, {each.limit:,.1f}"
        typer.echo(f"{each.name:34} {each.value:12,.1f} {each.unit:10} {share}")


def rates(place: Path, *, seconds: float) -> Iterator[Rate]:
    """The limits of the machine, each followed by the hot paths that it bounds; `place` is on the disk."""
    import numpy as np

    pixels = np.random.default_rng(0).integers(0, 256, (SLIDE // 8, SLIDE // 8, 3), np.uint8)
    pixels = pixels.repeat(8, axis=0).repeat(8, axis=1)  # as smooth as tissue is, so that JPEG has work of that kind
    yield from _reading(pixels, place, seconds=seconds)
    yield from _stored(place, seconds=seconds)
    yield from _networks(seconds=seconds)
    yield from _files(place, seconds=seconds)
    yield from _statistics(seconds=seconds)


def per_second(work: Callable[[], float], *, seconds: float) -> float:
    """The highest rate of calls that each say how much they did, after one that does not count."""
    work()
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        begun = time.perf_counter()
        done = work()
        best = max(best, done / (time.perf_counter() - begun))
    return best


def _reading(pixels: "np.ndarray", place: Path, *, seconds: float) -> Iterator[Rate]:
    """Tiles of a slide, against decoding as many JPEGs of that size."""
    import io

    import numpy as np
    import pyvips
    from PIL import Image

    from hepatica.cohort import MicronsPerPixel, TilePixels
    from hepatica.pathology.slide import open_slide

    held = io.BytesIO()
    Image.fromarray(pixels[:SIDE, :SIDE]).save(held, "JPEG", quality=75)
    path = place / "slide.tif"
    size = {"tile": True, "pyramid": True, "tile_width": SIDE, "tile_height": SIDE, "resunit": "cm"}
    pyvips.Image.new_from_array(pixels).tiffsave(str(path), compression="jpeg", Q=75, xres=2000, yres=2000, **size)
    corners = [(x, y) for y in range(0, SLIDE, SIDE) for x in range(0, SLIDE, SIDE)]

    def bare() -> float:
        for _ in corners:
            np.asarray(Image.open(io.BytesIO(held.getvalue())).convert("RGB"))
        return len(corners)

    def ours() -> float:
        with open_slide(path) as slide:
            for corner in corners:
                slide.read(corner, side=TilePixels(SIDE), mpp=MicronsPerPixel(0.5))
        return len(corners)

    limit = per_second(bare, seconds=seconds)
    yield Rate(name="JPEG of 256 pixels, decoded", value=limit, unit="tiles/s")
    yield Rate(
        name="  tiles read from a slide", value=per_second(ours, seconds=seconds), unit="tiles/s", limit=limit,
        bound="decoding",
    )  # fmt: skip


def _stored(place: Path, *, seconds: float) -> Iterator[Rate]:
    """Tiles from a store that the system has in memory, against copying memory; bytes copied count once."""
    import numpy as np

    from hepatica.cohort.array_store import open_arrays, path_of, write_arrays

    block, other = np.ones(2**27, np.uint8), np.empty(2**27, np.uint8)

    def copy() -> float:
        np.copyto(other, block)
        return block.nbytes / 1e9

    tiles = np.ones((512, SIDE, SIDE, 3), np.uint8)
    write_arrays(path_of(place, "tiles"), {"tiles": tiles}, about={})
    opened = open_arrays(place, "tiles")
    order = np.random.default_rng(0).permutation(len(tiles))[:64].tolist()

    def read() -> float:
        part = opened.get_slice("tiles")
        return float(np.stack([part[each] for each in order]).nbytes) / 1e9

    limit = per_second(copy, seconds=seconds)
    yield Rate(name="memory, copied", value=limit, unit="GB/s")
    found = per_second(read, seconds=seconds)
    yield Rate(name="  stored tiles, at random", value=found, unit="GB/s", limit=limit, bound="copying")


def _networks(*, seconds: float) -> Iterator[Rate]:
    """A forward and a training step of ResNet-18, against multiplying matrices in the same precision."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    one, other = torch.ones(1024, 1024, device=device), torch.ones(1024, 1024, device=device)

    def multiply() -> None:
        for _ in range(4):
            one @ other

    limit = _operations(multiply, seconds=seconds)
    yield Rate(name=f"matrices, float32, {device}", value=limit, unit="GFLOP/s")
    for name, work in _steps(device).items():
        value = _operations(work, seconds=seconds)
        yield Rate(name=f"  ResNet-18, {name}", value=value, unit="GFLOP/s", limit=limit, bound="multiplying")


def _steps(device: str) -> dict[str, Callable[[], None]]:
    import timm
    import torch

    from hepatica.saliency import combined, normalised, smoe_watch

    network = timm.create_model("resnet18.tv_in1k").to(memory_format=torch.channels_last).to(device)
    images = torch.ones(16, 3, 224, 224, device=device).contiguous(memory_format=torch.channels_last)

    def forward() -> None:
        with torch.inference_mode():
            network.eval()(images)

    def mapped() -> None:
        with smoe_watch(network) as maps:
            forward()
        combined(normalised(maps, size=images.shape[-2:]))

    def step() -> None:
        network.train().zero_grad()
        network(images).sum().backward()

    return {"predicting": forward, "with SMOE maps": mapped, "training": step}


def _operations(work: Callable[[], None], *, seconds: float) -> float:
    """Floating-point operations a second, in thousand millions, that torch counts in the work."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        work()

    def counted() -> float:
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return float(counter.get_total_flops()) / 1e9

    return per_second(counted, seconds=seconds)


def _files(place: Path, *, seconds: float) -> Iterator[Rate]:
    """Files written whole, against bare writing with fsync; digests of files, against hashing what is in memory."""
    import hashlib
    import os

    from hepatica.cohort.atomic import replacing
    from hepatica.cohort.digests import file_digest

    content, path = os.urandom(2**26), place / "file"

    def bare() -> float:
        with path.open("wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        return len(content) / 1e6

    def ours() -> float:
        with replacing(path) as temporary:
            temporary.write_bytes(content)
        return len(content) / 1e6

    def hashing() -> float:
        hashlib.sha256(content).digest()
        return len(content) / 1e6

    def digest() -> float:
        file_digest(path)
        return len(content) / 1e6

    for name, limit_of, own, work, bound in (
        ("disk, written", bare, "  files written whole", ours, "writing"),
        ("SHA-256", hashing, "  digests of files", digest, "hashing"),
    ):
        limit = per_second(limit_of, seconds=seconds)
        yield Rate(name=name, value=limit, unit="MB/s")
        yield Rate(name=own, value=per_second(work, seconds=seconds), unit="MB/s", limit=limit, bound=bound)


def _statistics(*, seconds: float) -> Iterator[Rate]:
    """The C-index with its interval of whole months and rounded risks, against sorting both."""
    import numpy as np

    from hepatica.evaluate import Risk, c_index

    rng, patients = np.random.default_rng(0), 100_000
    months, event = np.ceil(rng.exponential(24, patients)), rng.random(patients) < 0.5
    risk = Risk(rng.normal(size=patients).round(1))

    def sorting() -> float:
        np.argsort(months)
        np.argsort(risk)
        return patients / 1e6

    def ours() -> float:
        c_index(months, event=event, score=risk)
        return patients / 1e6

    limit = per_second(sorting, seconds=seconds)
    yield Rate(name="times and risks, sorted", value=limit, unit="millions/s")
    found = per_second(ours, seconds=seconds)
    yield Rate(name="  C-index of 100,000, with ties", value=found, unit="millions/s", limit=limit, bound="sorting")
