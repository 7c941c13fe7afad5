"""CHOWDER: how long will this patient live after resection of hepatocellular carcinoma, judged from H&E slides?

A frozen ResNet50 describes each tile of 112 µm; a small network gives each tile a score, and the highest and lowest
scores of all of a patient's tiles, through another, give the risk, which is trained by Cox's partial likelihood.

Departures:
1. The risk set is everyone of a batch; the loss is the mean over events, not over all patients of a batch.
2. One locked split of patients stands for the paper's cross-validation, so that the score of a test patient is that of
   one network, not of several. Composites of clinical variables are compared with it on the same test patients only.

Unclear (Methods could not be read; the network is that of the authors' later code, owkin/HistoSSLscaling, 2023):
1. The number of extreme scores: 25 of each end in this paper, 10 in the later code. Marked as ours where it is a guess.
2. The paper reduces 2,048 features to 256 by an autoencoder; here all enter the first layer of the scorer.
3. Learning rate and weight decay were chosen by nested cross-validation among {1e-3, 1e-4} and {0, 1e-4}.
"""

from dataclasses import dataclass
from typing import Any

import torch
from pydantic import PositiveInt

from hepatica.cohort import Survival
from hepatica.networks import BagNetwork, Chowder
from hepatica.pathology.features.feature_store import FeatureStore
from hepatica.pathology.features.room import FEATURES, FeaturePlan, width_of
from hepatica.protocol import Paper, System, Training
from hepatica.protocol.bags import train_bags


@dataclass(frozen=True, kw_only=True)
class Settings(FeaturePlan):
    """The numbers of the paper and of the authors' later code; what they leave open is ours."""

    endpoint: str = "overall_survival"  # survival endpoint that is predicted
    extreme: PositiveInt = 25  # highest, and as many lowest, scores of tiles that are kept
    score_width: PositiveInt = 128  # of the hidden layer that scores a tile
    judge_widths: tuple[PositiveInt, ...] = (128, 64)
    """Widths of the hidden layers that read the extreme scores."""
    tiles_per_specimen: PositiveInt | None = 10_000
    rows_drawn: PositiveInt | None = 1000
    epochs: int = 50
    batch: int = 16
    learning_rate: float = 1e-3
    seed: int = 2020


def build(settings: Settings, *, pretrained: bool) -> BagNetwork:
    """The untrained network behind the encoder; the same from one seed."""
    torch.manual_seed(settings.seed)
    sizes: dict[str, Any] = {"score": (settings.score_width,), "judge": settings.judge_widths}
    return BagNetwork(Chowder(width_of(settings), top=settings.extreme, bottom=settings.extreme, **sizes))


def train(training: Training[Settings, FeatureStore]) -> dict[str, Any]:
    """Fit the network to the survival of each patient."""
    return train_bags(training)


SYSTEM = System(
    name="saillard_2020",
    question="How long will this patient live after resection of hepatocellular carcinoma?",
    paper=Paper(
        title="Predicting survival after hepatocellular carcinoma resection using deep learning on histological slides",
        authors="Saillard C, Schmauch B, Laifa O, et al.",
        journal="Hepatology 72(6):2000",
        year=2020,
        doi="10.1002/hep.31207",
        reported={"internal": {"c_index overall_survival": 0.75}},
        patients="194; 328 of TCGA-LIHC",
        network="ResNet50 features; extreme tile scores",
        validation="cross-validation; TCGA-LIHC",
        code="not released; of a later paper",
    ),
    task=lambda settings: Survival(settings.endpoint),
    room=FEATURES,
    settings=Settings(),
    trial={"extreme": 5},
    adjustable=("tiles_per_specimen", "rows_read", "weights"),
    build=build,
    train=train,
    meaning="risk of death",
)
