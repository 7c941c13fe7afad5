"""Machines: several tables through an autoencoder, and support vector machines that tell groups of patients apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_selection import f_classif
from sklearn.svm import LinearSVC
from torch import Tensor, nn

from hepatica.networks import Autoencoder, Reading, Stacked, Standardise


class MultiOmics(nn.Module):
    """(b, features) of several tables to a margin a group (b, most_groups), -inf of groups that there are not.

    `owner` numbers the table of each feature. The first of `machines` reads all tables, each other one a single table:
    those are for patients who lack one, whose margin is their mean.
    """

    groups: Tensor

    def __init__(self, owner: Sequence[int], *, tables: int, most_groups: int, **autoencoder: Any) -> None:
        super().__init__()
        self.tables = tables
        self.stacked = Stacked(owner)
        self.autoencoder = Autoencoder(len(owner), **autoencoder)
        self.standardise = Standardise(len(owner))
        self.machines = nn.ModuleList(nn.Linear(len(owner), most_groups) for _ in range(1 + tables))
        self.register_buffer("groups", torch.tensor(most_groups))

    def scaled(self, values: Tensor) -> Tensor:
        """Features standardised by the training patients (b, features); 0 where one is missing."""
        scaled: Tensor = self.standardise(values)[:, : values.shape[1]]
        return scaled

    def forward(self, values: Tensor) -> Reading:
        """The margins; the signature is the bottleneck."""
        signature = self.autoencoder(self.stacked(values)).signature
        scaled = self.scaled(values)
        margins = torch.stack([machine(scaled) for machine in self.machines], dim=1)
        member = nn.functional.one_hot(self.stacked.owner, self.tables).to(values.dtype)
        there = (~values.isnan()).to(values.dtype) @ member > 0
        complete = there.all(dim=1, keepdim=True)
        weight = torch.cat([complete, there & ~complete], dim=1).to(values.dtype)[..., None]
        margin = (margins * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
        unused = torch.arange(margin.shape[1], device=margin.device) >= self.groups
        return Reading(margin.masked_fill(unused, -torch.inf), signature)


def fit_machines(
    network: MultiOmics,
    values: NDArray[np.float32],
    groups: NDArray[np.int64],
    *,
    selected: Sequence[int],
    penalty: float,
) -> NDArray[np.float64]:
    """Teach the machines the groups (n,) of patients (n, features); P of each feature by analysis of variance.

    Of each table the `selected` features of least P are read, all other weights are 0.
    """
    scaled, owner = network.scaled(torch.from_numpy(values)).numpy(), network.stacked.owner.numpy()
    varies = (scaled.std(axis=0) > 0) & (network.stacked.kept.numpy() > 0)
    p = np.ones(len(varies))
    p[varies] = f_classif(scaled[:, varies], groups)[1]
    order = np.argsort(np.where(varies, p, 2), kind="stable")
    best = [order[(owner == table)[order] & varies[order]][:most] for table, most in enumerate(selected)]
    network.groups.fill_(int(groups.max()) + 1)
    for machine, places in zip(network.machines, [np.concatenate(best), *best], strict=True):
        for parameter in machine.parameters():
            nn.init.zeros_(parameter)
        if len(places):
            svm = LinearSVC(C=1 / penalty, random_state=0, max_iter=100_000).fit(scaled[:, places], groups)
            _set(machine, places, weight=svm.coef_, bias=svm.intercept_)
    return p


def _set(machine: Any, places: NDArray[Any], *, weight: NDArray[Any], bias: NDArray[Any]) -> None:
    if len(bias) == 1:  # of two groups: the margin of the second
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    rows = torch.arange(len(bias))[:, None]
    with torch.no_grad():
        machine.weight[rows, torch.from_numpy(places)] = torch.from_numpy(weight).float()
        machine.bias[: len(bias)] = torch.from_numpy(bias).float()
