"""GPU at the scale of paper 001: epochs of CNN-SASM on 724 images of 65 tiles, `fit` against a bare PyTorch loop.

Run: .venv/bin/python benchmarks/gpu_paper_001.py [--only subsets|variants] [--epochs 3]
Try out without a GPU, in a minute: .venv/bin/python benchmarks/gpu_paper_001.py --tiny

Paper: Li et al., BMC Med 2025;23:162, doi 10.1186/s12916-025-03977-4: 366 patients, 224 pixels, batches of 128, 50
epochs, six denoised subsets. Follow-up is the phantom's; tiles are cut, turned and flipped out of a few phantom
pictures. All patients count, so that the whole is 47,060 tiles, 7.1 GB; the paper trains on fewer, the untreated less
the test patients. Augmentation is the system's own, in both loops. No weights are fetched: they do not change the time.

What the numbers are:
- An epoch's seconds are the median of `--epochs` whole epochs, after one to warm up; those of `fit` hold its
  checkpoint. 50 epochs are not run but multiplied out, and printed as such.
- The ceiling is the median of ten bf16 products of 8192 x 8192 random matrices, in the same run. The share of it counts
  forward and backward (torch.utils.flop_counter; one multiplication and addition are two), neither Adam nor
  augmentation.
- The bare loop has tiles and labels on the GPU, bf16, channels last, eager. It is timed first and last, and ratios are
  to the mean of both: how far the two differ is noise. `fit` always keeps channels last.
- Memory is the peak above what lay on the GPU before. Tile files have just been written: the page cache holds them.

A machine with a GPU, torch, timm and lightning, but no network, gets the rest as wheels (27 MB), made elsewhere by a
Python of its version. Untested on a GPU; the same commands ran on a CPU with Python 3.12, torch 2.11 and numpy 2.5.

    python3.12 -m pip wheel --no-deps -w .whl . $(grep -E "^(annotated-types|autograd|autograd-gamma|cffi|lifelines\
|openslide-bin|openslide-python|pandas|pycparser|pydantic|pydantic-core|pytz|pyvips|pyvips-binary|tomli-w\
|typing-inspection|tzdata)==" constraints.txt | cut -d" " -f1)

There, once with `--only subsets` and once with `--only variants`, where a command may take ten minutes at the most:

    python3 -m pip install -q --no-index --no-deps --no-compile --upgrade --target /tmp/site .whl/*.whl
    PYTHONPATH=src:/tmp/site PYTHONUNBUFFERED=1 python3 benchmarks/gpu_paper_001.py --only subsets
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from einops import rearrange
from lightning.pytorch.profilers import Profiler
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from hepatica.cohort import RATIOS, Endpoint, TilePixels, confident_patients
from hepatica.learn import Arrays, Augment, Inputs, OnDevice, Samples, augmentation
from hepatica.learn.fit import fit
from hepatica.pathology.phantom.followup import simulate
from hepatica.pathology.phantom.histology import draw_tissue
from hepatica.pathology.phantom.scanner import HOSPITALS, photograph, stain
from hepatica.pathology.phantom.settings import STANDARD
from hepatica.pathology.store import TileStore
from hepatica.pathology.tile_file import writing
from hepatica.systems.li_2025_cnn_sasm import Settings, build

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
RATIO = Fraction(1, 2)
"""The subset that the paper chose, and the variants are timed on."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is trained on."""

    patients: int = 366
    images: int = 724
    tiles: int = 65  # an image
    pictures: int = 16
    matrix: int = 8192
    epochs: int = 3
    settings: Settings = field(default_factory=Settings)


NARROW = {"channels": (8, 16, 32, 64)}
TINY = Scale(
    patients=12,
    images=23,
    tiles=3,
    pictures=2,
    matrix=256,
    epochs=1,
    settings=Settings(side=64, batch=8, body_shape=NARROW),
)


