"""Perceptron: linear layers with batch normalisation, ReLU and dropout between them."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def perceptron(sizes: Sequence[int], *, dropout: float) -> nn.Sequential:
    """Map (b, sizes[0]) to (b, sizes[-1]); the last layer is linear alone, so that it gives logits."""
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(sizes[:-1]):
        layers += [nn.Linear(wide, narrow), nn.BatchNorm1d(narrow), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
