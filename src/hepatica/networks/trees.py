"""Trees: decision trees of scikit-learn as arrays, so that they are locked as weights and read without it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
from torch import Tensor, nn

from hepatica.networks.heads import Reading
from hepatica.networks.tabular import Standardise


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
