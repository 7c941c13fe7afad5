"""Conventional: a linear support vector machine and a random forest on measured features, locked as weights."""

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import LinearSVC
from torch import Tensor, nn

from hepatica.networks.tabular import Standardise, Trees


class Conventional(nn.Module):
    """(b, columns) values to (b, 2): the distance from the hyperplane, and the forest's probability of class 1.

    A missing value counts as the training mean.
    """

    NAMES = ("svm", "forest")

    def __init__(self, columns: int, *, trees: int = 50, depth: int = 6) -> None:
        super().__init__()
        self.standardise, self.plane = Standardise(columns), nn.Linear(columns, 1)
        self.forest = Trees(trees, depth=depth)
        self.requires_grad_(requires_grad=False)

    def fit(self, values: NDArray[np.float32], label: NDArray[np.int64], *, seed: int) -> None:
        """Fit both to labels (n,) of 0 and 1; classes count alike."""
        self.standardise.fit(values)
        scaled = self.scaled(torch.from_numpy(values)).numpy()
        how = {"class_weight": "balanced", "random_state": seed}
        plane = LinearSVC(C=0.01, max_iter=20_000, **how).fit(scaled, label)
        grown = RandomForestClassifier(len(self.forest.column), max_depth=self.forest.depth, **how).fit(scaled, label)
        self.plane.weight.copy_(torch.from_numpy(plane.coef_))
        self.plane.bias.copy_(torch.from_numpy(plane.intercept_))
        self.forest.plant([each.tree_ for each in grown.estimators_], scale=1 / len(grown.estimators_))

    def scaled(self, values: Tensor) -> Tensor:
        """What both read."""
        scaled: Tensor = self.standardise(values)[:, : values.shape[1]]
        return scaled

    def forward(self, values: Tensor) -> Tensor:
        """Score a batch."""
        scaled = self.scaled(values)
        return torch.cat([self.plane(scaled), self.forest(scaled)[:, None]], dim=1)
