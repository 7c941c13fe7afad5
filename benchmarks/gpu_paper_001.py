"""GPU at the scale of paper 001: epochs of CNN-SASM on 724 images of 65 tiles, `fit` against a bare PyTorch loop.

Run: .venv/bin/python benchmarks/gpu_paper_001.py [--only subsets|variants] [--epochs 3]
Try it out without a GPU, in a minute: .venv/bin/python benchmarks/gpu_paper_001.py --tiny

Paper: Li et al., BMC Med 2025;23:162, doi 10.1186/s12916-025-03977-4: 366 patients, 224 pixels, batches of 128, 50
epochs, six denoised subsets. Follow-up and tiles are phantoms. All patients count, so that the whole is 47,060 tiles of
7.1 GB; the paper trains on fewer, the untreated less the test patients. Both loops augment as the system does. Weights
are random: they do not change the time.

What the numbers are:
- An epoch's seconds are the median of `--epochs` whole epochs, after one to warm up; those of `fit` hold its
  checkpoint. 50 epochs are not run but multiplied out, and printed as such.
- The ceiling is the median of ten bf16 products of 8192 x 8192 random matrices, in the same run. The share of it counts
  forward and backward (torch.utils.flop_counter; one multiplication and addition are two), neither Adam nor
  augmentation.
- The bare loop has tiles and labels on the GPU, bf16, channels last, eager. It is timed first and last, and ratios are
  to the mean of both: how far the two differ is noise. `fit` always keeps channels last.
- Memory is the peak above what lay on the GPU before the run; tiles kept there come on top, 0.15 MB each. Tile files
  have just been written, so the page cache holds them.

A machine with a GPU, torch, timm and lightning, but no network, gets the rest as wheels (27 MB), made elsewhere by a
Python of its version. Untested on a GPU; on a CPU these commands ran, with Python 3.12, torch 2.11 and numpy 2.5.

    python3.12 -m pip wheel --no-deps -c constraints.txt -w .whl . annotated-types autograd autograd-gamma cffi \
        lifelines openslide-bin openslide-python pandas pycparser pydantic pydantic-core pytz pyvips pyvips-binary \
        tomli-w typing-inspection tzdata

There, once with `--only subsets` and once with `--only variants`, should a command have ten minutes at the most:

    python3 -m pip install -q --no-index --no-deps --no-compile --upgrade --target /tmp/site .whl/*.whl
    PYTHONPATH=src:/tmp/site PYTHONUNBUFFERED=1 python3 benchmarks/gpu_paper_001.py --only subsets
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from lightning.pytorch.profilers import Profiler
from phantom_tiles import PhantomTiles, Size, phantom_tiles
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from hepatica.cohort import RATIOS
from hepatica.learn import Arrays, Augment, Inputs, OnDevice, Samples, augmentation
from hepatica.learn.fit import fit
from hepatica.systems.li_2025_cnn_sasm import Settings, build

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
RATIO = Fraction(1, 2)
"""The subset that the paper chose; the variants are timed on it."""

MATRIX = 8192 if GPU else 256
"""Rows of the matrices whose product gives the ceiling."""

TINY = Size(patients=12, images=23, tiles=3, side=64, pictures=2)
TINY_SETTINGS = Settings(side=TINY.side, batch=8, body_shape={"channels": (8, 16, 32, 64)})


def network(settings: Settings, *, compiled: bool = False) -> nn.Module:
    """Build CNN-SASM; compiled in place, so that its weights keep their names."""
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
    settings: Settings,
    inputs: Inputs,
    labels: np.ndarray,
    *,
    epochs: int,
    precision: str = "bf16-mixed",
    compiled: bool = False,
    benchmark: bool = False,
) -> float:
    """Seconds an epoch of hepatica's `fit`."""
    plan, ends = replace(settings, epochs=epochs + 1, patience=None), EpochEnds()
    trainer = {"accelerator": DEVICE, "precision": precision, "benchmark": benchmark, "profiler": ends}
    learner, change = network(plan, compiled=compiled), augment(plan)
    with tempfile.TemporaryDirectory() as folder:
        samples = Samples(inputs=inputs, labels=labels)
        fit(learner, samples, plan, folder=Path(folder), label="benchmark", augment=change, trainer=trainer)
    return statistics.median(np.diff(ends.moments))


