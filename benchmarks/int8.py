"""Int8: a ResNet-34's answers from ONNX Runtime, in float32 and in 8 bits, against PyTorch's, 224 pixels, on the CPU.

Run: .venv/bin/python benchmarks/int8.py [--rounds 15] [--batch 16] [--threads 2]

All three read the same images as `infer` gives them, in single precision and channels last, in turns within one
process, in changing order; the first turn is left out. PyTorch's network is in evaluation mode and channels last.
Weights are random: they do not change the time, but the accuracy of 8 bits is not measured; see docs/how_to/export.md.
Aim: 8 bits at least 3 times as fast as PyTorch.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hepatica.learn import as_images
from hepatica.learn.images import channels_last
from hepatica.learn.onnx_export import OnnxNetwork, export_onnx, quantise
from hepatica.networks import Pooled, backbone

SIDE = 224


def networks(pixels: np.ndarray) -> dict[str, nn.Module]:
    """Build the network three times."""
    body: Any = backbone("resnet34.tv_in1k")
    network = Pooled(body, channels=body.num_features)
    with tempfile.TemporaryDirectory() as folder:
        plain, whole = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        export_onnx(network, path=plain, example=pixels)
        quantise(plain, to=whole, calibration=pixels)
        ours = {"ONNX float32": OnnxNetwork(plain), "ONNX int8": OnnxNetwork(whole)}
    return {"PyTorch": channels_last(network).eval(), **ours}


def seconds(network: nn.Module, images: Tensor) -> float:
    """Time one pass."""
    start = time.perf_counter()
    network(images)
    return time.perf_counter() - start


@torch.inference_mode()
def main() -> None:
    """Take turns and print images a second and the medians of the turns' ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    pixels = np.random.default_rng(0).integers(0, 256, (options.batch, SIDE, SIDE, 3), dtype=np.uint8)
    found, images = networks(pixels), as_images(torch.from_numpy(pixels))
    turns = []
    for turn in range(options.rounds + 1):
        order = np.roll(list(found), turn)
        turns.append({name: seconds(found[name], images) for name in order})
    for name in found:
        median = statistics.median(turn[name] for turn in turns[1:])
        ratio = statistics.median(turn["PyTorch"] / turn[name] for turn in turns[1:])
        print(f"{name}: {options.batch / median:.1f} images/s, {ratio:.2f} times PyTorch")
    print(
        f"(ResNet-34, {SIDE} px, batch {options.batch}, {options.threads} threads, medians of {options.rounds} turns;"
        " aim of int8 >= 3)"
    )


if __name__ == "__main__":
    main()
