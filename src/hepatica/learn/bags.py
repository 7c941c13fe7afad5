"""Bags: samples of which each is a bag of inputs, such as the tiles of one patient, drawn anew in every epoch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray

from hepatica.learn.augmentation import Augment
from hepatica.learn.plan import seed_from
from hepatica.learn.samples import Inputs, each


@dataclass(frozen=True, kw_only=True, eq=False)
class Bags:
    """Bags of rows of `inputs`: bag i holds the rows `members[i]`, at least one.

    Number i + e len(self) asks for bag i as it is in epoch e. With `most`, a larger bag gives that many of its rows,
    drawn without replacement by `seed`, epoch and size of the bag alone, whatever other bags there are; rows keep their
    order.
    """

    inputs: Inputs
    members: tuple[NDArray[np.int64], ...]
    most: int | None = None
    seed: int = 0

    def __len__(self) -> int:
        return len(self.members)

    def rows(self, number: int) -> NDArray[np.int64]:
        """Rows of `inputs` that are in a bag in an epoch."""
        epoch, bag = divmod(number, len(self))
        own = self.members[bag]
        if self.most is None or len(own) <= self.most:
            return own
        drawn = np.random.default_rng(seed_from(self.seed, epoch=epoch)).choice(len(own), self.most, replace=False)
        return own[np.sort(drawn)]

    def read(self, indices: NDArray[np.int64]) -> dict[str, Any]:
        """`rows` (b, n, …), or of inputs with several parts each part by its name, and `mask` (b, n), 1 where there is
        a row and 0 where a bag has fewer than the largest; padding is 0.
        """
        bags = [self.rows(int(number)) for number in indices]
        mask = np.zeros((len(bags), max(map(len, bags), default=1)), np.float32)
        for place, own in zip(mask, bags, strict=True):
            place[: len(own)] = 1
        read = self.inputs.read(np.concatenate([np.zeros(0, np.int64), *bags]))
        parts = read if isinstance(read, dict) else {"rows": read}
        return {name: spread(part, mask) for name, part in parts.items()} | {"mask": mask}


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """Some rows of `inputs`, by their numbers."""

    inputs: Inputs
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, indices: NDArray[np.int64]) -> Any:
        """Read as the inputs do."""
        return self.inputs.read(self.rows[indices])


def spread(rows: NDArray[Any], mask: NDArray[np.float32]) -> NDArray[Any]:
    """Rows (total, …) in their places (b, n, …) where `mask` (b, n) is 1; 0 elsewhere."""
    padded = np.zeros((*mask.shape, *rows.shape[1:]), rows.dtype)
    padded[mask > 0] = rows
    return padded


def in_bags(augment: Augment) -> Augment:
    """The augmentation of single images for bags of them, (b, n, c, h, w): another draw for each image."""

    def augmented(bag: Any) -> Any:
        def change(part: torch.Tensor) -> torch.Tensor:
            if part.dim() < 5:
                return part
            return rearrange(augment(rearrange(part, "b n ... -> (b n) ...")), "(b n) ... -> b n ...", b=len(part))

        return each(change, bag)

    return augmented
