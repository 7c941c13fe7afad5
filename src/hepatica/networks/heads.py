"""Heads: what papers put before and behind a body, and networks made of several parts.

Grid CRF: neighbouring patches that look alike are given like labels, by a fully connected conditional random field.

NCRF: Li and Ping, MIDL 2018, arXiv 1806.07064, whose patches are the nine of a 3 x 3 grid.
"""

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


class GridCrf(nn.Module):
    """Mean field: a patch's log-odds are its own plus, over all patches of the grid j (itself included, as in NCRF),
    w_ij cos(f_i, f_j) (2 p_j - 1), where p_j is the probability of j by the log-odds of the round before. The weights
    w are symmetric, learnt, and 0 at first. Patches that are absent say nothing (ours).
    """

    def __init__(self, patches: int = 9, *, rounds: int = 10) -> None:
        super().__init__()
        self.rounds = rounds
        self.weight = nn.Parameter(torch.zeros(patches, patches))

    def forward(self, features: Tensor, own: Tensor, there: Tensor) -> Tensor:
        """Features (b, n, d), log-odds (b, n) of each patch alone, and which are there (b, n) to log-odds (b, n)."""
        unit = nn.functional.normalize(features, dim=2)
        likeness = torch.einsum("bid,bjd->bij", unit, unit)
        potential = likeness * (self.weight + self.weight.T) / 2 * there[:, None]
        logits = own
        for _ in range(self.rounds):
            logits = own + torch.einsum("bij,bj->bi", potential, 2 * logits.sigmoid() - 1)
        return logits


class GridNetwork(nn.Module):
    """Grids {rows: (b, n, c, h, w), mask: (b, n)} to log-odds (b, n): `alone` gives each patch's `Reading` of one
    logit, `crf` sees the grid.
    """

    def __init__(self, alone: nn.Module, crf: GridCrf) -> None:
        super().__init__()
        self.alone, self.crf = alone, crf

    def forward(self, grid: dict[str, Tensor]) -> Tensor:
        """Classify the patches of a batch of grids; an absent patch gets log-odds without meaning."""
        read = self.alone(rearrange(grid["rows"], "b n ... -> (b n) ..."))
        own, seen = (
            rearrange(each, "(b n) d -> b n d", n=grid["mask"].shape[1]) for each in (read.logits, read.signature)
        )
        answer: Tensor = self.crf(seen, own[..., 0], grid["mask"])
        return answer