@dataclass(frozen=True, kw_only=True)
class Phantom:
    """Tiles (n, h, w, c) in memory, the row of `patients` that each is of, and each patient's recurrence."""

    pixels: np.ndarray
    owner: np.ndarray
    patients: pd.DataFrame
    relapse: pd.Series

    def subset(self, ratio: Fraction) -> tuple[np.ndarray, np.ndarray]:
        """Number and label of each tile of a denoised subset."""
        survival = Endpoint(name="survival", time="overall_survival_months", event="overall_survival_event")
        chosen = confident_patients(self.relapse, patients=self.patients, survival=survival, ratio=ratio)
        rows = np.flatnonzero(self.patients.index.isin(chosen)[self.owner])
        return rows, self.relapse.to_numpy(int)[self.owner[rows]]


def phantom(scale: Scale) -> Phantom:
    """Cut every image's tiles out of the picture that looks most like its patient."""
    rng = np.random.default_rng(0)
    patients = simulate(scale.patients, seed=0).set_index("patient_id")
    grades = np.linspace(-2, 2, scale.pictures)
    with ThreadPoolExecutor() as pool:
        pictures = list(pool.map(picture, grades))
    image_owner = np.sort(np.arange(scale.images) % scale.patients)
    owner = np.repeat(image_owner, scale.tiles)
    nearest = np.abs(patients["aggressiveness"].to_numpy()[:, None] - grades).argmin(axis=1)
    side, edge = scale.settings.side, STANDARD.side // 6  # beyond the edge lies glass
    pixels = np.empty((len(owner), side, side, 3), np.uint8)
    corners = rng.integers(edge, STANDARD.side - edge - side, (len(owner), 2))
    steps = rng.choice([-1, 1], (len(owner), 2))
    for tile, number, (y, x), (down, right) in zip(pixels, nearest[owner], corners, steps, strict=True):
        tile[:] = pictures[number][y : y + side, x : x + side][::down, ::right]
    recurrence = Endpoint(name="recurrence", time="recurrence_months", event="recurrence_event")
    relapse = recurrence.label(patients, horizon=None)
    return Phantom(pixels=pixels, owner=owner, patients=patients, relapse=relapse)


def picture(grade: float) -> np.ndarray:
    """One phantom core, (side, side, 3) uint8."""
    rng = np.random.default_rng(int(1000 * (grade + 10)))
    uptake = draw_tissue(rng, grade=grade, effect=1.0, settings=STANDARD)
    hospital = HOSPITALS["A"]
    return photograph(uptake, rng=rng, hospital=hospital, staining=stain(rng, hospital=hospital))


def tile_store(made: Phantom, folder: Path, scale: Scale) -> TileStore:
    """Write the tiles as the system's tile files, one an image."""
    names = [f"{number:04d}" for number in range(scale.images)]
    for name, tiles in zip(names, rearrange(made.pixels, "(i t) h w c -> i t h w c", t=scale.tiles), strict=True):
        corners = np.zeros((scale.tiles, 2), np.int64)
        with writing(folder / f"{name}.safetensors", corners=corners, side=scale.settings.side, about={}) as append:
            append(tiles)
    images = {"specimen_id": np.repeat(names, scale.tiles), "patient_id": made.patients.index[made.owner]}
    return TileStore(
        folder=folder,
        side=TilePixels(scale.settings.side),
        index=pd.DataFrame(images | {"tile": np.tile(np.arange(scale.tiles), scale.images)}),
        specimens=pd.DataFrame(images).drop_duplicates().assign(key=names),
        failures=pd.DataFrame({"patient_id": [], "specimen_id": []}),
    )


def network(settings: Settings, *, compiled: bool = False) -> nn.Module:
    """Build CNN-SASM; `compiled` keeps the names of its weights."""
    extractor: nn.Module = build(settings, pretrained=False).extractor
    if compiled:
        extractor.compile(backend="inductor" if GPU else "eager")
    return extractor


def augment(settings: Settings) -> Augment:
    """Change tiles as the system does."""
    noise, erase = augmentation.noise(sd=settings.noise), augmentation.erase(p=settings.erase)
    return augmentation.compose(augmentation.flips(), augmentation.quarter_turns(), noise, erase)


