"""Liver masses on dynamic CT: which of five categories is this mass, by three phases in one network?

A box around the mass, from the plain, arterial and delayed phase, is resized to 70 x 70 pixels and read as an image of
three channels by six convolutions, three poolings and three fully connected layers. The paper parts A classic HCC, B
other malignant masses, C indeterminate masses, early HCC, dysplastic nodules and rare benign ones, D haemangioma and E
cyst; here they are the classes of a cohort's endpoint `lesion_class`, of each mass.

Departures:
1. Patients, not image sets, are dealt into training and test, and augmentation happens while training, so that no copy
   of a training mass is on the other side. The paper's 1,068 x 52 = 55,536 copies are 52 new views of each in an epoch.
2. One training, whose test patients were set aside; the paper reports the median of five.

Unclear: widths of the layers, dropout, optimiser and epochs could not be read: see `Settings`; nor the median accuracy
of 0.84, which reviews report.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from hepatica.cohort import MultiClass
from hepatica.cohort.phantom import FOCAL_LESIONS
from hepatica.learn import Share
from hepatica.networks.heads import Reading
from hepatica.protocol import Paper, System
from hepatica.radiology.lesions.room import LESIONS_CT, LesionPlan, Shift, train_lesions

CLASSES = ("classic hcc", "other malignant", "indeterminate or rare benign", "hemangioma", "cyst")
"""A, B, C, D and E."""


@dataclass(frozen=True, kw_only=True)
class Settings(LesionPlan):
    """The paper's input; what it leaves open is ours."""

    width: PositiveInt = 32  # ours
    """Filters of the first two convolutions; twice as many in the next two, four times in the last."""
    hidden: PositiveInt = 256  # ours
    """Width of the first two fully connected layers."""
    dropout: Share = 0.5  # ours
    """Share of their values that training drops."""
    lesion_share: float | None = 0.9  # ours: the box was drawn by hand
    copies: int = 52
    degrees: float = 30.0  # ours
    zoom: float = 0.5  # ours: "strong"
    shift: Shift = (0.0, 5.0, 5.0)  # ours
    noise: float = 0.03  # ours
    epochs: int = 4  # ours: of 52 views of each
    batch: int = 32  # ours
    learning_rate: float = 1e-3  # ours
    test: Share = 0.2  # ours
    seed: int = 2018


class Masses(nn.Module):
    """(b, phases, 70, 70) on 0..1 to logits (b, 5) and the last hidden layer; `body` ends in feature maps."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        widths = [len(settings.phases), *(settings.width * each for each in (1, 1, 2, 2, 4, 4))]
        layers: list[nn.Module] = []
        for place, (given, made) in enumerate(pairwise(widths)):
            layers += [nn.Conv2d(given, made, 3, padding=1), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if place % 2 else []
        self.body = nn.Sequential(*layers)
        _, y, x = settings.voxels
        flat = widths[-1] * (y // 8) * (x // 8)
        drop = nn.Dropout(settings.dropout)
        first, second = nn.Linear(flat, settings.hidden), nn.Linear(settings.hidden, settings.hidden)
        self.hidden = nn.Sequential(nn.Flatten(), first, nn.ReLU(), drop, second, nn.ReLU(), drop)
        self.classify = nn.Linear(settings.hidden, len(CLASSES))

    def forward(self, images: Tensor) -> Reading:
        """Classify a batch."""
        signature = self.hidden(self.body(images))
        return Reading(self.classify(signature), signature)


def build(settings: Settings, *, pretrained: bool) -> Any:
    """The network, its weights drawn from the seed."""
    torch.manual_seed(settings.seed)
    return Masses(settings)


SYSTEM = System(
    name="yasaka_2018",
    question="Which of five categories is this liver mass?",
    paper=Paper(
        title="Deep learning with convolutional neural network for differentiation of liver masses at dynamic"
        " contrast-enhanced CT: a preliminary study",
        authors="Yasaka K, Akai H, Abe O, Kiryu S",
        journal="Radiology 286(3):887-896",
        year=2018,
        doi="10.1148/radiol.2017170706",
        reported={"internal": {"accuracy lesion_class": 0.84, "auroc malignant": 0.92}},
        patients="460 (1,068 image sets) to train; 100 masses to test",
        network="six convolutions, three fully connected layers",
        validation="later patients of the same hospital",
        code="not released",
    ),
    task=MultiClass("lesion_class", classes=CLASSES),
    room=LESIONS_CT,
    population=FOCAL_LESIONS,
    settings=Settings(),
    trial={"width": 16, "hidden": 64, "voxels": (1, 40, 40), "copies": 4, "shift": (0.0, 3.0, 3.0)},
    shortest={"width": 4, "copies": 1},
    build=build,
    train=train_lesions,
    meaning="probability of a category",
)
