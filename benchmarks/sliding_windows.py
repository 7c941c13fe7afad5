"""Sliding windows over a CT of 512 x 512 x 200 against MONAI's inferer, with the same network: time, memory, output.

    PYTHONPATH=/tmp/monai .venv/bin/python benchmarks/sliding_windows.py [--slices 200] [--side 512]

MONAI is no dependency: `pip install --no-deps --target /tmp/monai monai`. Each runs in a process of its own, so that
the highest memory is its own; the volume is a phantom's slice repeated with noise, air around the body.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hepatica.radiology.segmentation.windows import Sliding, slide

WINDOW = (16, 128, 128)
SLIDING = Sliding(voxels=WINDOW, solid=True, overlap=0.25, weighting="gaussian", batch=2)


def network() -> nn.Module:
    """A small 3-D network of three convolutions, the same from one seed."""
    torch.manual_seed(0)
    layers = [nn.Conv3d(a, b, 3, padding=1) for a, b in ((1, 8), (8, 8))]
    return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), nn.Conv3d(8, 3, 1), nn.Softmax(1)).eval()


def volume(slices: int, side: int) -> np.ndarray:
    """(z y x) float32 on 0..1: an ellipse of noise, 0 outside."""
    y, x = np.mgrid[:side, :side] / side - 0.5
    body = (x / 0.46) ** 2 + (y / 0.34) ** 2 < 1
    noise = np.random.default_rng(0).random((slices, side, side), np.float32)
    return noise * body


def ours(values: np.ndarray) -> np.ndarray:
    """Probabilities as bytes (classes z y x), as a mask is made of them."""
    net, found = network(), np.empty((3, *values.shape), np.uint8)

    def predict(windows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return net(windows.movedim(2, 1)), windows.new_zeros(len(windows), 1)

    def read(first: int, end: int) -> np.ndarray:
        return values[np.clip(np.arange(first, end), 0, len(values) - 1)]

    with torch.inference_mode():
        for planes in slide(read, values.shape, predict, sliding=SLIDING):
            end = planes.first + planes.probabilities.shape[1]
            found[:, planes.first : end] = np.rint(planes.probabilities * 255)
    return found


def monai(values: np.ndarray) -> np.ndarray:
    """The same by MONAI."""
    from monai.inferers import SlidingWindowInferer

    inferer = SlidingWindowInferer(WINDOW, sw_batch_size=2, overlap=0.25, mode="gaussian")
    with torch.inference_mode():
        found = inferer(torch.from_numpy(values)[None, None], network())
    return np.rint(found[0].numpy() * 255).astype(np.uint8)


def main() -> None:
    """Print seconds, highest memory, and how far outputs are apart."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--slices", type=int, default=200)
    arguments.add_argument("--side", type=int, default=512)
    arguments.add_argument("--one", choices=("ours", "monai"))
    arguments.add_argument("--out", type=Path, default=Path("/tmp/sliding_windows"))
    given = arguments.parse_args()
    given.out.mkdir(exist_ok=True)
    if given.one:
        {"ours": ours, "monai": monai}[given.one](volume(16, 128))  # imports, and torch's first call
        values = volume(given.slices, given.side)
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        cpu = time.process_time()
        found = {"ours": ours, "monai": monai}[given.one](values)
        seconds, of_cpu = time.perf_counter() - start, time.process_time() - cpu
        highest = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"{given.one}: {seconds:.1f} s, {of_cpu:.1f} CPU-s, {highest:.0f} MB beyond the volume", flush=True)
        np.save(given.out / f"{given.one}.npy", found)
        return
    for name in ("ours", "monai"):
        size = ["--slices", str(given.slices), "--side", str(given.side), "--out", str(given.out)]
        subprocess.run([sys.executable, __file__, "--one", name, *size], check=True)
    first, second = (np.load(given.out / f"{name}.npy", mmap_mode="r") for name in ("ours", "monai"))
    apart = max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(first, second, strict=True))
    print(f"outputs differ by at most {apart} of 255")


if __name__ == "__main__":
    main()
