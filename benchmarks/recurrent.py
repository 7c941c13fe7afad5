"""Recurrent: an epoch of Ioannou 2020's network by our `fit` against a bare PyTorch loop on the same histories.

Run: .venv/bin/python benchmarks/recurrent.py [--rounds 3] [--patients 600]

Both read ragged histories of phantom visits from the same store, with the paper's network (64 states), batches of 128,
the same loss and optimiser, in turns within one process. An epoch of `fit` is the time from its first read to the first
read of the next epoch, so that it holds all that happens in between, the checkpoint of the epoch too. `padded` is a
loop that knows better: the same from histories padded once and for all. Aim: at most 1.1 times the bare loop.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hepatica.clinical.landmarks import weighted_loss
from hepatica.clinical.visits import VisitStore
from hepatica.cohort import load_cohort
from hepatica.learn import Plan, Samples
from hepatica.learn.fit import fit
from hepatica.systems.ioannou_2020 import SYSTEM, build

BATCH, RATE = 128, 1e-3


@dataclass
class Timed:
    """A store that notes when it is read."""

    store: VisitStore
    moments: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        """Count the histories."""
        return len(self.store)

    def read(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read histories and note the moment."""
        self.moments.append(time.perf_counter())
        return self.store.read(indices)


def ours(inputs: Timed, labels: NDArray[np.float32], epochs: int) -> list[float]:
    """Train with `fit`; returns seconds an epoch but the last, whose end is not seen."""
    network = build(SYSTEM.settings, pretrained=False)
    plan = Plan(epochs=epochs + 1, batch=BATCH, learning_rate=RATE)
    inputs.moments.clear()
    with tempfile.TemporaryDirectory() as folder:
        samples = Samples(inputs=inputs, labels=labels)
        flags = {"precision": "32-true", "accelerator": "cpu"}
        fit(network, samples, plan, folder=Path(folder), label="benchmark", loss=weighted_loss, trainer=flags)
    steps = len(inputs.moments) // (epochs + 1)
    return np.diff(inputs.moments[::steps])[:epochs].tolist()


def bare(inputs: Timed, labels: NDArray[np.float32], epochs: int, *, padded: bool = False) -> list[float]:
    """Train with the shortest loop there is; returns seconds an epoch."""
    network = build(SYSTEM.settings, pretrained=False).train()
    adam = torch.optim.Adam([each for each in network.parameters() if each.requires_grad], lr=RATE)
    known = torch.from_numpy(labels)
    whole = torch.from_numpy(inputs.store.read(np.arange(len(inputs)))) if padded else torch.empty(0)
    seconds = []
    for epoch in range(epochs):
        begun = time.perf_counter()
        order = np.random.default_rng(epoch).permutation(len(inputs))
        for rows in np.split(order, range(BATCH, len(order), BATCH)):
            visits = whole[torch.from_numpy(rows)] if padded else torch.from_numpy(inputs.read(rows))
            loss = weighted_loss(network(visits).logits, known[torch.from_numpy(rows)])
            adam.zero_grad()
            loss.backward()
            adam.step()
        seconds.append(time.perf_counter() - begun)
    return seconds


def main() -> None:
    """Take turns and print the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patients", type=int, default=600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cohort = load_cohort(SYSTEM.phantom(Path(folder) / "phantom", patients=options.patients))
        store = SYSTEM.prepare(cohort, SYSTEM.settings, Path(folder))
    inputs = Timed(store)
    labels = np.stack([np.arange(len(store)) % 2, np.ones(len(store))], axis=1).astype(np.float32)
    seconds: dict[str, list[float]] = {"ours": [], "bare": [], "padded": []}
    for turn in range(options.rounds):
        for name in (("ours", "bare", "padded"), ("padded", "bare", "ours"))[turn % 2]:
            run = {"ours": ours, "bare": bare}.get(name)
            seconds[name] += run(inputs, labels, 2) if run else bare(inputs, labels, 2, padded=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(
        f"an epoch of {len(store)} histories, batches of {BATCH}: hepatica {medians['ours']:.2f} s, bare loop"
        f" {medians['bare']:.2f} s, ratio {medians['ours'] / medians['bare']:.3f} (aim <= 1.1); histories padded once"
        f" {medians['padded']:.2f} s (medians of {len(seconds['ours'])} epochs, {torch.get_num_threads()} threads)"
    )


if __name__ == "__main__":
    main()
