"""Dense: densely connected U-Nets in 2 or 3 axes, of blocks as DenseNet has them (Huang 2017, arXiv 1608.06993).

The layers of block and transition are those of DenseNet-BC; after batch normalisation comes a further scale and shift
for each channel (Li, IEEE TMI 2018, arXiv 1709.07330).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

EPSILON = 1.1e-5
"""Added to variances, as the networks had it that were made in Keras."""

CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}
NORMALISATIONS = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MEANS: dict[int, Any] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}


class Scale(nn.Module):
    """A factor and a shift for each channel of maps (b, c, …)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Scale a batch."""
        shape = (-1, *[1] * (maps.dim() - 2))
        return maps * self.weight.view(shape) + self.bias.view(shape)


def activated(channels: int, *, axes: int) -> nn.Sequential:
    """Batch normalisation, scale and ReLU."""
    return nn.Sequential(NORMALISATIONS[axes](channels, eps=EPSILON), Scale(channels), nn.ReLU())


class DenseLayer(nn.Module):
    """(b, given, …) to (b, given + growth, …): what was given, and what a bottleneck and a convolution of 3 make."""

    def __init__(self, given: int, *, growth: int, axes: int) -> None:
        super().__init__()
        convolution, inner = CONVOLUTIONS[axes], 4 * growth
        self.made = nn.Sequential(
            activated(given, axes=axes),
            convolution(given, inner, 1, bias=False),
            activated(inner, axes=axes),
            convolution(inner, growth, 3, padding=1, bias=False),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Add maps to a batch."""
        return torch.cat([maps, self.made(maps)], dim=1)


class DenseEncoder(nn.Module):
    """(b, channels, …) to the maps before each reduction, the finest first, the deepest last; `widths` are theirs.

    A convolution of 7 and maximum of 3 halve each side, then blocks of `layers` follow, transitions between them keep
    half of the maps and halve y and x alone where there are 3 axes.
    """

    def __init__(self, *, channels: int, first: int, growth: int, layers: Sequence[int], axes: int) -> None:
        super().__init__()
        convolution = CONVOLUTIONS[axes]
        self.stem = nn.Sequential(
            convolution(channels, first, 7, stride=2, padding=3, bias=False), activated(first, axes=axes)
        )
        self.pool = (nn.MaxPool2d if axes == 2 else nn.MaxPool3d)(3, stride=2, padding=1)
        self.blocks, self.transitions, self.widths = nn.ModuleList(), nn.ModuleList(), [first]
        given, half = first, [1, 2, 2][-axes:]
        for number, count in enumerate(layers, start=1):
            made = given + count * growth
            block = [DenseLayer(given + place * growth, growth=growth, axes=axes) for place in range(count)]
            self.blocks.append(nn.Sequential(*block, *([activated(made, axes=axes)] if number == len(layers) else [])))
            self.widths.append(made)
            given = made // 2
        for made in self.widths[1:-1]:
            reduced = convolution(made, made // 2, 1, bias=False)
            self.transitions.append(nn.Sequential(activated(made, axes=axes), reduced, MEANS[axes](tuple(half))))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Read a batch."""
        found = [self.stem(images)]
        maps = self.pool(found[0])
        for block, transition in zip(self.blocks, [*self.transitions, nn.Identity()], strict=True):
            found.append(block(maps))
            maps = transition(found[-1])
        return found


class DenseUNet(nn.Module):
    """(b, channels, …, y, x), sides that 32 divides, to features of the same size, (b, up[-1], …); the deepest maps'
    mean (b, d) with it. In 3 axes depth is halved twice and doubled twice.
    """

    def __init__(
        self, *, channels: int, first: int, growth: int, layers: Sequence[int], up: Sequence[int], axes: int
    ) -> None:
        super().__init__()
        self.encode = DenseEncoder(channels=channels, first=first, growth=growth, layers=layers, axes=axes)
        *finer, deepest = self.encode.widths
        convolution = CONVOLUTIONS[axes]
        self.doubled = [(1, 2, 2)] * 3 + [(2, 2, 2)] * 2 if axes == 3 else [(2, 2)] * 5
        sums = [deepest, *up[:-1]]
        self.lines = nn.ModuleList(
            nn.Identity() if beside == wide else convolution(beside, wide, 1)
            for beside, wide in zip(reversed(finer), sums, strict=False)
        )
        self.up = nn.ModuleList(
            nn.Sequential(convolution(given, made, 3, padding=1), NORMALISATIONS[axes](made), nn.ReLU())
            for given, made in pairwise([deepest, *up])
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features of a batch, and the signature."""
        *finer, maps = self.encode(images)
        signature = maps.flatten(2).mean(dim=2)
        skips = [line(beside) for line, beside in zip(self.lines, reversed(finer), strict=True)]
        for block, factor, beside in zip(self.up, self.doubled, [*skips, 0], strict=True):
            maps = block(interpolate(maps, scale_factor=tuple(map(float, factor))) + beside)
        return maps, signature
