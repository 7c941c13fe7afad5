"""Shear-wave elastography in chronic hepatitis B: does this patient get hepatocellular carcinoma within five years?

The box in which stiffness was measured is read as B-mode, as a map of kPa from the colours of the elastogram, and as
where these could be read; the median stiffness enters as a number beside the pooled features.

Departures:
1. Image and number are joined as in the later generalised network of 17 centres (PMC12354435), since the paper's own
   design could not be read.
2. Who was lost before five years counts by censoring weights in the time-dependent AUROC, which reports show beside
   that of the yes-or-no outcome of the others.
3. No clinical variables.

Unclear (the text was not at hand; 434 patients and the AUC of 0.900 are quoted from reviews): the network, its inputs
in pixels, training, and how deaths and losses before five years were counted: see `Settings`. Title, authors and DOI of
the paper are by memory.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pandas as pd
import torch
from einops import reduce
from pydantic import PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Binary, Cohort, Months
from hepatica.cohort.phantom import HEPATITIS_B
from hepatica.learn import Share
from hepatica.networks import Reading
from hepatica.networks.volume import convolved
from hepatica.protocol import Paper, System
from hepatica.radiology.ultrasound.room import ULTRASOUND, UltrasoundPlan, train_views
from hepatica.radiology.ultrasound.store import UltrasoundStore
from hepatica.radiology.ultrasound.views import MOST_KPA

FIVE_YEARS = Months(60)

USUAL_LOG2_KPA = 3.0
"""log2 of 8 kPa, about which the stiffness is centred (ours)."""


@dataclass(frozen=True, kw_only=True)
class Settings(UltrasoundPlan):
    """All numbers but the horizon are ours."""

    view: Literal["patches", "capsule", "elastogram", "cine"] = "elastogram"
    side: PositiveInt = 96  # ours
    width: PositiveInt = 16  # ours
    """Filters of the first of four convolutions; each further one has twice as many."""
    dropout: Share = 0.5  # ours
    """Share of the pooled features that training drops."""
    balanced: bool = True  # ours
    epochs: int = 60  # ours
    batch: int = 32  # ours
    learning_rate: float = 1e-3  # ours
    weight_decay: float = 1e-3  # ours
    test: Share = 0.3
    seed: int = 2021


class Incidence(nn.Module):
    """(b, 3, y, x) on 0..1, B-mode, kPa and where it is known, to a log-odds (b, 1); the signature is the pooled
    features and the stiffness.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.body = convolved(3, width=settings.width, pools=(2, 2, 2, 2))
        self.drop = nn.Dropout(settings.dropout)
        self.classify = nn.Linear(8 * settings.width + 1, 1)

    def forward(self, boxes: Tensor) -> Reading:
        """Score a batch."""
        pooled = reduce(self.body(boxes), "b c y x -> b c", "mean")
        signature = torch.cat([pooled, stiffness(boxes)[:, None]], dim=1)
        return Reading(self.classify(torch.cat([self.drop(pooled), signature[:, -1:]], dim=1)), signature)


def stiffness(boxes: Tensor) -> Tensor:
    """log2 of the mean kPa where it is known, less USUAL_LOG2_KPA (b,); 0 where it is known nowhere."""
    known = boxes[:, 2] > 0.5
    count = known.sum(dim=(1, 2))
    mean = (MOST_KPA * boxes[:, 1] * known).sum(dim=(1, 2)) / count.clamp(min=1)
    return torch.where(count > 0, mean.clamp(min=0.5).log2() - USUAL_LOG2_KPA, torch.zeros_like(mean))


def build(settings: Settings, *, pretrained: bool) -> Incidence:
    """The network, its weights drawn from the seed."""
    torch.manual_seed(settings.seed)
    return Incidence(settings)


def comparators(network: Any, material: UltrasoundStore, cohort: Cohort) -> pd.DataFrame:
    """Median stiffness of each patient's elastograms, kPa, by patient_id."""
    return material.index.groupby("patient_id")["kpa"].median().to_frame("stiffness_kpa")


SYSTEM = System(
    name="jin_2021",
    question="Does this patient with chronic hepatitis B get HCC within five years, by shear-wave elastography?",
    paper=Paper(
        title="Deep learning radiomics of two-dimensional shear wave elastography and B-mode ultrasound for the 5-year"
        " incidence of hepatocellular carcinoma in chronic hepatitis B",
        authors="Jin J, Yao Z, Zhang T, Zeng J, Wu L, Wu M, Wang J, Wang Y, Yu J, Zheng R",
        journal="European Radiology 31",
        year=2021,
        doi="10.1007/s00330-021-07803-2",
        reported={"internal": {"auroc incidence_60": 0.900}},
        patients="434",
        network="CNN of B-mode and elastogram",
        validation="held-out patients of the same hospital",
        code="not released",
    ),
    task=Binary("incidence", horizons=(FIVE_YEARS,)),
    room=ULTRASOUND,
    population=HEPATITIS_B,
    settings=Settings(),
    trial={"side": 48, "width": 8, "batch": 16, "epochs": 30},
    shortest={"width": 4, "side": 32},
    build=build,
    train=partial(train_views, lesions=False),
    comparators=comparators,
    meaning="probability of HCC within five years",
)
