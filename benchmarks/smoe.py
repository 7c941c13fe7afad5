"""SMOE: a ResNet-34's forward pass with its SMOE maps against the pass alone, 224 pixels.

Run: OMP_NUM_THREADS=1 .venv/bin/python benchmarks/smoe.py [--rounds 15] [--batch 4]

Both passes are timm's ResNet-34 in evaluation mode, channels last, in single precision, in turns within one process,
in changing order; the first turn is left out. With the maps goes all that a picture needs: five layers, normalised,
enlarged to the image's size, combined. Weights are random: they do not change the time. Times are the processor's.
Aim: at most 1.05 times the pass alone.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import timm
import torch
from torch import Tensor, nn

from hepatica.saliency import combined, normalised, smoe_watch

SIDE = 224


def alone(network: nn.Module, images: Tensor) -> None:
    """Answer."""
    network(images)


def mapped(network: nn.Module, images: Tensor) -> None:
    """Answer and map."""
    with smoe_watch(network) as maps:
        network(images)
    combined(normalised(maps, size=(SIDE, SIDE)))


def seconds(way: Callable[[nn.Module, Tensor], None], network: nn.Module, images: Tensor) -> float:
    """Time one pass."""
    start = time.process_time()
    way(network, images)
    return time.process_time() - start


@torch.inference_mode()
def main() -> None:
    """Take turns and print the median of the turns' ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=4)
    options = parser.parse_args()
    network = timm.create_model("resnet34", num_classes=2).eval().to(memory_format=torch.channels_last)
    images = torch.rand(options.batch, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    turns = []
    for turn in range(options.rounds + 1):
        ways = (mapped, alone) if turn % 2 else (alone, mapped)
        turns.append({way.__name__: seconds(way, network, images) for way in ways})
    ratio = statistics.median(turn["mapped"] / turn["alone"] for turn in turns[1:])
    without, with_maps = (1e3 * statistics.median(turn[name] for turn in turns[1:]) for name in ("alone", "mapped"))
    print(
        f"SMOE, ResNet-34, {SIDE} px, batch {options.batch}: "
        f"pass alone {without:.0f} ms, with maps {with_maps:.0f} ms, ratio {ratio:.3f} "
        f"(medians of {options.rounds} turns, {torch.get_num_threads()} threads; aim <= 1.05)"
    )


if __name__ == "__main__":
    main()
