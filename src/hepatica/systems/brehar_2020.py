"""Ultrasound of cirrhosis: does this image show hepatocellular carcinoma, square by square, at two resolutions?

Squares of 56 x 56 pixels of B-mode images are read together with twice as wide ones at the same place: each resolution
has a convolutional branch of its own, and two dense layers read both. It learns squares within outlined carcinomas
against squares of cirrhotic parenchyma, and is compared with the textures (Haralick, wavelets) that others used.

Departures:
1. Patients, not squares, are dealt into training and test.
2. A study is scored without outlines: squares of its whole images are read, and the mean of the highest tenth counts,
   shifted to the share of carcinomas among the training patients.
3. Squares are of mm, not of pixels, where the file says how long pixels are.
4. Of the compared classifiers, a linear support vector machine and a random forest on the textures stand for the rest.

Unclear: layers and filters of the branches, training and augmentation, and whether squares of one patient were on both
sides of the split: see `Settings`.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from einops import reduce
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Binary, Cohort
from hepatica.cohort.phantom import SCANNED_CIRRHOSIS
from hepatica.learn import Share
from hepatica.networks import Conventional, Reading
from hepatica.networks.volume import convolved
from hepatica.protocol import Paper, System, Training
from hepatica.protocol.plain import outcomes
from hepatica.radiology.ultrasound import textures
from hepatica.radiology.ultrasound.room import ULTRASOUND, UltrasoundPlan, labelled_views, pooled, train_views
from hepatica.radiology.ultrasound.store import UltrasoundStore


@dataclass(frozen=True, kw_only=True)
class Settings(UltrasoundPlan):
    """What the paper leaves open is ours."""

    scales: tuple[PositiveFloat, ...] = (1.0, 2.0)
    top_share: Annotated[float, Field(gt=0, le=1)] = 0.1  # ours
    balanced: bool = True  # ours
    width: PositiveInt = 16  # ours
    """Filters of the first of three convolutions of each branch; each further one has twice as many."""
    hidden: PositiveInt = 512
    """Width of the dense layer that reads all branches."""
    dropout: Share = 0.5  # ours
    """Share of its values that training drops."""
    texture_squares: PositiveInt = 600  # ours
    """Training squares of either kind, at most, whose textures the compared classifiers learn."""
    jitter: float = 0.2  # ours
    noise: float = 0.02  # ours
    epochs: int = 30  # ours
    batch: int = 64  # ours
    learning_rate: float = 1e-3  # ours
    test: Share = 0.3  # ours
    seed: int = 2020


class MultiResolution(nn.Module):
    """(b, resolutions, y, x) on 0..1 to logits (b, 2) and the last hidden layer; `body` has a branch for each."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        count = len(settings.scales)
        self.body = convolved(count, width=settings.width, pools=(2, 2, 2), groups=count)
        dense = nn.Linear(4 * count * settings.width, settings.hidden)
        self.hidden = nn.Sequential(dense, nn.ReLU(), nn.Dropout(settings.dropout))
        self.classify = nn.Linear(settings.hidden, 2)
        self.textures, self.top_share = Conventional(textures.count()), settings.top_share
        self.register_buffer("offset", torch.zeros(2))

    def forward(self, squares: Tensor) -> Reading:
        """Read a batch."""
        signature = self.hidden(reduce(self.body(squares), "b c y x -> b c", "mean"))
        return Reading(self.classify(signature), signature)


def build(settings: Settings, *, pretrained: bool) -> MultiResolution:
    """The network, its weights drawn from the seed."""
    torch.manual_seed(settings.seed)
    return MultiResolution(settings)


def train(training: Training[Settings, UltrasoundStore]) -> dict[str, Any]:
    """Fit the network, then the compared classifiers to the textures of some of the same squares."""
    record, settings = train_views(training, lesions=True), training.settings
    outcome = outcomes(training.cohort, task=training.task)
    learnt = labelled_views(training.material, outcome.loc[list(training.split.train)], lesions=True)
    rng, chosen = np.random.default_rng(settings.seed), []
    for each in (0, 1):
        own = rng.permutation(np.flatnonzero(learnt.labels == each))
        chosen.append(own[: settings.texture_squares])
    rows = np.concatenate(chosen)
    found = textures.texture_rows(learnt.inputs.read(rows)[..., 0])
    training.network.textures.fit(found, learnt.labels[rows], seed=settings.seed)
    return record


def comparators(network: MultiResolution, material: UltrasoundStore, cohort: Cohort) -> pd.DataFrame:
    """The two classifiers on textures, pooled as the network's squares are, by patient_id."""
    found = textures.texture_rows(material.read(np.arange(len(material)))[..., 0])
    score = network.textures(torch.from_numpy(found)).numpy()
    owner = material.index["patient_id"].to_numpy()
    columns = {
        f"textures_{name}": pooled(score[:, [place]], owner, share=network.top_share)[:, 0]
        for place, name in enumerate(network.textures.NAMES)
    }
    return pd.DataFrame(columns, index=pd.Index(pd.unique(owner), name="patient_id"))


SYSTEM = System(
    name="brehar_2020",
    question="Does this patient with cirrhosis have HCC, by B-mode ultrasound?",
    paper=Paper(
        title="Comparison of deep-learning and conventional machine-learning methods for the automatic recognition of"
        " the hepatocellular carcinoma areas from ultrasound images",
        authors="Brehar R, Mitrea DA, Vancea F, Marita T, Nedevschi S, Lupsor-Platon M, Rotaru M, Badea RI",
        journal="Sensors 20(11):3085",
        year=2020,
        doi="10.3390/s20113085",
        reported={
            "internal": {"auroc hcc": 0.95, "accuracy hcc": 0.910, "sensitivity hcc": 0.944, "specificity hcc": 0.884}
        },
        patients="268, of two machines",
        network="CNN of two resolutions; textures with SVM and random forest",
        validation="held-out squares of the same hospital",
        code="not released",
    ),
    task=Binary("hcc", rule="balanced"),
    room=ULTRASOUND,
    population=SCANNED_CIRRHOSIS,
    settings=Settings(),
    trial={"width": 8, "hidden": 64},
    shortest={"width": 4, "images": 1, "step_mm": 28.0, "texture_squares": 20},
    build=build,
    train=train,
    comparators=comparators,
    meaning="probability of HCC",
)
