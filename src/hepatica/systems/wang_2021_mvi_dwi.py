"""Microvascular invasion on diffusion-weighted MR: does this hepatocellular carcinoma invade small vessels?

Patches of 28 x 28 pixels of the tumour, from images of b 0, 100 and 600 s/mm2 and from the map of the apparent
diffusion coefficient that is fitted to them, are each read by a small convolutional network; their deep features are
fused, and in training each network is also judged by itself (deep supervision).

Departures:
1. Patients, not tumours, are dealt 60 to 40; in the paper three patients have two tumours, which may be on both sides.
2. Patches of several slices are read, and their mean is the tumour's score; the largest tumour is the patient's.
3. Signal is read as a share of that around the tumour, ADC on a scale of its own; each image is standardised first.

Unclear (the abstract was at hand): layers of the networks, how patches were cut, slices a tumour, optimiser and weight
of the supervision: see `Settings`. That the reported AUC of 0.7969 is that with deep supervision is by memory.
"""

from dataclasses import dataclass
from typing import Any

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from hepatica.cohort import Binary
from hepatica.cohort.phantom import MVI
from hepatica.learn import Share
from hepatica.networks import Reading
from hepatica.protocol import Paper, System, Training
from hepatica.radiology.lesions.room import LESIONS_MR, LesionPlan, Scaled, train_lesions
from hepatica.radiology.lesions.store import LesionStore


@dataclass(frozen=True, kw_only=True)
class Settings(LesionPlan):
    """The paper's input; what the abstract leaves open is ours."""

    phases: tuple[str, ...] = ("dwi b0", "dwi b100", "dwi b600", "adc")
    """Images that are fused, one network each."""
    voxels: tuple[PositiveInt, PositiveInt, PositiveInt] = (1, 28, 28)
    slices: PositiveInt = 3  # ours
    lesion_share: float | None = 0.7  # ours
    rim_mm: float = 10.0  # ours
    scale: Scaled = "liver"  # ours
    width: PositiveInt = 16  # ours
    """Filters of the first convolution of each network; the second has twice as many."""
    features: PositiveInt = 64  # ours
    """Deep features of each network."""
    supervision: NonNegativeFloat = 0.5  # ours
    """Weight of the loss of the single networks against that of the fused features; 0: no deep supervision."""
    dropout: Share = 0.5  # ours
    """Share of hidden values that training drops."""
    degrees: float = 180.0  # ours
    shift: tuple[float, float, float] = (0.0, 2.0, 2.0)  # ours
    flip: bool = True  # ours
    epochs: int = 60  # ours
    batch: int = 32  # ours
    learning_rate: float = 1e-3  # ours
    test: Share = 0.4
    seed: int = 2021


class Fused(nn.Module):
    """(b, images, y, x) on 0..1 to log-odds (b, 1) of the fused features; in training (b, 1 + images), the others those
    of each network by itself.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        count, wide = len(settings.phases), settings.width
        self.standardise = nn.BatchNorm2d(count, affine=False)  # ours; levels that differ by little are else not learnt
        self.body = nn.Sequential(  # the networks side by side: channels of one never reach another
            nn.Conv2d(count, count * wide, 3, padding=1, groups=count), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(count * wide, count * 2 * wide, 3, padding=1, groups=count), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        _, y, x = settings.voxels
        flat = 2 * wide * (y // 4) * (x // 4)
        self.deep = nn.ModuleList(nn.Sequential(nn.Linear(flat, settings.features), nn.ReLU()) for _ in range(count))
        self.single = nn.ModuleList(nn.Linear(settings.features, 1) for _ in range(count))
        self.drop = nn.Dropout(settings.dropout)
        self.classify = nn.Linear(count * settings.features, 1)

    def forward(self, images: Tensor) -> Reading:
        """Read a batch."""
        maps = self.body(self.standardise(images)).flatten(1).chunk(len(self.deep), dim=1)
        deep = [self.drop(layer(each)) for layer, each in zip(self.deep, maps, strict=True)]
        signature = torch.cat(deep, dim=1)
        fused = self.classify(signature)
        if not self.training:
            return Reading(fused, signature)
        alone = [layer(each) for layer, each in zip(self.single, deep, strict=True)]
        return Reading(torch.cat([fused, *alone], dim=1), signature)


def supervised(logits: Tensor, labels: Tensor, *, weight: float) -> Tensor:
    """Cross-entropy of the fused log-odds (the first column), and `weight` times the mean of that of the others."""
    wanted = labels.to(logits.dtype)[:, None].expand_as(logits)
    each = binary_cross_entropy_with_logits(logits, wanted, reduction="none").mean(dim=0)
    return each[0] + weight * each[1:].mean() if len(each) > 1 else each[0]


def build(settings: Settings, *, pretrained: bool) -> Fused:
    """The network, its weights drawn from the seed."""
    torch.manual_seed(settings.seed)
    return Fused(settings)


def train(training: Training[Settings, LesionStore]) -> dict[str, Any]:
    """Fit all networks together."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return supervised(logits, labels, weight=training.settings.supervision)

    return train_lesions(training, loss=loss)


SYSTEM = System(
    name="wang_2021_mvi_dwi",
    question="Does this hepatocellular carcinoma invade microscopic vessels, by diffusion-weighted MR?",
    paper=Paper(
        title="Prediction of microvascular invasion of hepatocellular carcinoma based on preoperative"
        " diffusion-weighted MR using deep learning",
        authors="Wang G, Jian W, Cen X, Zhang L, Guo H, Liu Z, Liang C, Zhou W",
        journal="Academic Radiology 28 Suppl 1:S118-S127",
        year=2021,
        doi="10.1016/j.acra.2020.11.014",
        reported={"internal": {"auroc mvi": 0.7969}},
        patients="97 with 100 carcinomas",
        network="a CNN for each b-value and the ADC, deep features fused",
        validation="40% of the tumours of one hospital",
        code="not released",
    ),
    task=Binary("mvi", rule="balanced"),
    room=LESIONS_MR,
    population=MVI,
    settings=Settings(),
    build=build,
    train=train,
    meaning="probability of microvascular invasion",
)
