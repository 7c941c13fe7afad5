"""Training step: our `fit` against a bare timm and torch loop, ResNet-18, 224 pixels, batches of 16.

Run: .venv/bin/python benchmarks/training_step.py [--rounds 5] [--steps 4]

Both learn from the same bytes in memory with the same optimiser, memory format and precision, in turns within one
process. A step is the time from one read of a batch to the next, so it holds all that a loop does in between; the
first step of each turn is left out, because it warms the caches. Aim: at most 1.05 times the bare loop.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from hepatica.learn import Plan, Samples
from hepatica.learn.fit import fit
from hepatica.networks import backbone

BATCH, SIDE, RATE = 16, 224, 1e-4


@dataclass
class Timed:
    """Images in memory that note when they are read."""

    images: NDArray[np.uint8]
    moments: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.images)

    def read(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Pick images and note the moment."""
        self.moments.append(time.perf_counter())
        return self.images[indices]

    def steps(self) -> list[float]:
        """Seconds of each step but the first."""
        seconds = np.diff(self.moments)[1:].tolist()
        self.moments.clear()
        return list(seconds)


def ours(inputs: Timed, labels: NDArray[np.int64]) -> list[float]:
    """Train one epoch with `fit`; returns seconds a step."""
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 2)]
    network = nn.Sequential(backbone("resnet18.tv_in1k"), *head)
    plan = Plan(epochs=1, batch=BATCH, learning_rate=RATE)
    with tempfile.TemporaryDirectory() as folder:
        samples = Samples(inputs=inputs, labels=labels)
        fit(network, samples, plan, folder=Path(folder), label="benchmark", trainer={"precision": "32-true"})
    return inputs.steps()


def bare(inputs: Timed, labels: NDArray[np.int64]) -> list[float]:
    """Train one epoch with the shortest loop there is; returns seconds a step."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = timm.create_model("resnet18.tv_in1k", num_classes=2).to(memory_format=torch.channels_last).to(device)
    adam = torch.optim.Adam(network.parameters(), lr=RATE)
    network.train()
    for order in np.array_split(np.random.default_rng(0).permutation(len(inputs)), len(inputs) // BATCH):
        images = torch.from_numpy(inputs.read(order)).to(device).permute(0, 3, 1, 2).float() / 255
        loss = cross_entropy(network(images), torch.from_numpy(labels[order]).to(device))
        adam.zero_grad()
        loss.backward()
        adam.step()
    return inputs.steps()


def main() -> None:
    """Take turns and print the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="timed steps of one turn")
    options = parser.parse_args()
    count = BATCH * (options.steps + 2)
    images = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    inputs, labels = Timed(images), np.arange(count) % 2
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    for turn in range(options.rounds):
        loops = [ours, bare] if turn % 2 else [bare, ours]
        for loop in loops:
            seconds[loop.__name__] += loop(inputs, labels)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(
        f"training step, ResNet-18, {SIDE} px, batch {BATCH}: hepatica {1e3 * medians['ours']:.0f} ms, "
        f"bare timm loop {1e3 * medians['bare']:.0f} ms, ratio {medians['ours'] / medians['bare']:.3f} "
        f"(medians of {len(seconds['ours'])} steps, {torch.get_num_threads()} threads; aim <= 1.05)"
    )


if __name__ == "__main__":
    main()
