"""Nearest: which of several groups of training patients a vector lies nearest to."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hepatica.networks.tabular import Standardise

FARTHEST = 5.0
"""Standard deviations beyond which a value counts as this far (ours), so that one odd measure does not decide."""


class NearestCentre(nn.Module):
    """Standardised vectors (b, d) to log-odds of groups (b, most): minus half the squared distance to each centre over
    the mean one within groups; minus infinity for groups that there are not. All are locked with the weights; before
    `fit` the centres are drawn.
    """

    within: Tensor
    count: Tensor

    def __init__(self, columns: int, *, most: int) -> None:
        super().__init__()
        self.columns = columns
        self.standardise = Standardise(columns)
        self.centres = nn.Parameter(torch.randn(most, columns), requires_grad=False)
        self.register_buffer("within", torch.tensor(float(columns)))
        self.register_buffer("count", torch.tensor(most))

    def scaled(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Vectors (b, d) standardised by those of training, 0 where one is missing."""
        with torch.inference_mode():
            found = self.standardise(torch.from_numpy(values.astype(np.float32)))[:, : self.columns]
        return np.asarray(found.clamp(-FARTHEST, FARTHEST).numpy())

    def fit(self, scaled: NDArray[np.floating], groups: NDArray[np.int64]) -> None:
        """Take the centres of groups (n,) from 0 of standardised vectors (n, d)."""
        count = int(groups.max()) + 1
        centres = np.stack([scaled[groups == each].mean(axis=0) for each in range(count)])
        self.centres[:count] = torch.from_numpy(centres.astype(np.float32))
        self.count.fill_(count)
        self.within.fill_(max(float(((scaled - centres[groups]) ** 2).sum(axis=1).mean()), 1e-6))

    def forward(self, scaled: Tensor) -> Tensor:
        """Judge a batch."""
        far = ((scaled[:, None] - self.centres) ** 2).sum(dim=2) / (2 * self.within)
        absent = torch.arange(len(self.centres), device=scaled.device) >= self.count
        return (-far).masked_fill(absent, -torch.inf)