class EpochEnds(Profiler):
    """Notes when `fit` ends an epoch, checkpoint and all; Lightning tells a profiler of everything that it does."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def start(self, action_name: str) -> None:
        """Note nothing."""

    def stop(self, action_name: str) -> None:
        """Note the end of an epoch."""
        if action_name == "[Callback]Watch.on_train_epoch_end":
            self.moments.append(time.perf_counter())


def ours(
    scale: Scale,
    inputs: Inputs,
    labels: np.ndarray,
    *,
    precision: str = "bf16-mixed",
    compiled: bool = False,
    benchmark: bool = False,
) -> float:
    """Seconds an epoch of hepatica's `fit`."""
    plan, ends = replace(scale.settings, epochs=scale.epochs + 1, patience=None), EpochEnds()
    trainer = {"accelerator": DEVICE, "precision": precision, "benchmark": benchmark, "profiler": ends}
    learner, change = network(plan, compiled=compiled), augment(plan)
    with tempfile.TemporaryDirectory() as folder:
        samples = Samples(inputs=inputs, labels=labels)
        fit(learner, samples, plan, folder=Path(folder), label="benchmark", augment=change, trainer=trainer)
    return statistics.median(np.diff(ends.moments))


def bare(
    scale: Scale,
    tiles: Tensor,
    labels: np.ndarray,
    *,
    channels_last: bool = True,
    bf16: bool = True,
    compiled: bool = False,
    augmented: bool = True,
) -> float:
    """Seconds an epoch of the shortest loop there is, all on the device."""
    settings, change = scale.settings, augment(scale.settings)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    learner = network(settings, compiled=compiled).to(DEVICE, memory_format=layout).train()
    adam = torch.optim.Adam(learner.parameters(), lr=settings.learning_rate, betas=settings.betas)
    targets, moments = torch.from_numpy(labels).to(DEVICE), []
    for _ in range(scale.epochs + 1):
        moments.append(now())
        for rows in torch.randperm(len(tiles), device=DEVICE).split(settings.batch):
            if len(rows) < settings.batch:
                break
            images = rearrange(tiles[rows], "b h w c -> b c h w").float() / 255
            images = (change(images) if augmented else images).contiguous(memory_format=layout)
            with torch.autocast(DEVICE, torch.bfloat16, enabled=bf16):
                loss = cross_entropy(learner(images).logits, targets[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
    return statistics.median(np.diff([*moments[1:], now()]))


def now() -> float:
    """Tell the time when the device has done all that it was given."""
    if GPU:
        torch.cuda.synchronize()
    return time.perf_counter()


def ceiling(side: int) -> float:
    """Floating-point operations a second of a bf16 product of two square matrices."""
    left, right = torch.randn(2, side, side, device=DEVICE, dtype=torch.bfloat16)
    seconds = []
    for _ in range(13):
        start = now()
        left @ right
        seconds.append(now() - start)
    return 2 * side**3 / statistics.median(seconds[3:])


def operations(settings: Settings) -> float:
    """Floating-point operations of one image, forward and backward."""
    images = torch.rand(2, 3, settings.side, settings.side)
    with FlopCounterMode(display=False) as counter:
        network(settings).train()(images).logits.sum().backward()
    return counter.get_total_flops() / len(images)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What the lines of the tables are made with."""

    scale: Scale
    made: Phantom
    whole: OnDevice
    operations: float
    ceiling: float

    def speed(self, tiles: int, seconds: float) -> str:
        """Seconds an epoch, images a second, share of the ceiling."""
        rate = tiles // self.scale.settings.batch * self.scale.settings.batch / seconds
        share = f"{self.operations * rate / self.ceiling:6.1%} of the ceiling" if GPU else "no ceiling without a GPU"
        return f"{seconds:8.2f} s an epoch {rate:8.0f} images/s {share}"

    def subsets(self) -> None:
        """Print a line for each denoised subset."""
        planned, total = self.scale.settings.epochs, 0.0
        for ratio in RATIOS:
            rows, labels = self.made.subset(ratio)
            seconds = ours(self.scale, OnDevice(values=self.whole.values[rows]), labels)
            total += seconds * planned
            print(
                f"subset {ratio!s:>4} {len(rows):6d} tiles {self.speed(len(rows), seconds)}; "
                f"{planned} epochs {seconds * planned / 60:6.1f} min (extrapolated)"
            )
        print(f"all six subsets, {planned} epochs each: {total / 60:.1f} min (extrapolated)")

    def variants(self) -> None:
        """Print a line for each way to train on the paper's subset."""
        rows, labels = self.made.subset(RATIO)
        tiles = self.whole.values[rows]
        lines = list(self._timed(rows, tiles, labels))
        reference = statistics.mean(seconds for name, seconds, _ in lines if name == "bare loop")
        print(f"variants on subset {RATIO}, {len(rows)} tiles; ratios are to the bare loop's time, below 1 is faster")
        for name, seconds, peak in lines:
            memory = f"{peak:6.2f} GiB" if GPU else ""
            print(f"{name:34} {self.speed(len(rows), seconds)} ratio {seconds / reference:6.3f} {memory}")

    def _timed(self, rows: np.ndarray, tiles: Tensor, labels: np.ndarray) -> Iterator[tuple[str, float, float]]:
        scale, there = self.scale, OnDevice(values=tiles)
        with tempfile.TemporaryDirectory() as folder:
            store = tile_store(self.made, Path(folder), scale)
            store = store.select(patient_ids=self.made.patients.index[np.unique(self.made.owner[rows])])
            runs = {
                "bare loop": lambda: bare(scale, tiles, labels),
                "bare, no augmentation": lambda: bare(scale, tiles, labels, augmented=False),
                "bare, not channels last": lambda: bare(scale, tiles, labels, channels_last=False),
                "bare, float32": lambda: bare(scale, tiles, labels, bf16=False),
                "bare, compiled": lambda: bare(scale, tiles, labels, compiled=True),
                "fit, tile files on disk": lambda: ours(scale, store, labels),
                "fit, tiles in memory": lambda: ours(scale, Arrays(values=self.made.pixels[rows]), labels),
                "fit, tiles on the GPU": lambda: ours(scale, there, labels),
                "fit, on the GPU, float32": lambda: ours(scale, there, labels, precision="32-true"),
                "fit, on the GPU, cuDNN's benchmark": lambda: ours(scale, there, labels, benchmark=True),
                "fit, on the GPU, compiled": lambda: ours(scale, there, labels, compiled=True),
            }
            for name in [*runs, "bare loop"]:
                with peak_memory() as peak:
                    seconds = runs[name]()
                print(f"done: {name}, {seconds:.2f} s an epoch")
                yield name, seconds, peak[0]


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """Yield a list that in the end holds the GiB that lay on the GPU at the most, above those before."""
    peak: list[float] = []
    if not GPU:
        yield [0.0]
        return
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    yield peak
    peak.append((torch.cuda.max_memory_allocated() - before) / 2**30)


def bench(scale: Scale) -> Bench:
    """Make the phantom, put it on the device, measure the ceiling."""
    start = time.perf_counter()
    made = phantom(scale)
    drawn = time.perf_counter()
    whole = OnDevice.copy(Arrays(values=made.pixels), device=DEVICE)
    size, draw, copy = made.pixels.nbytes / 1e9, drawn - start, now() - drawn
    print(f"{len(whole)} tiles, {size:.1f} GB: {draw:.0f} s to make, {copy:.1f} s to copy to the device")
    count, most = operations(scale.settings), ceiling(scale.matrix)
    print(f"CNN-SASM: {count / 1e9:.2f} GFLOP an image, forward and backward")
    if GPU:
        print(f"ceiling: {most / 1e12:.0f} TFLOP/s, bf16 product of {scale.matrix} x {scale.matrix} matrices")
    return Bench(scale=scale, made=made, whole=whole, operations=count, ceiling=most)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["subsets", "variants"])
    parser.add_argument("--epochs", type=int, help="whole epochs to time of each")
    parser.add_argument("--tiny", action="store_true", help="a few small tiles and a narrow network, to try it out")
    options = parser.parse_args()
    if not GPU and not options.tiny:
        parser.exit(1, "no GPU is here, and a CPU would take days; try the script out with --tiny\n")
    device = torch.cuda.get_device_name() if GPU else "no GPU is here, so these numbers mean nothing"
    print(f"{device}; torch {torch.__version__}")
    scale = TINY if options.tiny else Scale()
    made = bench(replace(scale, epochs=options.epochs or scale.epochs))
    if options.only != "variants":
        made.subsets()
    if options.only != "subsets":
        made.variants()


if __name__ == "__main__":
    main()
