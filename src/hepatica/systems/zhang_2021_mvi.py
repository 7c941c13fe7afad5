"""Microvascular invasion on MR of several sequences: does this hepatocellular carcinoma invade small vessels?

The volume around the tumour, from a T2-weighted sequence with fat suppression and three phases after contrast, is read
as channels of one 3-D convolutional network.

Departures:
1. The network sees the tumour and a margin of 10 mm around it, of which the paper's outline is not known; the signal of
   both is read as a share of that of the liver around them. At `quick` the outline is a fifth channel.
2. Sequences lie where the scanner says they do; registering them is a setting (`register`).

Unclear: neither paper nor abstract were at hand, only a review (AUC from 0.72) and memory, unverified: the DOI, the
authors, the sequences, 237 patients, AUC 0.81 in training; layers, sizes and optimiser are ours, see `Settings`.
"""

from dataclasses import dataclass

import torch
from pydantic import PositiveInt

from hepatica.cohort import Binary
from hepatica.cohort.phantom import MVI
from hepatica.learn import Share
from hepatica.networks import Volume
from hepatica.protocol import Paper, System
from hepatica.radiology.lesions.room import LESIONS_MR, LesionPlan, Scaled, train_lesions


@dataclass(frozen=True, kw_only=True)
class Settings(LesionPlan):
    """Sequences are the paper's, by memory; all else is ours."""

    phases: tuple[str, ...] = ("t2", "arterial", "portal venous", "delayed")
    voxels: tuple[PositiveInt, PositiveInt, PositiveInt] = (16, 64, 64)  # ours
    lesion_share: float | None = 0.7  # ours
    rim_mm: float = 10.0  # ours
    scale: Scaled = "liver"  # ours
    surroundings: bool = False  # ours
    width: PositiveInt = 16  # ours
    """Filters of the first convolution; twice as many in each further one."""
    dropout: Share = 0.3  # ours
    """Share of hidden values that training drops."""
    degrees: float = 180.0  # ours
    shift: tuple[float, float, float] = (1.0, 4.0, 4.0)  # ours
    flip: bool = True  # ours
    zoom: float = 0.1  # ours
    epochs: int = 60  # ours
    batch: int = 16  # ours
    learning_rate: float = 1e-3  # ours
    weight_decay: float = 1e-4  # ours
    test: Share = 1 / 3  # 79 of 237
    seed: int = 2021


def build(settings: Settings, *, pretrained: bool) -> Volume:
    """The network, its weights drawn from the seed; its first two layers leave z as it is, for slices are thick."""
    torch.manual_seed(settings.seed)
    pools = ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2))
    return Volume(settings.channels, width=settings.width, pools=pools, dropout=settings.dropout)


SYSTEM = System(
    name="zhang_2021_mvi",
    question="Does this hepatocellular carcinoma invade microscopic vessels, by MR of several sequences?",
    paper=Paper(
        title="Deep learning with 3D convolutional neural network for noninvasive prediction of microvascular invasion"
        " in hepatocellular carcinoma",
        authors="Zhang Y, Lv X, Qiu J, Zhang B, Zhang L, Fang J, Li M, Chen L, Wang F, Liu S, Zhang S",
        journal="Journal of Magnetic Resonance Imaging 54:134-143",
        year=2021,
        doi="10.1002/jmri.27538",
        reported={"internal": {"auroc mvi": 0.72}},
        patients="237 resected, 158 to train",
        network="3-D CNN over sequences",
        validation="79 patients of the same hospital",
        code="not released",
    ),
    task=Binary("mvi", rule="balanced"),
    room=LESIONS_MR,
    population=MVI,
    settings=Settings(),
    trial={
        "voxels": (8, 32, 32),
        "width": 8,
        "outline": True,
        "dropout": 0.0,
        "learning_rate": 4e-3,
        "schedule": "cosine",
    },
    build=build,
    train=train_lesions,
    meaning="probability of microvascular invasion",
)
