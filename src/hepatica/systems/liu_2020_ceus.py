"""Contrast-enhanced ultrasound before chemoembolisation: will this hepatocellular carcinoma respond?

A 3-D convolutional network reads the contrast cine of the lesion in space and time. Two models are compared with it in
the same patients: a support vector machine on the time-intensity curve of the lesion, and one on the radiomics of its
B-mode image.

Departures:
1. An external hospital, and a paired test with its interval; the paper has 41 held-out patients, in whom an accuracy of
   0.9 has an interval of 0.77 to 0.97.
2. Curves are of grey levels, which machines compress as they are set, not of linear intensity.
3. The compared support vector machines are linear.

Unclear (of the abstract and reviews): the layers of the network, which are C3D's here in small, how cines were cut and
sampled, the features of curves, and training: see `Settings`.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Binary, Cohort
from hepatica.cohort.phantom import TACE
from hepatica.learn import Share
from hepatica.networks import Conventional, Reading
from hepatica.networks.volume import Volume
from hepatica.protocol import Paper, System, Training
from hepatica.radiology.ultrasound import textures
from hepatica.radiology.ultrasound.perfusion import NAMES, time_intensity
from hepatica.radiology.ultrasound.room import ULTRASOUND, UltrasoundPlan, train_views
from hepatica.radiology.ultrasound.store import UltrasoundStore


@dataclass(frozen=True, kw_only=True)
class Settings(UltrasoundPlan):
    """What the abstract leaves open is ours."""

    view: Literal["patches", "capsule", "elastogram", "cine"] = "cine"
    side: PositiveInt = 64  # ours
    images: PositiveInt = 1  # ours
    times: PositiveInt = 16  # ours: as in C3D
    width: PositiveInt = 16  # ours
    """Filters of the first of four convolutions; each further one has twice as many."""
    dropout: Share = 0.5  # ours
    """Share of the pooled features that training drops."""
    balanced: bool = True  # ours
    jitter: float = 0.1  # ours
    epochs: int = 30  # ours
    batch: int = 8  # ours: a cine a patient, so that larger ones leave a few steps an epoch
    learning_rate: float = 3e-3  # ours
    schedule: Literal["steps", "cosine"] = "cosine"  # ours
    weight_decay: float = 1e-3  # ours
    test: Share = 0.3  # 41 of 130
    seed: int = 2020


class Response(nn.Module):
    """(b, t, 3, y, x) on 0..1, of which contrast is read, in units of its mean around the lesion (third channel), as
    gain differs by machine, to a log-odds (b, 1); the signature is the pooled features. The compared models read
    measured values.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        pools = [(1, 2, 2), *[(2, 2, 2)] * 3]  # as in C3D, time is kept at first
        self.network = Volume(1, width=settings.width, pools=pools, dropout=settings.dropout)
        self.curve, self.b_mode = Conventional(len(NAMES)), Conventional(textures.count())

    def forward(self, cines: Tensor) -> Reading:
        """Score a batch."""
        contrast, lesion = cines[:, :, :1], cines[:, :, 2:]
        around = (contrast > 0) * (1 - lesion)
        level = (contrast * around).sum(dim=(1, 2, 3, 4), keepdim=True) / around.sum(dim=(1, 2, 3, 4), keepdim=True)
        found: Reading = self.network(0.4 * contrast / level.nan_to_num().clamp(min=0.05))  # ours
        return found


def build(settings: Settings, *, pretrained: bool) -> Response:
    """All models, untrained; the same from one seed."""
    torch.manual_seed(settings.seed)
    return Response(settings)


def measured(material: UltrasoundStore) -> tuple[np.ndarray, np.ndarray]:
    """Features of the curve and of the B-mode image of each cine, (n, columns) each; without outline, of its whole."""
    curves, images = [], []
    for row, cine in enumerate(material.read(np.arange(len(material)))):
        lesion = cine[0, ..., 2] > 0 if cine[0, ..., 2].any() else np.ones(cine.shape[1:3], bool)
        seconds = np.linspace(0, float(material.index["duration_s"].iloc[row]), len(cine))
        curves.append(time_intensity(cine[..., 0], lesion=lesion, seconds=seconds))
        images.append(list(textures.textures(cine[0, ..., 1], mask=lesion).values()))
    return np.array(curves, np.float32), np.array(images, np.float32)


def train(training: Training[Settings, UltrasoundStore]) -> dict[str, Any]:
    """Fit the network, then the compared models to the same patients."""
    record, network = train_views(training, lesions=False), training.network
    own = training.material.select(patient_ids=training.split.train)
    label = training.cohort.label(training.task.targets[0]).loc[own.index["patient_id"]].to_numpy(np.int64)
    for model, values in zip((network.curve, network.b_mode), measured(own), strict=True):
        model.fit(values, label, seed=training.settings.seed)
    return record


def comparators(network: Response, material: UltrasoundStore, cohort: Cohort) -> pd.DataFrame:
    """What the compared models say, by patient_id."""
    models = {"time_intensity_curve": network.curve, "b_mode_radiomics": network.b_mode}
    scores = {
        name: model(torch.from_numpy(values)).numpy()[:, 0]
        for (name, model), values in zip(models.items(), measured(material), strict=True)
    }
    return pd.DataFrame(scores).groupby(material.index["patient_id"].to_numpy()).mean().rename_axis("patient_id")


SYSTEM = System(
    name="liu_2020_ceus",
    question="Will this HCC respond to chemoembolisation, by contrast-enhanced ultrasound?",
    paper=Paper(
        title="Accurate prediction of responses to transarterial chemoembolization for patients with hepatocellular"
        " carcinoma by using artificial intelligence in contrast-enhanced ultrasound",
        authors="Liu D, Liu F, Xie X, Su L, Liu M, Xie X, Kuang M, Huang G, Wang Y, Zhou H, Wang K, Lin M, Tian J",
        journal="European Radiology 30:2365-2376",
        year=2020,
        doi="10.1007/s00330-019-06553-6",
        reported={"internal": {"auroc response": 0.93}},
        patients="130 (89 and 41)",
        network="3-D CNN of the cine; time-intensity curve (AUC 0.80) and B-mode radiomics (0.81) compared",
        validation="held-out patients of the same hospital",
        code="not released",
    ),
    task=Binary("response", rule="balanced"),
    room=ULTRASOUND,
    population=TACE,
    settings=Settings(),
    trial={"side": 32, "width": 8, "batch": 8, "epochs": 12},
    shortest={"width": 2, "times": 8},
    build=build,
    train=train,
    comparators=comparators,
    meaning="response",
)
