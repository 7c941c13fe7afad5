"""Ultrasound of the liver: normal, chronic liver disease, cirrhosis or carcinoma, by its echotexture and its surface?

A region of parenchyma and the strip of the liver's capsule above it are each read by a small convolutional network, and
the logits of both are averaged: echotexture grows coarse and the surface nodular as fibrosis advances, and a carcinoma
interrupts the texture.

Departures:
1. Patients are dealt into training and test. The paper's 754 regions are of far fewer patients: with regions of one
   patient on both sides a network recognises patients. `benchmarks/ultrasound_systems.py --leakage` shows how much.
2. Regions are not chosen by a radiologist: all of the image is read, a square every 14 mm with the capsule above it. Of
   training patients with carcinoma, squares within its outline are learnt.
3. A patient's probability of carcinoma is the mean over the tenth of squares where it is highest; of the other classes,
   the mean over all squares. Their logarithms are shifted, as much for all, to the shares of the training patients.

Unclear (neither text nor abstract was at hand; the four classes, 754 regions and the accuracy of 0.966 are quoted from
reviews): size of regions, layers, how views are joined, and training: see `Settings`. Title, authors and DOI of the
paper are by memory.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from einops import reduce
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from hepatica.cohort import MultiClass
from hepatica.cohort.phantom import LIVER_STATES
from hepatica.learn import Share
from hepatica.networks import Reading
from hepatica.networks.volume import convolved
from hepatica.protocol import Paper, System
from hepatica.radiology.ultrasound.room import ULTRASOUND, UltrasoundPlan, train_views

CLASSES = ("normal", "chronic liver disease", "cirrhosis", "hcc")
VIEWS = 2
"""Parenchyma and capsule."""


@dataclass(frozen=True, kw_only=True)
class Settings(UltrasoundPlan):
    """All numbers are ours."""

    view: Literal["patches", "capsule", "elastogram", "cine"] = "capsule"
    top_share: Annotated[float, Field(gt=0, le=1)] = 0.1  # ours
    balanced: bool = True  # ours
    width: PositiveInt = 16  # ours
    """Filters of the first of three convolutions of each view's network; each further one has twice as many."""
    dropout: Share = 0.3  # ours
    """Share of the pooled features that training drops."""
    jitter: float = 0.2  # ours
    noise: float = 0.02  # ours
    epochs: int = 30  # ours
    batch: int = 64  # ours
    learning_rate: float = 1e-3  # ours
    test: Share = 0.3  # ours
    seed: int = 2018


class TwoViews(nn.Module):
    """(b, 2, y, x) on 0..1, parenchyma and capsule, to the mean (b, classes) of their logits; the signature is the
    pooled features of both. `body` has the two networks side by side.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.body = convolved(VIEWS, width=settings.width, pools=(2, 2, 2), groups=VIEWS)
        self.drop = nn.Dropout(settings.dropout)
        self.classify = nn.ModuleList(nn.Linear(4 * settings.width, len(CLASSES)) for _ in range(VIEWS))
        self.register_buffer("offset", torch.zeros(len(CLASSES)))

    def forward(self, views: Tensor) -> Reading:
        """Classify a batch."""
        signature = reduce(self.body(views), "b c y x -> b c", "mean")
        halves = self.drop(signature).chunk(VIEWS, dim=1)
        each = [layer(half) for layer, half in zip(self.classify, halves, strict=True)]
        return Reading(torch.stack(each).mean(dim=0), signature)


def build(settings: Settings, *, pretrained: bool) -> TwoViews:
    """Both networks, their weights drawn from the seed."""
    torch.manual_seed(settings.seed)
    return TwoViews(settings)


SYSTEM = System(
    name="bharti_2018",
    question="Is this liver normal, chronically diseased, cirrhotic or with HCC, by B-mode ultrasound?",
    paper=Paper(
        title="Preliminary study of chronic liver classification on ultrasound images using an ensemble model",
        authors="Bharti P, Mittal D, Ananthasivan R",
        journal="Ultrasonic Imaging 40(6):357-379",
        year=2018,
        doi="10.1177/0161734618787447",
        reported={"internal": {"accuracy liver_state": 0.966}},
        patients="754 regions of fewer than 200 images",
        network="convolutional networks of echotexture and surface, joined",
        validation="held-out regions",
        code="not released",
    ),
    task=MultiClass("liver_state", classes=CLASSES, ordered=True),
    room=ULTRASOUND,
    population=LIVER_STATES,
    settings=Settings(),
    trial={"width": 8},
    shortest={"width": 4, "images": 1, "step_mm": 28.0},
    build=build,
    train=partial(train_views, lesions=True),
    meaning="probability of a class",
)
