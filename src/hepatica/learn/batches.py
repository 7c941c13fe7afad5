"""Batches: samples a batch at a time, in their own order or shuffled by seed and epoch alone."""

import os
from collections.abc import Iterator, Sized
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from hepatica.learn.plan import seed_from
from hepatica.learn.samples import Arrays, OnDevice

MOST_WORKERS = 8
"""Reading tiles keeps a network busy with fewer; more only take memory (ours)."""

FEW_INPUTS = 256
"""With fewer inputs, starting a worker takes longer than reading them (ours)."""


class Shuffled(Sampler[int]):
    """The numbers 0 to count - 1 in an order that depends on nothing but the seed and the epoch.

    `onward`, epoch e has the numbers from e count on instead, as bags that are drawn anew want.
    """

    def __init__(self, count: int, *, seed: int, epoch: int = 0, onward: bool = False) -> None:
        self.count, self.seed, self.epoch, self.onward = count, seed, epoch, onward

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng(seed_from(self.seed, epoch=self.epoch)).permutation(self.count)
        return iter((order + self.onward * self.epoch * self.count).tolist())

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch; Lightning calls this at the start of each."""
        self.epoch = epoch


def loader(dataset: Dataset[Any], inputs: Sized, *, batch: int, **settings: Any) -> DataLoader[Any]:
    """Build a loader that reads a batch at once and takes no number from torch's own generator."""
    count = workers(inputs)
    return DataLoader(
        dataset,
        batch_size=batch,
        collate_fn=_as_it_is,
        num_workers=count,
        persistent_workers=count > 0,
        pin_memory=torch.cuda.is_available() and not isinstance(inputs, OnDevice),
        generator=torch.Generator().manual_seed(0),
        **settings,
    )


def workers(inputs: Sized) -> int:
    """Count the processes that read ahead: none where the inputs lie in memory, are few, or cores are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(inputs, Arrays | OnDevice) or len(inputs) < FEW_INPUTS or cores <= 2:
        return 0
    return min(cores - 1, MOST_WORKERS)


def _as_it_is(batch: Any) -> Any:
    return batch
