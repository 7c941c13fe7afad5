"""Volume: a small convolutional network that reads solid crops of several channels."""

from collections.abc import Sequence
from itertools import pairwise

from einops import rearrange, reduce
from torch import Tensor, nn

from hepatica.networks.heads import Reading


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
        widths = [channels, *(width * 2**place for place in range(len(pools)))]
        layers: list[nn.Module] = []
        for (given, made), pool in zip(pairwise(widths), pools, strict=True):
            convolution = nn.Conv3d(given, made, 3, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm3d(made), nn.ReLU(), nn.MaxPool3d(pool)]
        self.body = nn.Sequential(*layers)
        self.drop = nn.Dropout(dropout)
        self.classify = nn.Linear(widths[-1], 1)

    def forward(self, volumes: Tensor) -> Reading:
        """Read a batch."""
        maps = self.body(rearrange(volumes, "b z c y x -> b c z y x"))
        signature = self.drop(reduce(maps, "b c z y x -> b c", "mean"))
        return Reading(self.classify(signature), signature)