def bare(
    settings: Settings,
    tiles: Tensor,
    labels: np.ndarray,
    *,
    epochs: int,
    augmented: bool = True,
    channels_last: bool = True,
    bf16: bool = True,
    compiled: bool = False,
) -> float:
    """Seconds an epoch of the shortest loop there is, all on the device."""
    change = augment(settings) if augmented else augmentation.compose()
    layout = torch.channels_last if channels_last else torch.contiguous_format
    learner = network(settings, compiled=compiled).to(DEVICE, memory_format=layout).train()
    adam = torch.optim.Adam(learner.parameters(), lr=settings.learning_rate, betas=settings.betas)
    targets, moments = torch.from_numpy(labels).to(DEVICE), []
    for _ in range(epochs + 1):
        for rows in torch.randperm(len(tiles), device=DEVICE).split(settings.batch):
            if len(rows) < settings.batch:
                break
            images = rearrange(tiles[rows], "b h w c -> b c h w").float() / 255
            images = change(images).contiguous(memory_format=layout)
            with torch.autocast(DEVICE, torch.bfloat16, enabled=bf16):
                loss = cross_entropy(learner(images).logits, targets[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
        moments.append(now())
    return statistics.median(np.diff(moments))


def now() -> float:
    """Tell the time when the device has done all that it was given."""
    if GPU:
        torch.cuda.synchronize()
    return time.perf_counter()


def ceiling() -> float:
    """Floating-point operations a second of a bf16 product of two square matrices."""
    left, right = torch.randn(2, MATRIX, MATRIX, device=DEVICE, dtype=torch.bfloat16)
    moments = [now()]
    for _ in range(13):
        torch.matmul(left, right)
        moments.append(now())
    return float(2 * MATRIX**3 / statistics.median(np.diff(moments)[3:]))


def operations(settings: Settings) -> float:
    """Floating-point operations of one image, forward and backward."""
    images = torch.rand(2, 3, settings.side, settings.side)
    with FlopCounterMode(display=False) as counter:
        network(settings).train()(images).logits.sum().backward()
    return counter.get_total_flops() / len(images)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What the lines of the tables are made with."""

    settings: Settings
    epochs: int
    made: PhantomTiles
    whole: OnDevice
    operations: float
    ceiling: float

    def speed(self, tiles: int, seconds: float) -> str:
        """Seconds an epoch, images a second, share of the ceiling."""
        rate = tiles // self.settings.batch * self.settings.batch / seconds
        share = f" {self.operations * rate / self.ceiling:6.1%} of the ceiling" if GPU else ""
        return f"{seconds:8.2f} s an epoch {rate:8.0f} images/s{share}"

    def subsets(self) -> None:
        """Print a line for each denoised subset."""
        planned, total = self.settings.epochs, 0.0
        print("fit, tiles on the GPU, bf16, channels last, eager:")
        for ratio in RATIOS:
            rows, labels = self.made.subset(ratio)
            seconds = ours(self.settings, OnDevice(values=self.whole.values[rows]), labels, epochs=self.epochs)
            total += seconds * planned
            print(
                f"subset {ratio!s:>4} {len(rows):6d} tiles {self.speed(len(rows), seconds)}; "
                f"{planned} epochs {seconds * planned / 60:6.1f} min (extrapolated)"
            )
        print(f"all six subsets, {planned} epochs each: {total / 60:.1f} min (extrapolated)")

    def variants(self) -> None:
        """Print a line for each way to train on the paper's subset."""
        rows, labels = self.made.subset(RATIO)
        with tempfile.TemporaryDirectory() as folder:
            runs = self._runs(Path(folder), rows, labels)
            lines = [(name, *with_peak(runs[name], name)) for name in [*runs, "bare loop"]]
        reference = statistics.mean(seconds for name, seconds, _ in lines if name == "bare loop")
        print(f"subset {RATIO}, {len(rows)} tiles; ratio of the epoch's time to the bare loop's, 2 is half as fast:")
        for name, seconds, peak in lines:
            memory = f"{peak:6.2f} GiB" if GPU else ""
            print(f"{name:34} {self.speed(len(rows), seconds)} ratio {seconds / reference:6.3f} {memory}")

    def _runs(self, folder: Path, rows: np.ndarray, labels: np.ndarray) -> dict[str, Callable[[], float]]:
        tiles = self.whole.values[rows]
        on_disk, in_memory = self.made.store(folder, rows), Arrays(values=self.made.pixels[rows])
        loop = partial(bare, self.settings, tiles, labels, epochs=self.epochs)
        fitted = partial(ours, self.settings, labels=labels, epochs=self.epochs)
        on_gpu = partial(fitted, OnDevice(values=tiles))
        return {
            "bare loop": loop,
            "bare, no augmentation": partial(loop, augmented=False),
            "bare, not channels last": partial(loop, channels_last=False),
            "bare, float32": partial(loop, bf16=False),
            "bare, compiled": partial(loop, compiled=True),
            "fit, tile files on disk": partial(fitted, on_disk),
            "fit, tiles in memory": partial(fitted, in_memory),
            "fit, tiles on the GPU": on_gpu,
            "fit, on the GPU, float32": partial(on_gpu, precision="32-true"),
            "fit, on the GPU, cuDNN's benchmark": partial(on_gpu, benchmark=True),
            "fit, on the GPU, compiled": partial(on_gpu, compiled=True),
        }


def with_peak(run: Callable[[], float], name: str) -> tuple[float, float]:
    """Seconds an epoch of a run, and the most GiB that lay on the GPU meanwhile, above those before."""
    before = 0
    if GPU:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    seconds = run()
    print(f"done: {name}, {seconds:.2f} s an epoch")
    return seconds, (torch.cuda.max_memory_allocated() - before) / 2**30 if GPU else 0.0


def prepare(size: Size, settings: Settings, *, epochs: int) -> Bench:
    """Make the phantom, put it on the device, measure the ceiling."""
    start = now()
    made = phantom_tiles(size)
    drawn = now()
    whole = OnDevice.copy(Arrays(values=made.pixels), device=DEVICE)
    gigabytes, draw, copy = made.pixels.nbytes / 1e9, drawn - start, now() - drawn
    print(f"{len(whole)} tiles, {gigabytes:.1f} GB: {draw:.0f} s to make, {copy:.1f} s to copy to the device")
    count, most = operations(settings), ceiling()
    print(f"CNN-SASM: {count / 1e9:.2f} GFLOP an image, forward and backward")
    if GPU:
        print(f"ceiling: {most / 1e12:.0f} TFLOP/s, bf16 product of {MATRIX} x {MATRIX} matrices")
    return Bench(settings=settings, epochs=epochs, made=made, whole=whole, operations=count, ceiling=most)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["subsets", "variants"])
    parser.add_argument("--epochs", type=int, help="whole epochs to time of each; by default 3, tiny 1")
    parser.add_argument("--tiny", action="store_true", help="a few small tiles and a narrow network, to try it out")
    options = parser.parse_args()
    if not GPU and not options.tiny:
        parser.exit(1, "no GPU is here, and a CPU would take days; try the script out with --tiny\n")
    device = torch.cuda.get_device_name() if GPU else "no GPU is here, so these numbers mean nothing"
    print(f"{device}; torch {torch.__version__}")
    size, settings = (TINY, TINY_SETTINGS) if options.tiny else (Size(), Settings())
    bench = prepare(size, settings, epochs=options.epochs or (1 if options.tiny else 3))
    if options.only != "variants":
        bench.subsets()
    if options.only != "subsets":
        bench.variants()


if __name__ == "__main__":
    main()
