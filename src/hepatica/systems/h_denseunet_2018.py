"""H-DenseUNet: which voxels of this CT are liver, and which tumour, by what slices show and by what volumes show?

A 2-D network, 167 layers deep, reads each slice with its neighbours: DenseNet-161 on the way down, on the way up
doubled maps to which those of the same size are added. A 3-D network of the same form reads eight slices and, beside
them, what the 2-D network scored. Hybrid fusion adds the features of both, convolves them and gives the classes.

Departures:
1. The 2-D network learns first, from the same patches of eight slices, then both together; the paper's 2-D batches are
   of 40 single slices.
2. Training draws around liver and tumour in any study of the training patients; the authors list 13 scans by name.
3. The liver is not cut out before: windows cover the whole volume, and lesions outside the largest part of the liver
   are dropped afterwards, as in the paper. Cross-entropy alone is learnt, no Dice.

Unclear (written from descriptions of the method; the authors' code has no licence and is not used): how maps of unlike
width are added on the way up of the 3-D network: here the finer ones by a convolution of 1; biases of the convolutions
on the way up; the factor of the scores beside the volume.
"""

from dataclasses import dataclass
from typing import Any

import torch
from einops import rearrange, reduce
from pydantic import PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Segmentation
from hepatica.cohort.phantom import FOCAL_LESIONS
from hepatica.learn import Loss, Share
from hepatica.networks.dense import DenseUNet
from hepatica.networks.heads import Reading
from hepatica.protocol import Paper, System, Training
from hepatica.radiology.segmentation.plan import SegmentPlan
from hepatica.radiology.segmentation.room import SEGMENT_CT, Segmenter, train_segments
from hepatica.radiology.segmentation.store import VolumeStore

MEAN = 48.0
"""Hounsfield units that are taken off before anything is read."""

Widths = tuple[PositiveInt, ...]


@dataclass(frozen=True, kw_only=True)
class Settings(SegmentPlan):
    """The numbers of the paper and its description."""

    first: PositiveInt = 96
    """Maps of the first convolution of either network."""
    growth: tuple[PositiveInt, PositiveInt] = (48, 32)
    """Maps that each layer adds, of the 2-D and the 3-D network."""
    layers: tuple[Widths, Widths] = ((6, 12, 36, 24), (3, 4, 12, 8))
    """Layers of the dense blocks, of the 2-D and the 3-D network."""
    up: tuple[Widths, Widths] = ((768, 384, 96, 96, 64), (504, 224, 192, 96, 64))
    """Maps on the way up, of the 2-D and the 3-D network; the last must be alike."""
    beside: float = 250.0
    """Factor of the 2-D network's scores beside the volume."""
    first_epochs: PositiveInt = 100  # ours
    """Epochs of the 2-D network alone."""
    voxels: tuple[int, int, int] = (8, 224, 224)
    hu: tuple[float, float] = (-200.0, 250.0)
    shares: tuple[float, ...] = (0.5, 0.5)
    cuts: tuple[float, ...] = (0.5, 0.9)
    zoom: float = 0.25  # 0.8 to 1.2 in the paper
    turn: bool = True
    dice: float = 0.0
    optimizer: str = "sgd"  # type: ignore[assignment]
    epochs: int = 100  # ours: 6,000 at most in the paper
    batch: int = 1
    learning_rate: float = 1e-3
    test: Share = 0.25  # ours
    seed: int = 2018


class Slices(nn.Module):
    """The 2-D network: (b, z, 1, y, x) on 0..1 to logits (b, outputs, z, y, x), and features (b, up[-1], z, y, x)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.low, self.high = settings.hu
        self.body = DenseUNet(
            channels=3, first=settings.first, growth=settings.growth[0], layers=settings.layers[0],
            up=settings.up[0], axes=2,
        )  # fmt: skip
        self.classify = nn.Conv2d(settings.up[0][-1], 1 + len(settings.classes), 1)

    def forward(self, volumes: Tensor) -> Reading:
        """Segment a batch, each slice with the one below and the one above."""
        logits, _, signature = self.read(volumes)
        return Reading(logits, signature)

    def read(self, volumes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, features, and the mean signature of the slices."""
        values = (volumes * (self.high - self.low) + self.low - MEAN)[:, :, 0]
        below, above = torch.cat([values[:, :1], values[:, :-1]], 1), torch.cat([values[:, 1:], values[:, -1:]], 1)
        features, signature = self.body(rearrange([below, values, above], "c b z y x -> (b z) c y x"))
        logits = self.classify(features)
        solid = [rearrange(each, "(b z) c y x -> b c z y x", b=len(volumes)) for each in (logits, features)]
        return solid[0], solid[1], reduce(signature, "(b z) d -> b d", "mean", b=len(volumes))


