"""Samples: what a network reads and the label of each, stored or made anew, a batch at a time, in order or shuffled."""

import hashlib
import os
import signal
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from hepatica.cohort.errors import CohortError, UnavailableError
from hepatica.learn.plan import seed_from

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]
"""Vectors (n, d), or measured values (n, h, w, c) in units of their own, such as spectra (n, 1, w, 2)."""

Labels = NDArray[np.int64] | NDArray[np.float32]
"""A class of each, (n,) whole numbers from 0; or what is to be estimated of each, (n, …) float32."""


class Inputs(Protocol):
    """Anything that hands out images or vectors by their number: a tile store, an array, a table of features."""

    def __len__(self) -> int:
        """Count the inputs."""
        ...

    def read(self, indices: NDArray[np.int64]) -> Any:
        """Read inputs in the order asked: images (b, h, w, c) on [0, 255], values or vectors, or a mapping of such by
        the name of each input; none asked, b = 0.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """Inputs that lie in memory: images (n, h, w, c) or vectors (n, d)."""

    values: Pixels | Vectors

    def __len__(self) -> int:
        return len(self.values)

    def read(self, indices: NDArray[np.int64]) -> Pixels | Vectors:
        """Pick rows."""
        return self.values[indices]


@dataclass(frozen=True, kw_only=True, eq=False)
class OnDevice:
    """Inputs that lie in the memory of one GPU, as the bytes they are, so that no batch waits for disk or bus.

    `values` are images (n, h, w, c) or vectors (n, d). A network learns the same from them as from what they copy.
    """

    values: Tensor

    @classmethod
    def copy(cls, inputs: Inputs, *, device: str = "cuda", batch: int = 1024) -> "OnDevice":
        """Copy all of the inputs, `batch` at a time.

        Raises UnavailableError where the device is not there or has no room.
        """
        count, shape = len(inputs), read_tensor(inputs, np.zeros(0, dtype=np.int64))
        try:
            values = torch.empty(count, *shape.shape[1:], dtype=shape.dtype, device=device)
        except RuntimeError as error:
            raise UnavailableError(
                f"{count} inputs cannot lie on {device}: {error} Learn from where they are."
            ) from error
        for rows in np.split(np.arange(count), range(batch, count, batch)):
            values[rows] = read_tensor(inputs, rows).to(device)
        return cls(values=values)

    def __len__(self) -> int:
        return len(self.values)

    def read(self, indices: NDArray[np.int64]) -> Pixels | Vectors:
        """Pick rows, brought back from the device."""
        rows: Pixels | Vectors = self.pick(indices).cpu().numpy()
        return rows

    def pick(self, indices: NDArray[np.int64]) -> Tensor:
        """Pick rows where they lie, without waiting for the device."""
        return self.values[torch.from_numpy(indices).to(self.values.device, non_blocking=True)]


@dataclass(frozen=True, kw_only=True)
class Samples(Dataset[tuple[Any, Tensor]]):
    """Inputs with one class label each, (n,), 0 to classes - 1; or with targets (n, …), float, to be estimated.

    Raises CohortError where labels and inputs do not pair, a label is no class, a target is no number, or there is
    nothing to learn from.
    """

    inputs: Inputs
    labels: Labels

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels)
        if labels.shape[:1] != (len(self.inputs),):
            raise CohortError(f"{len(self.inputs)} inputs need as many labels; got an array of shape {labels.shape}.")
        if len(labels) == 0:
            raise CohortError("no samples to learn from: every patient or tile was excluded before training.")
        if labels.ndim > 1 and np.issubdtype(labels.dtype, np.floating):
            if lost := int((~np.isfinite(labels)).sum()):
                raise CohortError(f"targets must be numbers; {lost} of {labels.size} are not.")
        elif labels.ndim > 1 or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
            raise CohortError(
                f"labels must be whole numbers from 0, one a sample; got {labels.dtype} of shape {labels.shape},"
                f" smallest {labels.min()}."
            )

    @property
    def digest(self) -> str:
        """Twelve characters that tell these labels from others."""
        labels = np.ascontiguousarray(label_tensor(self.labels).numpy())
        return hashlib.sha256(labels.astype(labels.dtype.newbyteorder("<")).tobytes()).hexdigest()[:12]

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> tuple[Any, Tensor]:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> tuple[Any, Tensor]:
        """Read a whole batch at once, which stores do faster than one by one."""
        rows = np.asarray(indices, dtype=np.int64)
        return read_tensor(self.inputs, rows), label_tensor(self.labels[rows % len(self)])


def label_tensor(labels: Labels) -> Tensor:
    """Classes as int64, targets in single precision."""
    kind = np.int64 if np.issubdtype(labels.dtype, np.integer) else np.float32
    return torch.from_numpy(labels.astype(kind))


def read_tensor(inputs: Inputs, indices: NDArray[np.int64]) -> Any:
    """Read inputs as a tensor, or a mapping of tensors, where they are; copied only where the store hands out read-only
    or reordered memory.
    """
    if isinstance(inputs, OnDevice):
        return inputs.pick(indices)
    return each(lambda array: torch.from_numpy(np.require(array, requirements=("C", "W"))), inputs.read(indices))


def each(change: Callable[[Any], Any], batch: Any) -> Any:
    """What `change` makes of a batch, or of each batch of a mapping."""
    return {name: change(part) for name, part in batch.items()} if isinstance(batch, dict) else change(batch)


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


class Dealt(Sampler[int]):
    """Every `world`-th of the first `length` numbers of an order, from `rank` on: a step has the same numbers on any
    number of devices.

    The next numbers, or else the first, are dealt too where they do not come out even.
    """

    def __init__(self, order: "Shuffled | Onward", *, rank: int, world: int, length: int) -> None:
        self.order, self.rank, self.world, self.length = order, rank, world, length

    def __len__(self) -> int:
        return -(-self.length // self.world)

    def __iter__(self) -> Iterator[int]:
        return islice(cycle(self.order), self.rank, len(self) * self.world, self.world)

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch; Lightning calls this at the start of each."""
        self.order.set_epoch(epoch)


