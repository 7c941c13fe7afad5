"""CHOWDER: how long will this patient live after resection of hepatocellular carcinoma, judged from H&E slides?

A frozen ResNet50 describes each tile of 112 µm; a small network gives each tile a score, and the highest and lowest
scores of all of a patient's tiles, through another, give the risk, which is trained by Cox's partial likelihood.
SCHMOWDER (`saillard_2020_schmowder`) has another branch, which first learns tumour against the rest from outlines.

Departures:
1. The risk set is everyone of a batch; the loss is the mean over events, not over all patients of a batch.
2. One locked split of patients replaces the paper's cross-validation, so that the score of a test patient is that of
   one network, not of several. Composites of clinical variables are compared with it on the same test patients only.
3. Features are standardised by the training patients, which the later code does not: of untrained encoders many hardly
   vary, and the scorer would not learn.

Unclear (Methods could not be read; the network is that of the authors' later code, owkin/HistoSSLscaling, 2023):
1. The number of extreme scores: 25 of each end in this paper, 10 in the later code. Marked as ours where it is a guess.
2. The paper reduces 2,048 features to 256 by an autoencoder; here all enter the first layer of the scorer.
3. How SCHMOWDER joins its branches. Here the tumour branch gives each tile a probability of tumour; the features times
   that go through CHOWDER, and its risk is added to a linear one of the mean of all features weighted by it, which
   starts at 0 (ours): from random weights it stays a guess where training is short.
4. Learning rate and weight decay were chosen by nested cross-validation among {1e-3, 1e-4} and {0, 1e-4}.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Survival
from hepatica.learn import Chosen, Samples
from hepatica.networks import BagNetwork, BagReading, Chowder
from hepatica.networks.multiple_instance import Scaled, scorer
from hepatica.pathology.features.feature_store import FeatureStore
from hepatica.pathology.features.room import FEATURES, FeaturePlan, width_of
from hepatica.pathology.outlines import tile_share
from hepatica.protocol import Paper, System, Training
from hepatica.protocol.bags import train_bags
from hepatica.protocol.plain import binary_loss, fit_stage, require_both, standardise


@dataclass(frozen=True, kw_only=True)
class Settings(FeaturePlan):
    """The numbers of the paper and of the authors' later code; what they leave open is ours."""

    endpoint: str = "overall_survival"  # survival endpoint that is predicted
    variant: Literal["chowder", "schmowder"] = "chowder"  # with or without the tumour branch
    extreme: PositiveInt = 25  # highest, and as many lowest, scores of tiles that are kept
    score_width: PositiveInt = 128  # of the hidden layer that scores a tile
    judge_widths: tuple[PositiveInt, ...] = (128, 64)
    """Widths of the hidden layers that read the extreme scores."""
    tumour: tuple[str, ...] = ("Tumor",)  # ours: classes of `annotation` that the tumour branch learns
    tumour_epochs: PositiveInt = 20  # ours: epochs of the tumour branch
    tumour_batch: PositiveInt = 256  # ours: tiles at once
    tumour_learning_rate: PositiveFloat = 1e-3  # ours: of the tumour branch
    tiles_per_specimen: PositiveInt | None = 10_000
    rows_drawn: PositiveInt | None = 1000
    epochs: int = 50
    batch: int = 16
    learning_rate: float = 1e-3
    seed: int = 2020


class Schmowder(nn.Module):
    """CHOWDER of features weighted by the probability of tumour, beside their weighted mean; see Unclear 3."""

    def __init__(self, width: int, *, hidden: int, **sizes: Any) -> None:
        super().__init__()
        self.tumour = scorer((width, hidden, 1))
        self.chowder = Chowder(width, **sizes)
        self.mean_risk = nn.Linear(width, 1)
        nn.init.zeros_(self.mean_risk.weight)
        nn.init.zeros_(self.mean_risk.bias)

    def forward(self, rows: Tensor, mask: Tensor) -> BagReading:
        """Judge a batch of bags; the signature is the extreme scores and the weighted mean."""
        tumour = self.tumour(rows).sigmoid() * mask[..., None]
        lower = self.chowder(tumour * rows, mask)
        mean = (tumour * rows).sum(dim=1) / tumour.sum(dim=1).clamp(min=1e-6)
        signature = torch.cat([lower.signature, mean], dim=1)
        return BagReading(lower.logits + self.mean_risk(mean), signature, lower.scores)


def build(settings: Settings, *, pretrained: bool) -> BagNetwork:
    """The untrained network behind the encoder; the same from one seed."""
    torch.manual_seed(settings.seed)
    width, ends = width_of(settings), {"top": settings.extreme, "bottom": settings.extreme}
    sizes: dict[str, Any] = {**ends, "score": (settings.score_width,), "judge": settings.judge_widths}
    kinds: dict[str, Any] = {"chowder": Chowder, "schmowder": partial(Schmowder, hidden=settings.score_width)}
    return BagNetwork(kinds[settings.variant](width, **sizes), embed=Scaled(width))


def train(training: Training[Settings, FeatureStore]) -> dict[str, Any]:
    """Fit the network to the survival of each patient, of SCHMOWDER after the tumour branch."""
    found = train_tumour(training) if training.settings.variant == "schmowder" else {}
    return found | train_bags(training)


def train_tumour(training: Training[Settings, FeatureStore]) -> dict[str, Any]:
    """Fit the tumour branch to tiles of training patients that lie mostly in outlines of tumour or mostly not."""
    settings, branch = training.settings, training.network.judge.tumour
    standardise(training)
    own = training.material.select(patient_ids=training.split.train)
    share = tile_share(own, training.cohort.specimens_of("slide"), classes=settings.tumour)
    rows = np.flatnonzero(np.isfinite(share))
    label = (share[rows] >= 0.5).astype(np.int64)
    hint = "name a GeoJSON file of outlines of each slide in the column annotation of specimens.csv"
    require_both(label, of="tumour against other tissue", hint=hint)
    pace: dict[str, Any] = {"batch": settings.tumour_batch, "learning_rate": settings.tumour_learning_rate}
    plan = replace(settings, **pace, epochs=settings.tumour_epochs)
    samples = {"train": Samples(inputs=Chosen(inputs=own, rows=rows), labels=label)}
    network = nn.Sequential(training.network.embed, branch)
    fit_stage(training, "tumour", network, samples, plan=plan, loss=binary_loss)
    branch.requires_grad_(False)
    return {"outlined tiles": len(rows), "of tumour": int(label.sum())}


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
    shortest={"tumour_epochs": 2},
    adjustable=("tiles_per_specimen", "rows_read", "weights"),
    build=build,
    train=train,
    meaning="hazard of death, relative",
)

SCHMOWDER = replace(
    SYSTEM,
    name="saillard_2020_schmowder",
    paper=replace(SYSTEM.paper, reported={"internal": {"c_index overall_survival": 0.78}}),
    settings=replace(Settings(), variant="schmowder"),
    trial={"extreme": 5, "weight_decay": 1e-2},  # without the decay it learns a trial's few patients by heart
)
"""With the tumour branch."""
