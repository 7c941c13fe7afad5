"""U-Net: an image in, maps of the same size out (Ronneberger, MICCAI 2015, arXiv 1505.04597).

Departures: half-size steps keep the size (padding 1), batch normalisation follows each convolution, and the way up
repeats pixels instead of a transposed convolution, which leaves no checkerboard.
"""

from itertools import pairwise

import torch
from einops import reduce
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

DARKEST = 1 / 255
"""Intensity below which a pixel counts as this dark: 8-bit images are no finer."""

LEAST_SPREAD = 0.05
"""Optical density added to an image's standard deviation, lest the noise of empty glass is blown up (ours)."""


class Standardised(nn.Module):
    """Images (b, 3, h, w) in 0..1 to optical density, less its mean and over its spread in each image and channel.

    So that what a stain's strength and hue do to a whole image does not reach the network; no parameters.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Standardise a batch."""
        density = -images.clamp(min=DARKEST).log()
        mean, square = (reduce(each, "b c h w -> b c 1 1", "mean") for each in (density, density**2))
        spread = (square - mean**2).clamp(min=0).sqrt()
        return (density - mean) / (spread + LEAST_SPREAD)


def convolutions(channels: int, width: int) -> nn.Sequential:
    """Two 3 x 3 convolutions, each with batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for before in (channels, width):
        layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """(b, 3, h, w) in 0..1, of any size, to (b, outputs, h, w) logits; images are standardised as slides are, or by
    `standardise`.

    `levels` resolutions, each half of the one above and twice as wide, from `width` channels at the finest.
    """

    def __init__(
        self, *, outputs: int, width: int = 16, levels: int = 4, channels: int = 3, standardise: nn.Module | None = None
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        self.multiple = 2 ** (levels - 1)
        self.standardise = standardise or Standardised()
        self.down = nn.ModuleList(convolutions(before, after) for before, after in pairwise([channels, *widths]))
        self.up = nn.ModuleList(convolutions(wide + narrow, narrow) for narrow, wide in pairwise(widths))
        self.out = nn.Conv2d(width, outputs, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map a batch; a size that does not halve often enough is mirrored at its right and lower edge."""
        return self.read(images)[0]

    def read(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and the maps of the lowest resolution."""
        height, width = images.shape[-2:]
        beyond = [-side % self.multiple for side in (width, height)]
        maps = self.standardise(images)
        maps = pad(maps, (0, beyond[0], 0, beyond[1]), mode="reflect") if any(beyond) else maps
        kept: list[Tensor] = []
        for block in self.down:
            maps = block(reduce(maps, "b c (h p) (w q) -> b c h w", "max", p=2, q=2) if kept else maps)
            kept.append(maps)
        for block, beside in zip(reversed(self.up), reversed(kept[:-1]), strict=True):
            maps = block(torch.cat([interpolate(maps, scale_factor=2, mode="nearest"), beside], dim=1))
        return self.out(maps)[..., :height, :width], kept[-1]
