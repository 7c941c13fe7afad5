"""Tabular: vectors of measured values, standardised by the training patients, missing ones at their mean."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hepatica.networks.heads import Reading, perceptron


class Standardise(nn.Module):
    """(b, d) values to (b, 2 d): each less the mean and over the SD of the training patients, 0 where it is missing
    (NaN); then 1 where it is missing, of columns that some training patients lacked, and 0 elsewhere: what was never
    missing in training has taught nothing. Mean, SD and these columns are buffers, locked with the weights.
    """

    mean: Tensor
    sd: Tensor
    gaps: Tensor

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("sd", torch.ones(columns))
        self.register_buffer("gaps", torch.zeros(columns))

    def fit(self, values: NDArray[np.float32]) -> None:
        """Take mean and SD from (n, d) values; a column that is missing throughout or constant has 0 and 1."""
        with np.errstate(invalid="ignore"):
            known = np.isfinite(values)
            count = np.maximum(known.sum(axis=0), 1)
            mean = np.where(known, values, 0).sum(axis=0) / count
            sd = np.sqrt(np.where(known, (values - mean) ** 2, 0).sum(axis=0) / count)
        self.mean.copy_(torch.from_numpy(mean))
        self.gaps.copy_(torch.from_numpy((~known).any(axis=0).astype(np.float32)))
        self.sd.copy_(torch.from_numpy(np.where(sd > 0, sd, 1)))

    def forward(self, values: Tensor) -> Tensor:
        """Standardise a batch."""
        missing = values.isnan()
        scaled = ((values - self.mean) / self.sd).masked_fill(missing, 0)
        return torch.cat([scaled, missing.float() * self.gaps], dim=1)


class Residual(nn.Module):
    """(b, d) to (b, d): the input, and what two dense layers make of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, values: Tensor) -> Tensor:
        """Add."""
        return torch.relu(values + self.inner(values))


class Tabular(nn.Module):
    """(b, columns) values to (b, outputs); `hidden` are the widths of the layers between, none for a linear model.

    With `blocks`, so many of `Residual` stand behind the first hidden layer, of its width.
    """

    def __init__(
        self, columns: int, *, outputs: int, hidden: tuple[int, ...] = (32,), dropout: float = 0.0, blocks: int = 0
    ) -> None:
        super().__init__()
        self.standardise = Standardise(columns)
        sizes = (2 * columns, *hidden, outputs)
        if blocks:
            first = nn.Linear(sizes[0], sizes[1])
            residual = (Residual(sizes[1]) for _ in range(blocks))
            self.body = nn.Sequential(first, nn.ReLU(), *residual, *perceptron(sizes[1:], dropout=dropout))
        else:
            self.body = perceptron(sizes, dropout=dropout)

    def forward(self, values: Tensor) -> Reading:
        """Score a batch; the signature is the standardised values."""
        signature = self.standardise(values)
        return Reading(self.body(signature), signature)
