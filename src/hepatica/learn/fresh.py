"""Fresh: samples that are made when they are asked for, others in every epoch."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from hepatica.learn.samples import Labels, Pixels, Vectors, label_tensor

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
