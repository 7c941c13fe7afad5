"""Pooled: the mean of the feature map and one layer, nothing else."""

import torch
from torch import nn

from hepatica.networks import Normalise, Pooled, Reading


def test_is_the_linear_layer_of_the_mean() -> None:
    body = nn.Identity()
    network = Pooled(body, channels=3)
    images = torch.rand(4, 3, 5, 6)
    mean = Normalise()(images).mean(dim=(2, 3))
    torch.testing.assert_close(network(images), Reading(network.classify(mean), mean))


def test_does_not_see_where_things_are() -> None:
    network = Pooled(nn.Identity(), channels=3)
    images = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(network(images), network(images.flip(-1)))
