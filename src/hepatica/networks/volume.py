"""Volume: small stacks of convolutions, in the plane or in space, and a network of solid crops made of one."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from einops import rearrange, reduce
from torch import Tensor, nn

from hepatica.networks.heads import Reading


def convolved(
    channels: int, *, width: int, pools: Sequence[int | tuple[int, int, int]], groups: int = 1
) -> nn.Sequential:
    """Convolutions of side 3, one for each of `pools`, normalised, rectified and pooled by their maximum; in the plane
    where pools are one number. In `groups` no channel of one reaches another; each has `width` filters at first and
    twice as many in each further convolution.
    """
    solid = any(isinstance(each, tuple) for each in pools)
    bricks: Any = (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d) if solid else (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d)
    convolution, norm, pooling = bricks
    layers: list[nn.Module] = []
    widths = [channels, *(groups * width * 2**place for place in range(len(pools)))]
    for (given, made), pool in zip(pairwise(widths), pools, strict=True):
        layers += [convolution(given, made, 3, padding=1, groups=groups, bias=False), norm(made), nn.ReLU()]
        layers += [pooling(pool)]
    return nn.Sequential(*layers)


class Volume(nn.Module):
    """(b, z, channels, y, x) on 0..1, as stores of solid crops hand them out, to a log-odds (b, 1).

    Convolutions of 3 x 3 x 3, one for each of `pools`, the first with `width` filters, each further one with twice as
    many; each is normalised, rectified and pooled by its maximum over `pools` voxels (z y x). The signature is the mean
    of each of the last maps, of which training drops the share `dropout`.
    """

    def __init__(
        self, channels: int, *, width: int, pools: Sequence[tuple[int, int, int]], dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.body = convolved(channels, width=width, pools=pools)
        self.drop = nn.Dropout(dropout)
        self.classify = nn.Linear(width * 2 ** (len(pools) - 1), 1)

    def forward(self, volumes: Tensor) -> Reading:
        """Read a batch."""
        maps = self.body(rearrange(volumes, "b z c y x -> b c z y x"))
        signature = self.drop(reduce(maps, "b c z y x -> b c", "mean"))
        return Reading(self.classify(signature), signature)
