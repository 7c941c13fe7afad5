"""Disease-history network: will this patient develop liver cancer, judging from the diagnoses of the years before?

The diagnoses of 108 months form a binary matrix, month by code, which a convolutional network reads like an image.

Departures (only the abstract is public, doi 10.1002/ijc.33245; all else here is ours):
1. Every patient is evaluated at the same landmark, and cases are those with cancer within the window after it. No code
   of the landmark or later enters. With an index date at the diagnosis of cases, one would have to be invented for
   controls, and the length of their histories could reveal who they are.
2. Accuracy (0.980) says little where nearly all are controls: average precision, sensitivity and specificity at the
   locked cut-off and calibration are given beside it, and AUROC by time to the diagnosis, which must fall.

Unclear:
1. The axes of 108 x 998: 108 months fit 2002 to 2010; 998 codes are taken to be the three-digit codes 001 to 999 of
   ICD-9 without 155, liver cancer.
2. Whether the published figures are those of patients held out from training.
3. The network: see `Settings`.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from einops import rearrange
from torch import Tensor, nn

from hepatica.clinical.claims import ClaimPlan, listed_codes
from hepatica.clinical.landmarks import at_risk, train_at_landmarks
from hepatica.clinical.room import CLAIMS
from hepatica.cohort import Binary
from hepatica.cohort.units import Months
from hepatica.learn import Share
from hepatica.networks import Reading
from hepatica.protocol import Paper, System


@dataclass(frozen=True, kw_only=True)
class Settings(ClaimPlan):
    """The numbers of the abstract; what it leaves open is ours, that is nearly all."""

    codes: tuple[str, ...] = ("001-154", "156-999")
    landmark: Months = Months(0)
    widths: tuple[int, ...] = (16, 32, 64)
    """Channels of each convolution, behind which months and codes are halved. Ours."""
    hidden: int = 64
    """Width of the layer after the convolutions. Ours."""
    dropout: Share = 0.5
    """Share of units that are dropped before the output. Ours."""
    epochs: int = 20  # ours
    batch: int = 32  # ours
    learning_rate: float = 1e-3  # ours
    patience: int | None = 5  # ours
    monitor: Literal["train_loss", "validation_loss"] = "validation_loss"  # ours
    seed: int = 2020


class CodeNetwork(nn.Module):
    """(b, months, codes) to (b, 1): convolutions of 3 x 3, each followed by a maximum over 2 x 2, and two layers."""

    def __init__(self, shape: tuple[int, int], *, widths: tuple[int, ...], hidden: int, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inside, outside in zip((1, *widths), widths, strict=False):
            layers += [nn.Conv2d(inside, outside, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
        sides = [-(-side // 2 ** len(widths)) for side in shape]
        self.entry = nn.Identity()
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * sides[0] * sides[1], hidden), nn.ReLU())
        self.classify = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, 1))

    def forward(self, matrices: Tensor) -> Reading:
        """Score a batch."""
        signature = self.body(self.entry(rearrange(matrices, "b m c -> b 1 m c")))
        return Reading(self.classify(signature), signature)


def build(settings: Settings, *, pretrained: bool) -> Any:
    """The untrained network; the same from one seed. There are no pretrained ones."""
    torch.manual_seed(settings.seed)
    shape = (settings.months, len(listed_codes(settings.codes)))
    return CodeNetwork(shape, widths=settings.widths, hidden=settings.hidden, dropout=settings.dropout)


SYSTEM = System(
    name="phan_2020",
    question="Will this patient develop liver cancer within three years, judging from their diagnoses before?",
    paper=Paper(
        title="Liver cancer prediction in a viral hepatitis cohort: A deep learning approach",
        authors="Phan DV, Chan CL, Li AA, Chien TY, Nguyen VC.",
        journal="International Journal of Cancer 147(10):2871",
        year=2020,
        doi="10.1002/ijc.33245",
        reported={
            "internal": {
                "auroc of liver cancer (horizon not stated)": 0.886,
                "accuracy of liver cancer (horizon not stated)": 0.980,
            }
        },
        patients="viral hepatitis, of a sample of 1,000,000 insured",
        network="CNN on a matrix of 108 months x 998 codes",
        validation="not known",
        code="not released",
    ),
    task=lambda settings: Binary(settings.endpoint, horizons=(settings.horizon,)),
    room=CLAIMS,
    settings=Settings(),
    trial={
        "codes": ("B15-B19", "I10-I15", "J00-J06", "K70-K77", "R10-R19", "R63", "R74"),
        "widths": (4, 8),
        "hidden": 16,
        "dropout": 0.2,
        "learning_rate": 3e-3,
    },
    shortest={"epochs": 2},
    build=build,
    train=train_at_landmarks,
    eligible=at_risk,
    meaning="risk of liver cancer within three years",
)
