"""Tabular: vectors of measured values, standardised by the training patients; trees and nearest centres of these."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
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


class Trees(nn.Module):
    """`count` trees of complete depth: (b, columns) to the sum of what the leaves hold that each input falls into (b,).

    Node n of a tree asks whether column `column[tree, n]` is above `threshold[tree, n]`, and 2 n + 2 follows where it
    is, 2 n + 1 where not; `value` has a number for each node. A node that is not split leads to the left.
    """

    column: Tensor
    threshold: Tensor
    value: Tensor

    def __init__(self, count: int, *, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.register_buffer("column", torch.zeros(count, 2**depth - 1, dtype=torch.int64))
        self.register_buffer("threshold", torch.full((count, 2**depth - 1), torch.inf))
        self.register_buffer("value", torch.zeros(count, 2 ** (depth + 1) - 1))

    def plant(self, trees: Sequence[Any], *, scale: float = 1.0) -> None:
        """Take fitted trees (`tree_` of scikit-learn), `scale` times the last number of each node."""
        for place, tree in enumerate(trees):
            self._plant(place, tree, scale=scale)

    def _plant(self, place: int, tree: Any, *, scale: float) -> None:
        nodes = [(0, 0)]
        for own, node in nodes:
            self.value[place, own] = scale * float(tree.value[node, 0, -1])
            if own < self.column.shape[1] and tree.feature[node] >= 0:
                self.column[place, own], self.threshold[place, own] = (
                    int(tree.feature[node]),
                    float(tree.threshold[node]),
                )
                nodes += [(2 * own + 1, tree.children_left[node]), (2 * own + 2, tree.children_right[node])]
            elif own < self.column.shape[1]:
                nodes.append((2 * own + 1, node))

    def forward(self, values: Tensor) -> Tensor:
        """The sum over the trees."""
        tree = torch.arange(len(self.column), device=values.device)
        place = torch.zeros(len(values), len(tree), dtype=torch.int64, device=values.device)
        for _ in range(self.depth):
            asked = values.gather(1, self.column[tree, place]) > self.threshold[tree, place]
            place = 2 * place + 1 + asked.long()
        return self.value[tree, place].sum(dim=1)


class Boosted(nn.Module):
    """Gradient-boosted trees: (b, columns) values to a log-odds (b, 1); the signature is the standardised values, 0
    where one is missing. `kept` (columns) is 0 of those that are not looked at.
    """

    start: Tensor
    kept: Tensor

    def __init__(self, columns: int, *, trees: int, depth: int) -> None:
        super().__init__()
        self.standardise, self.trees = Standardise(columns), Trees(trees, depth=depth)
        self.register_buffer("start", torch.zeros(()))
        self.register_buffer("kept", torch.ones(columns))

    def fit(self, values: NDArray[np.float32], label: NDArray[np.int64], *, seed: int, **how: Any) -> None:
        """Grow the trees for labels (n,) of values (n, columns); `how` are scikit-learn's further parameters."""
        self.standardise.fit(values)
        with torch.no_grad():
            scaled = self.scaled(torch.from_numpy(values)).numpy()
        count, depth = len(self.trees.column), self.trees.depth
        fitted = GradientBoostingClassifier(n_estimators=count, max_depth=depth, random_state=seed, **how)
        grown = fitted.fit(scaled, label).estimators_[:, 0]
        self.trees.plant([each.tree_ for each in grown], scale=fitted.learning_rate)
        self.start.fill_(float(np.log(label.mean() / (1 - label.mean()))))

    def scaled(self, values: Tensor) -> Tensor:
        """What the trees read."""
        scaled: Tensor = self.standardise(values)[:, : values.shape[1]] * self.kept
        return scaled

    def forward(self, values: Tensor) -> Reading:
        """The log-odds."""
        scaled = self.scaled(values)
        return Reading((self.start + self.trees(scaled))[:, None], scaled)
