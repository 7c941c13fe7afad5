"""Heads: what papers put before and behind a body, and networks made of several parts."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from einops import rearrange, reduce
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of red, green and blue over ImageNet, on [0, 1] (torchvision's reference training, timm's IMAGENET_DEFAULT)."""

IMAGENET_SD = (0.229, 0.224, 0.225)
"""Standard deviation of red, green and blue over ImageNet, on [0, 1]; same source."""


class Reading(NamedTuple):
    """(b, classes) logits and the (b, d) signature that they were computed from."""

    logits: Tensor
    signature: Tensor


class Normalise(nn.Module):
    """(x - mean) / sd for each channel: (b c h w) on [0, 1] -> (b c h w); the first layer of a network, no parameters.

    Inside the network, so that training, inference and explanation cannot disagree on it.
    """

    mean: Tensor
    sd: Tensor

    def __init__(self, mean: tuple[float, ...] = IMAGENET_MEAN, sd: tuple[float, ...] = IMAGENET_SD) -> None:
        super().__init__()
        self.register_buffer("mean", rearrange(torch.tensor(mean), "c -> c 1 1"), persistent=False)
        self.register_buffer("sd", rearrange(torch.tensor(sd), "c -> c 1 1"), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalise a batch."""
        return (images - self.mean) / self.sd


class Pooled(nn.Module):
    """(b, 3, h, w) images in 0..1 to (b, classes) logits; `body` ends in `channels` feature maps of any size.

    The signature of an image is the mean of each feature map.
    """

    def __init__(self, body: nn.Module, *, channels: int, classes: int = 2) -> None:
        super().__init__()
        self.normalise = Normalise()
        self.body = body
        self.classify = nn.Linear(channels, classes)

    def forward(self, images: Tensor) -> Reading:
        """Classify a batch."""
        signature = reduce(self.body(self.normalise(images)), "b c h w -> b c", "mean")
        return Reading(self.classify(signature), signature)


def perceptron(sizes: Sequence[int], *, dropout: float) -> nn.Sequential:
    """Map (b, sizes[0]) to (b, sizes[-1]); the last layer is linear alone, so that it gives logits."""
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(sizes[:-1]):
        layers += [nn.Linear(wide, narrow), nn.BatchNorm1d(narrow), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


class SideBySide(nn.Module):
    """What each of `parts` says of a batch, by its name; the parts are trained one by one."""

    def __init__(self, parts: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(dict(parts))

    def forward(self, images: Tensor) -> dict[str, Any]:
        """Show a batch to every part."""
        return {name: part(images) for name, part in self.parts.items()}


class TwoStage(nn.Module):
    """`extractor` reads an image or a tile of it, each of `heads` a signature; the stages are trained one by one."""

    def __init__(self, extractor: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.extractor = extractor
        self.heads = nn.ModuleDict(dict(heads))
