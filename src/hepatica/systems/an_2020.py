"""Ablative margin: did microwave ablation reach at least 5 mm beyond the whole surface of this tumour?

Scans before and after ablation are brought onto each other, first rigidly, then by a convolutional network that was
trained without a true field: the images should correlate, landmarks (branchings of vessels) should meet, and the field
should be smooth. From the network's field on, a free-form deformation is optimised for each pair. The outlines of
tumour and ablation zone then give the margin at each place of the tumour's surface.

Departures:
1. CT, of which the phantom has pairs; the paper has contrast-enhanced MR. Both are read as one channel each.
2. Local correlation leaves out tumour and ablation zone, which differ by what was done to them.
3. The optimisation for each pair (Balakrishnan 2019, doi 10.1109/TMI.2019.2897538; `refined`): alone, a network that
   saw few pairs registers new ones no better than the rigid registration does (docs/studies/an_2020.md).
4. The margin has an interval, from the error of landmarks in the patients of tuning.
5. Outlines are given; the paper does not say who drew them.

Unclear: widths, weights of the terms and the optimiser; which group the published rates of local progression (9.9,
20.6 and 24.8 % at 6, 12 and 24 months) are of, since 19 of 141 patients, 13.5 %, progressed in all; and the spread of
the least margin: 3.4 mm with a standard deviation of 0.7 and a range of 0 to 16 mm contradict each other (one value of
16 among 141 alone makes it 1.07).
"""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from einops import rearrange
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Cohort, Margin, Survival
from hepatica.learn import Loss, Samples
from hepatica.networks.displacement import DisplacementUNet, misplaced, roughness, unlike, warp
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.plain import fit_stage, scored
from hepatica.radiology.ablation.field import AFTER, BEFORE, TUMOUR, ZONE, apart, fields_of, margins_of
from hepatica.radiology.ablation.margin import SAFE_MM
from hepatica.radiology.ablation.room import ABLATION, PairPlan, infer_margins
from hepatica.radiology.ablation.store import PairStore

Weight = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class Settings(PairPlan):
    """All numbers are ours; of the paper the abstract was at hand."""

    width: PositiveInt = 16  # ours
    """Filters of the first convolution, twice as many in the further ones."""
    smooth: Weight = 1.0  # ours
    """Weight of the mean square slope of the field."""
    landmarks: Weight = 0.02  # ours
    """Weight of the mean distance of landmarks, mm; 0: none are used."""
    epochs: int = 200  # ours
    batch: int = 2  # ours
    learning_rate: float = 1e-3  # ours
    monitor: Literal["train_loss", "validation_loss"] = "validation_loss"
    validation: float = 0.25  # ours: they measure the error of landmarks
    test: float = 0.3  # ours
    seed: int = 2020


class Registering(nn.Module):
    """Pairs (b, z, 4, y, x) to maps (b 6 z y x), of which the last three are the field.

    `error_mm`: root of the mean square of landmarks' distance when it was locked, not a number where there were none;
    `cutoff`: of local progression, whose score is the margin with its sign turned; `refined`: as the setting.
    """

    spacing: Tensor
    error_mm: Tensor

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.refined = settings.refined
        self.unet = DisplacementUNet(spacing=settings.voxel_mm, width=settings.width)
        self.register_buffer("spacing", torch.tensor(settings.voxel_mm, dtype=torch.float32))
        self.register_buffer("error_mm", torch.tensor(math.nan))
        self.register_buffer("cutoff", torch.tensor(-SAFE_MM))

    def forward(self, pairs: Tensor) -> Tensor:
        """The scan after as registered, the scan before, where they are compared, and the field in mm."""
        channels = rearrange(pairs, "b z c y x -> b c z y x")
        field = self.unet(channels[:, [BEFORE, AFTER]])
        moved = warp(channels[:, [AFTER, ZONE]], field, spacing=self.spacing)
        after, zone = moved[:, :1], moved[:, 1:]
        before, tumour = channels[:, BEFORE, None], channels[:, TUMOUR, None]
        shown = torch.minimum(before, after) >= 0
        compared = (1 - torch.maximum(tumour, zone)).detach() * shown
        return torch.cat([after, before, compared, field], 1)