class Hybrid(nn.Module):
    """(b, z, 1, y, x) on 0..1, z a multiple of 4, to logits (b, outputs, z, y, x): the 2-D network `slices`, the 3-D
    one, and their fusion. The signature is that of both.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings, self.slices = settings, Slices(settings)
        outputs, width = 1 + len(settings.classes), settings.up[1][-1]
        self.solid = DenseUNet(
            channels=1 + outputs, first=settings.first, growth=settings.growth[1], layers=settings.layers[1],
            up=settings.up[1], axes=3,
        )  # fmt: skip
        self.fuse = nn.Sequential(
            nn.Conv3d(width, width, 3, padding=1), nn.BatchNorm3d(width), nn.ReLU(), nn.Conv3d(width, outputs, 1)
        )

    def forward(self, volumes: Tensor) -> Reading:
        """Segment a batch."""
        logits, flat, signature = self.slices.read(volumes)
        low, high = self.settings.hu
        values = rearrange(volumes, "b z 1 y x -> b 1 z y x") * (high - low) + low - MEAN
        solid, of_solid = self.solid(torch.cat([values, self.settings.beside * logits.softmax(1)], dim=1))
        return Reading(self.fuse(flat + solid), torch.cat([signature, of_solid], dim=1))


def build(settings: Settings, *, pretrained: bool) -> Segmenter:
    """The networks, their weights drawn from the seed."""
    torch.manual_seed(settings.seed)
    return Segmenter(Hybrid(settings), settings)


def inner(loss: Loss) -> Loss:
    """A loss of the slices of a patch but the first and the last, which lack a neighbour; of all of few."""

    def of_inner(logits: Tensor, labels: Tensor) -> Tensor:
        return loss(logits[:, :, 1:-1], labels[:, 1:-1]) if labels.shape[1] > 2 else loss(logits, labels)

    return of_inner


def train(training: Training[Settings, VolumeStore]) -> dict[str, Any]:
    """The 2-D network alone, then all."""
    settings = training.settings
    first = train_segments(training, network=training.network.body.slices, stage="slices", epochs=settings.first_epochs)
    return {"epochs of the 2-D network": first["epochs"]} | train_segments(training, loss=inner(settings.loss))


SYSTEM = System(
    name="h_denseunet_2018",
    question="Which voxels of this CT are liver, and which are tumour, by slices and volume together?",
    paper=Paper(
        title="H-DenseUNet: Hybrid Densely Connected UNet for Liver and Tumor Segmentation From CT Volumes",
        authors="Li X, Chen H, Qi X, Dou Q, Fu CW, Heng PA",
        journal="IEEE Transactions on Medical Imaging 37(12):2663-2674",
        year=2018,
        doi="10.1109/TMI.2018.2845918",
        reported={"external": {"dice_liver outlines": 0.961, "dice_lesions outlines": 0.722}},
        patients="131 scans (LiTS)",
        network="2-D DenseUNet-167, 3-D DenseUNet, hybrid fusion",
        validation="70 scans of LiTS; 3D-IRCADb (0.947 and 0.937 of the liver)",
        code="xmengli/H-DenseUNet, no licence",
    ),
    task=Segmentation("outlines"),
    room=SEGMENT_CT,
    population=FOCAL_LESIONS,
    settings=Settings(),
    trial={
        "voxel_mm": (6.0, 4.0, 4.0), "voxels": (4, 64, 64), "first": 16, "growth": (8, 8), "epochs": 20,
        "layers": ((2, 2, 2, 2), (1, 1, 1, 1)), "up": ((32, 24, 16, 16, 16), (32, 24, 16, 16, 16)),
        "first_epochs": 20, "batch": 8, "learning_rate": 0.03, "beside": 1.0,
    },
    shortest={
        "voxel_mm": None, "voxels": (4, 32, 32), "first": 4, "growth": (4, 4), "first_epochs": 1,
        "up": ((8, 8, 8, 8, 8), (8, 8, 8, 8, 8)), "layers": ((1, 1, 1, 1), (1, 1, 1, 1)),
    },
    build=build,
    train=train,
    meaning="probability of tumour",
)  # fmt: skip
