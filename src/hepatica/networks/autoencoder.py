"""Autoencoder: stacked tables squeezed through a bottleneck and written out again."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from hepatica.networks.heads import Reading


class Stacked(nn.Module):
    """(b, d) values of several tables side by side to (b, d), those of each table of a patient of length 1.

    `owner` (d,) numbers the table of each column. A missing value (NaN) is at the mean of the training patients; a
    table that has values below 0 there is raised by the least of them, and what is still below 0 is 0. `kept` (d,) is 1
    for the columns that are read; the others are 0. All three are buffers, locked with the weights.
    """

    mean: Tensor
    floor: Tensor
    kept: Tensor
    owner: Tensor

    def __init__(self, owner: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(len(owner)))
        self.register_buffer("floor", torch.zeros(len(owner)))
        self.register_buffer("kept", torch.ones(len(owner)))
        self.register_buffer("owner", torch.as_tensor(owner), persistent=False)

    def fit(self, values: NDArray[np.float32], *, most_missing: float) -> None:
        """Take means and least values from (n, d); a column of which a larger share is missing is not read."""
        known = np.isfinite(values)
        self.kept.copy_(torch.from_numpy((known.mean(axis=0) >= 1 - most_missing).astype(np.float32)))
        count = np.maximum(known.sum(axis=0), 1)
        self.mean.copy_(torch.from_numpy(np.where(known, values, 0).sum(axis=0) / count))
        least = np.where(known, values, 0).min(axis=0)
        owner = self.owner.numpy()
        for table in np.unique(owner):
            self.floor[owner == table] = min(0.0, float(least[owner == table].min()))

    def forward(self, values: Tensor) -> Tensor:
        """Stack a batch."""
        filled = torch.where(values.isnan(), self.mean, values)
        raised = (filled - self.floor).clamp(min=0) * self.kept
        member = nn.functional.one_hot(self.owner).to(raised.dtype)
        length = (raised.square() @ member).sqrt().clamp(min=1e-12)
        return raised / (length @ member.T)


class Autoencoder(nn.Module):
    """(b, columns) in 0..1 to themselves, by tanh layers of `hidden`, `bottleneck` and `hidden` units.

    The reading is the log-odds of each column and, in a last column, the sum of |activation| over all units; its
    signature is the bottleneck.
    """

    def __init__(self, columns: int, *, hidden: int, bottleneck: int, dropout: float) -> None:
        super().__init__()
        sizes = (columns, hidden, bottleneck, hidden)
        self.layers = nn.ModuleList(nn.Linear(wide, narrow) for wide, narrow in pairwise(sizes))
        self.write = nn.Linear(hidden, columns)
        self.dropout = nn.Dropout(dropout)
        for layer in (*self.layers, self.write):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, values: Tensor) -> Reading:
        """Squeeze and write out a batch."""
        states = [values]
        for layer in self.layers:
            states.append(layer(self.dropout(states[-1]) if len(states) > 1 else values).tanh())
        active = torch.stack([each.abs().sum(dim=1) for each in states[1:]]).sum(dim=0)
        return Reading(torch.cat([self.write(self.dropout(states[-1])), active[:, None]], dim=1), states[2])


def reconstruction_loss(activity: float) -> Callable[[Tensor, Tensor], Tensor]:
    """Cross-entropy of what an `Autoencoder` writes with what it read (b, columns), and `activity` times its sum of
    activations (L1).
    """

    def both(found: Tensor, wanted: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(found[:, :-1], wanted) + activity * found[:, -1].mean()

    return both