def build(settings: Settings, *, pretrained: bool) -> Registering:
    """The network, its weights drawn from the seed."""
    torch.manual_seed(settings.seed)
    return Registering(settings)


def loss_of(settings: Settings) -> Loss:
    """Unlikeness, roughness and the distance of landmarks (b n 7), whose last column says which there are."""
    spacing = torch.tensor(settings.voxel_mm)

    def loss(maps: Tensor, landmarks: Tensor) -> Tensor:
        side = spacing.to(maps)
        after, before, where, field = maps[:, :1], maps[:, 1:2], maps[:, 2:3], maps[:, 3:]
        total = unlike(after, before, where=where) + settings.smooth * roughness(field, spacing=side)
        known = landmarks[..., 6]
        away = misplaced(field, landmarks[..., :6], spacing=side)
        return total + settings.landmarks * (away * known).sum() / known.sum().clamp(min=1)

    return loss


def train(training: Training[Settings, PairStore]) -> dict[str, Any]:
    """Fit the field to the pairs of training, watching those of tuning, on which the error of landmarks is measured."""
    material, split, network = training.material, training.split, training.network
    samples = {
        name: Samples(inputs=own, labels=own.landmarks(np.arange(len(own))))
        for name in ("train", "validation")
        if len(own := material.select(patient_ids=getattr(split, name)))
    }
    history = fit_stage(training, "training", network, samples, loss=loss_of(training.settings))
    own = material.select(patient_ids=split.validation)
    fields = fields_of(network, own, batch=training.settings.batch)
    errors = [
        apart(field, own.landmarks(np.array([place])), spacing=network.spacing) for place, field in enumerate(fields)
    ]
    away = torch.cat([torch.empty(0), *errors])
    network.error_mm.copy_(away.square().mean().sqrt())
    error = f"{float(network.error_mm):.2f}" if len(away) else "no landmarks, so that margins have no interval"
    return {"epochs": len(history.epochs), "error of landmarks, mm": error}


def predict(network: Registering, material: PairStore, settings: Settings) -> Inference:
    """The margin, and of local progression the same with its sign turned."""
    margin, local = SYSTEM.tasks(settings)
    found = infer_margins(network, material, settings, margin)
    owner, score = found.regions[["patient_id", "specimen_id"]], -found.regions[["score"]].to_numpy()
    return replace(found, specimens=pd.concat([found.specimens, scored(owner, score, task=local)], ignore_index=True))


def comparators(network: Registering, material: PairStore, cohort: Cohort) -> pd.DataFrame:
    """The margin by the rigid registration alone, sign turned, by patient_id."""
    pairs = (material.read(np.array([place])) for place in range(len(material)))
    least = [margins_of(pair, None, spacing=network.spacing)[0].least for pair in pairs]
    owner = material.index["patient_id"]
    return pd.DataFrame({"rigid_registration": np.negative(least)}).groupby(owner).max()


SYSTEM = System(
    name="an_2020",
    question="How wide is the ablative margin, and will the tumour progress locally?",
    paper=Paper(
        title="Assessment of ablative margin after microwave ablation for hepatocellular carcinoma using deep"
        " learning-based deformable image registration",
        authors="An C, Jiang Y, Huang Z, Gu Y, Zhang T, Ma L, Huang J",
        journal="Frontiers in Oncology 10:573316",
        year=2020,
        doi="10.3389/fonc.2020.573316",
        reported={"internal": {"mean ablative_margin": 3.4}},
        patients="141 with one HCC of up to 5 cm",
        network="unsupervised, landmark-constrained registration CNN",
        validation="none beyond the same hospital",
        code="not released",
    ),
    task=(Margin("ablative_margin"), Survival("local_progression", rule="of_simulation")),
    room=ABLATION,
    settings=Settings(),
    trial={"width": 8},
    build=build,
    train=train,
    infer=predict,
    comparators=comparators,
    meaning="ablative margin",
)
