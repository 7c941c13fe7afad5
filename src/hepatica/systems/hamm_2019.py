"""Six kinds of liver lesion on multi-phase MR, read in 3-D: a first convolution for each phase, then all together.

A box around the lesion, from the arterial, portal venous and delayed phase, becomes 24 x 24 x 12 voxels of three
channels, the lesion 0.7 of the side. Each phase has a first convolution of its own; two more read all of them.

Departures:
1. Lesions of a patient stay together; the paper deals lesions at random (Monte Carlo cross-validation).
2. Rotation, zoom, flips, shifts of lesion and phases, contrast and level are drawn anew while training: 100 views of
   each lesion in an epoch of 43,400 are the settings of the paper; the network sees 750 batches of 24 an epoch there.
3. Early stopping watches the training loss as in the code; the weights kept are those of the lowest.
4. Even kernels of the first convolution pad after the last voxel along z, as Keras does.

Unclear: how boxes were drawn on the three phases; here they are aligned by position. Cysts, hemangiomas, focal nodular
hyperplasia, HCC, intrahepatic cholangiocarcinoma and colorectal metastases were chosen for typical looks: accuracy in
other lesions is not known.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from einops import rearrange
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.nn.functional import pad

from hepatica.cohort import MultiClass
from hepatica.cohort.phantom import TYPICAL_LESIONS
from hepatica.learn import Share
from hepatica.networks.heads import Reading
from hepatica.protocol import Paper, System
from hepatica.radiology.lesions.room import LESIONS_MR, LesionPlan, Shift, train_lesions

CLASSES = ("cyst", "hemangioma", "focal nodular hyperplasia", "hcc", "cholangiocarcinoma", "metastasis")


@dataclass(frozen=True, kw_only=True)
class Settings(LesionPlan):
    """The numbers of the paper's code (voi-classifier, commit 4c55449); what it leaves open is ours."""

    width: PositiveInt = 64
    """Filters of each phase's first convolution; twice as many in the others."""
    hidden: PositiveInt = 100
    """Width of the fully connected layer."""
    dropout: Share = 0.1
    """Share of values that training drops."""
    phases: tuple[str, ...] = ("arterial", "portal venous", "delayed")
    voxels: tuple[int, int, int] = (12, 24, 24)
    scale: Literal["window", "crop"] = "crop"
    copies: int = 100
    balanced: bool = True
    degrees: float = 180.0
    zoom: float = 0.2  # ours
    shift: Shift = (1.0, 2.0, 2.0)
    apart: Shift = (1.0, 2.0, 2.0)
    flip: bool = True
    gain: float = 0.05
    offset: float = 0.025  # 0.05 on -1 to 1
    epochs: int = 30
    batch: int = 24
    patience: int | None = 3
    learning_rate: float = 1e-3
    validation: Share = 0.0
    test: Share = 0.12  # 60 of 494
    seed: int = 2019


class Phases(nn.Module):
    """(b, phases, z, y, x) to (b, phases x filters, z, y, x): a convolution of 2 x 3 x 3 for each phase."""

    def __init__(self, phases: int, filters: int) -> None:
        super().__init__()
        self.own = nn.ModuleList(nn.Conv3d(1, filters, (2, 3, 3)) for _ in range(phases))

    def forward(self, volumes: Tensor) -> Tensor:
        """Each phase by itself, one after the other."""
        padded = pad(volumes, (1, 1, 1, 1, 0, 1))
        return torch.cat([read(padded[:, k : k + 1]) for k, read in enumerate(self.own)], dim=1)


class Lesions(nn.Module):
    """(b, z, phases, y, x) on 0..1 to logits (b, 6) and the hidden layer; `body` ends in feature maps."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        phases, width = len(settings.phases), settings.width
        drop = settings.dropout
        self.body = nn.Sequential(
            Phases(phases, width), nn.ReLU(), nn.Dropout(drop), nn.MaxPool3d(2), nn.BatchNorm3d(phases * width),
            nn.Conv3d(phases * width, 2 * width, (2, 3, 3)), nn.BatchNorm3d(2 * width), nn.ReLU(), nn.Dropout(drop),
            nn.Conv3d(2 * width, 2 * width, (2, 3, 3)), nn.BatchNorm3d(2 * width), nn.ReLU(), nn.Dropout(drop),
        )  # fmt: skip
        self.pool = nn.MaxPool3d((1, 2, 2))
        z, y, x = settings.voxels
        flat = 2 * width * (z // 2 - 2) * ((y // 2 - 4) // 2) * ((x // 2 - 4) // 2)
        self.hidden = nn.Sequential(
            nn.Linear(flat, settings.hidden), nn.BatchNorm1d(settings.hidden), nn.Dropout(drop), nn.ReLU()
        )
        self.classify = nn.Linear(settings.hidden, len(CLASSES))

    def forward(self, crops: Tensor) -> Reading:
        """Classify a batch, brought to -1..1."""
        seen = self.body(2 * rearrange(crops, "b z c y x -> b c z y x") - 1)
        signature = self.hidden(self.pool(seen).flatten(1))
        return Reading(self.classify(signature), signature)


def build(settings: Settings, *, pretrained: bool) -> Any:
    """The network, its weights drawn from the seed."""
    torch.manual_seed(settings.seed)
    return Lesions(settings)


SYSTEM = System(
    name="hamm_2019",
    question="Which of six kinds is this liver lesion?",
    paper=Paper(
        title="Deep learning for liver tumor diagnosis part I: development of a convolutional neural network classifier"
        " for multi-phasic MRI",
        authors="Hamm CA, Wang CJ, Savic LJ, et al.",
        journal="European Radiology 29(7):3338-3347",
        year=2019,
        doi="10.1007/s00330-019-06205-9",
        reported={"internal": {"accuracy lesion_kind": 0.92, "auroc[hcc] lesion_kind": 0.992}},
        patients="494 lesions of 296 patients",
        network="three 3-D convolutions, the first for each phase apart",
        validation="Monte Carlo cross-validation by lesion; 60 lesions read by two radiologists",
        code="released, without licence",
    ),
    task=MultiClass("lesion_kind", classes=CLASSES),
    room=LESIONS_MR,
    population=TYPICAL_LESIONS,
    settings=Settings(),
    trial={"width": 16, "copies": 4, "epochs": 15, "patience": None, "test": 0.2},
    shortest={"width": 4, "copies": 1},
    build=build,
    train=train_lesions,
    meaning="probability of a kind",
)
