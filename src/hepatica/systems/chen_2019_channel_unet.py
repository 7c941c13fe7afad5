"""Channel-UNet: which pixels of this CT slice are liver, and which tumour, where every pixel may ask every other one?

A U-Net whose modules have two branches side by side. One is two convolutions; in the other a convolution is followed
by a spatial channel-wise convolution, which takes the pixels of a map for channels: every pixel of the new map is a
weighted sum of all pixels of the old one, by weights that all maps share. At 32 x 32 pixels these are 1,024 x 1,024;
larger maps use the same weights, extended: a pixel takes the part of the pixel of the smaller map in which it lies.

Departures:
1. Patients are dealt into training and test. The paper's 0.940 for tumours of 3D-IRCADb is far above what the winners
   of LiTS reach (0.70 to 0.72) and fits slices of one patient on both sides.
2. The extended map is computed as its factors: mean over the pixels that share a weight, the map, and back.
3. Weights of the map begin at identity, so that training begins with a plain U-Net; batch normalisation follows each
   convolution. The network of that name in public collections is another one.

Unclear (abstract and descriptions by others were at hand): widths, whether modules share one map (here they do), how
the map is extended in detail, loss and training: see `Settings`.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from einops import einsum, reduce, repeat
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hepatica.cohort import Segmentation, SettingsError
from hepatica.cohort.phantom import FOCAL_LESIONS
from hepatica.learn import Share
from hepatica.networks.heads import Reading
from hepatica.protocol import Paper, System
from hepatica.radiology.segmentation.plan import SegmentPlan
from hepatica.radiology.segmentation.room import SEGMENT_CT, Segmenter, train_segments


@dataclass(frozen=True, kw_only=True)
class Settings(SegmentPlan):
    """What is known of the paper's network; the rest is ours."""

    width: PositiveInt = 64  # ours: U-Net's
    """Channels at the finest resolution, half of each branch; each level has twice as many as the one above."""
    levels: PositiveInt = 5  # ours: 512 pixels are 32 at the fifth
    """Resolutions, each half of the one above; the map is learnt at the last."""
    voxels: tuple[int, int, int] = (1, 512, 512)
    optimizer: str = "adam"  # type: ignore[assignment]  # ours
    epochs: int = 60  # ours
    batch: int = 4  # ours
    learning_rate: float = 1e-3  # ours
    turn: bool = True  # ours
    zoom: float = 0.2  # ours
    gain: float = 0.1  # ours
    offset: float = 0.05  # ours
    noise: float = 0.02  # ours
    test: Share = 0.25  # ours
    seed: int = 2019


class PixelMap(nn.Module):
    """Maps (b, c, y, x) whose sides are a multiple of `side` to as many, all channels by the same weights: the spatial
    channel-wise convolution, iteratively extended.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        self.weight = nn.Parameter(torch.eye(side**2))

    def forward(self, maps: Tensor) -> Tensor:
        """Mix the pixels of each map."""
        times = maps.shape[-1] // self.side
        small = reduce(maps, "b c (y m) (x n) -> b c (y x)", "mean", m=times, n=times)
        mixed = einsum(self.weight, small, "new old, b c old -> b c new")
        return repeat(mixed, "b c (y x) -> b c (y m) (x n)", y=self.side, m=times, n=times)


class TwoBranches(nn.Module):
    """(b, given, y, x) to (b, made, y, x): half by two convolutions, half by one and the map."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        half = made // 2
        self.plain = nn.Sequential(_convolution(given, half), _convolution(half, half))
        self.mixed = _convolution(given, half)

    def forward(self, maps: Tensor, pixels: PixelMap) -> Tensor:
        """Both, one beside the other."""
        return torch.cat([self.plain(maps), pixels(self.mixed(maps)).relu()], dim=1)


def _convolution(given: int, made: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(given, made, 3, padding=1, bias=False), nn.BatchNorm2d(made), nn.ReLU())


class ChannelUNet(nn.Module):
    """(b, channels, side, side) on 0..1 to logits (b, outputs, side, side) and the mean of the deepest maps."""

    def __init__(self, *, width: int, levels: int, side: int, outputs: int, channels: int = 1) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        self.pixels = PixelMap(side // 2 ** (levels - 1))
        self.down = nn.ModuleList(TwoBranches(given, made) for given, made in pairwise([channels, *widths]))
        self.up = nn.ModuleList(TwoBranches(wide + narrow, narrow) for narrow, wide in pairwise(widths))
        self.out = nn.Conv2d(width, outputs, 1)

    def forward(self, maps: Tensor) -> Reading:
        """Segment a batch."""
        kept: list[Tensor] = []
        for block in self.down:
            maps = block(reduce(maps, "b c (y p) (x q) -> b c y x", "max", p=2, q=2) if kept else maps, self.pixels)
            kept.append(maps)
        for block, beside in zip(reversed(self.up), reversed(kept[:-1]), strict=True):
            maps = block(torch.cat([interpolate(maps, scale_factor=2), beside], dim=1), self.pixels)
        return Reading(self.out(maps), reduce(kept[-1], "b c y x -> b c", "mean"))


def build(settings: Settings, *, pretrained: bool) -> Segmenter:
    """The network, its weights drawn from the seed; SettingsError where the side does not halve often enough."""
    _, side, other = settings.voxels
    if side != other or side % 2 ** (settings.levels - 1):
        raise SettingsError(
            f"got patches of {side} x {other}, wanted squares whose side is a multiple of {2 ** (settings.levels - 1)}"
        )
    torch.manual_seed(settings.seed)
    outputs = 1 + len(settings.classes)
    network = ChannelUNet(
        width=settings.width, levels=settings.levels, side=side, outputs=outputs, channels=settings.depth
    )
    return Segmenter(network, settings)


SYSTEM: System[Any, Any] = System(
    name="chen_2019_channel_unet",
    question="Which voxels of this CT are liver, and which are tumour?",
    paper=Paper(
        title="Channel-Unet: A Spatial Channel-Wise Convolutional Neural Network for Liver and Tumors Segmentation",
        authors="Chen Y, Wang K, Liao X, Qian Y, Wang Q, Yuan Z, Heng PA",
        journal="Frontiers in Genetics 10:1110",
        year=2019,
        doi="10.3389/fgene.2019.01110",
        reported={"internal": {"dice_liver outlines": 0.984, "dice_lesions outlines": 0.940}},
        patients="3D-IRCADb-01",
        network="U-Net with spatial channel-wise convolution",
        validation="none outside; probably by slice",
        code="not released",
    ),
    task=Segmentation("outlines"),
    room=SEGMENT_CT,
    population=FOCAL_LESIONS,
    settings=Settings(),
    trial={"width": 12, "levels": 4, "learning_rate": 3e-3},
    shortest={"width": 4, "levels": 3, "voxels": (1, 64, 64)},
    build=build,
    train=train_segments,
    meaning="probability of tumour",
)
"""For a liver alone: classes=("liver",)."""