class GoneOn(Sampler[int]):
    """An order, in one epoch without the first `done` numbers, which a training that was stopped has seen."""

    def __init__(self, order: "Shuffled | Onward | Dealt", *, epoch: int, done: int) -> None:
        self.order, self.epoch, self.done = order, epoch, done

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[int]:
        return islice(self.order, self.done, None)

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch; Lightning calls this at the start of each."""
        self.done = self.done if epoch == self.epoch else 0
        self.order.set_epoch(epoch)


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
        worker_init_fn=_outlive_signals,
        **settings,
    )


def workers(inputs: Sized) -> int:
    """Count the processes that read ahead: none where the inputs lie in memory, are few, or cores are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if isinstance(inputs, Arrays | OnDevice) or len(inputs) < FEW_INPUTS or cores <= 2:
        return 0
    return min(cores - 1, MOST_WORKERS)


def _outlive_signals(_: int) -> None:
    """A signal to all processes is for their parent to answer, with which they end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _as_it_is(batch: Any) -> Any:
    return batch


Make = Callable[[NDArray[np.int64]], tuple[Pixels | Vectors, Labels]]
"""From the numbers (b,) of samples to their inputs and labels, the same for a number in any batch."""


@dataclass(frozen=True, kw_only=True)
class Fresh(Dataset[tuple[Tensor, Tensor]]):
    """`count` samples an epoch: epoch e makes those numbered from e count on, so that none is ever seen twice.

    `name` says what is made, and by which numbers: a training begun on other samples is not gone on with.
    """

    make: Make
    count: int
    name: str

    @property
    def digest(self) -> str:
        """Twelve characters that tell these samples from others."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:12]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.__getitems__([index])

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Make a whole batch at once."""
        inputs, labels = self.make(np.asarray(indices, dtype=np.int64))
        return torch.from_numpy(inputs), label_tensor(labels)


class Onward(Sampler[int]):
    """The numbers of one epoch's samples in their order: they are drawn alike, so there is nothing to shuffle."""

    def __init__(self, count: int, *, epoch: int = 0) -> None:
        self.count, self.epoch = count, epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.epoch * self.count, (self.epoch + 1) * self.count))

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch; Lightning calls this at the start of each."""
        self.epoch = epoch
