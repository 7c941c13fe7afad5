"""Survival after chemoembolisation: how long will this patient live, judged by what a segmentation network sees?

A U-Net learns to mark liver and tumour on arterial CT before chemoembolisation. Its deepest maps, which say what is
where without saying what becomes of it, are averaged over the slices that show tumour; a Cox model with the lasso's
penalty makes of them the deep score. Patients at or above the median score of training are of high risk.

Departures:
1. The penalty is that of the highest partial likelihood in the patients of tuning, whom the network has not learnt.
2. Slices count by the probability of tumour in them; where no tumour is found, all count.
3. The endpoint is named by `survival`. The paper's is disease-specific survival: in cohort.toml an endpoint whose event
   is 2 for deaths of other causes. Phantoms have overall survival.

Unclear (the paper was not at hand, only its outline: 243 patients, hazard ratio 3.01; the citation is unverified):
network, features, preparation and the radiomic score beside: see `Settings`.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from einops import reduce
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Segmentation, Survival, Task
from hepatica.cohort.phantom import TACE
from hepatica.learn import Share, cox_loss
from hepatica.learn.cox_lasso import cox_lasso, heaviest
from hepatica.networks import Standardise, UNet
from hepatica.networks.heads import Reading
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.plain import outcomes
from hepatica.radiology.segmentation.plan import SegmentPlan
from hepatica.radiology.segmentation.room import SEGMENT_CT, Segmenter, infer_segments, train_segments
from hepatica.radiology.segmentation.store import VolumeStore


@dataclass(frozen=True, kw_only=True)
class Settings(SegmentPlan):
    """What the outline leaves open is ours."""

    survival: str = "overall_survival"
    """Endpoint of survival."""
    width: PositiveInt = 64  # ours: U-Net's
    """Channels of the U-Net at the finest resolution; each level has twice as many as the one above."""
    levels: Annotated[int, Field(ge=2, le=6)] = 5  # ours: U-Net's
    """Resolutions of the U-Net; the deepest gives the features."""
    penalties: PositiveInt = 20  # ours
    """Penalties that are tried, from that which leaves no feature down to a hundredth of it."""
    phase: str = "arterial"
    voxels: tuple[int, int, int] = (1, 256, 256)  # ours
    epochs: int = 60  # ours
    batch: int = 8  # ours
    learning_rate: float = 1e-3  # ours
    turn: bool = True  # ours
    zoom: float = 0.2  # ours
    gain: float = 0.1  # ours
    offset: float = 0.05  # ours
    noise: float = 0.02  # ours
    validation: Share = 0.2  # ours
    seed: int = 2020


class Scored(nn.Module):
    """(b, channels, y, x) on 0..1 to logits (b, outputs, y, x) and the mean of the deepest maps (b, d), of which `cox`
    makes the deep score, a log hazard.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        outputs, deepest = 1 + len(settings.classes), settings.width * 2 ** (settings.levels - 1)
        self.network = UNet(
            outputs=outputs, width=settings.width, levels=settings.levels, channels=settings.depth,
            standardise=nn.Identity(),
        )  # fmt: skip
        self.standardise = Standardise(deepest)
        self.cox = nn.Linear(deepest, 1, bias=False).requires_grad_(False)

    def forward(self, slices: Tensor) -> Reading:
        """Segment a batch."""
        maps, deepest = self.network.read(slices)
        return Reading(maps, reduce(deepest, "b c y x -> b c", "mean"))

    def scaled(self, features: Tensor) -> Tensor:
        """Features (n, d) by the mean and spread of the training patients, as `cox` reads them."""
        scaled: Tensor = self.standardise(features)
        return scaled[:, : features.shape[1]]


def build(settings: Settings, *, pretrained: bool) -> Segmenter:
    """The U-Net and the Cox model, untrained; the same from one seed."""
    torch.manual_seed(settings.seed)
    return Segmenter(Scored(settings), settings)


def features_of(found: Inference, settings: Settings) -> pd.DataFrame:
    """The mean signature of each specimen (rows, by specimen_id) over slices, by their probability of tumour."""
    score = found.regions["score"].to_numpy(np.float64)
    weight = np.where(score >= settings.cuts[-1], score, 0.0)
    total = pd.Series(weight).groupby(found.regions["specimen_id"]).transform("sum").to_numpy()
    weight = np.where(total > 0, weight, 1.0)
    table = pd.DataFrame(found.signatures * weight[:, None]).groupby(found.regions["specimen_id"], sort=False).sum()
    return table.div(pd.Series(weight).groupby(found.regions["specimen_id"], sort=False).sum(), axis=0)


def train(training: Training[Settings, VolumeStore]) -> dict[str, Any]:
    """The U-Net by the outlines, then the Cox model by survival, its penalty by the patients of tuning."""
    record, network, settings, split = train_segments(training), training.network, training.settings, training.split
    known = outcomes(training.cohort, task=training.task)
    seen = [*split.train, *split.validation]
    material = training.material.select(patient_ids=seen)
    features = features_of(infer_segments(network, material, settings, Segmentation(settings.endpoint)), settings)
    owner = material.specimens.set_index("specimen_id").loc[features.index, "patient_id"]
    values, outcome = features.to_numpy(np.float32), torch.tensor(known.loc[owner].to_numpy(float))
    rows = torch.from_numpy(owner.isin(split.train).to_numpy())
    body = network.body
    body.standardise.fit(values[rows.numpy()])
    scaled = body.scaled(torch.from_numpy(values))
    tuned = rows if bool(rows.all()) else ~rows
    most, best, weight = heaviest(scaled[rows], outcome[rows]), (float("inf"), 0.0), None
    for penalty in most * np.geomspace(1, 0.01, settings.penalties):
        weight = cox_lasso(scaled[rows], outcome[rows], penalty=float(penalty), start=weight)
        loss = float(cox_loss(scaled[tuned].double() @ weight[:, None], outcome[tuned], ties="efron"))
        if loss < best[0] - 1e-9:
            best = loss, float(penalty)
            body.cox.weight.copy_(weight.float())
    return record | {"penalty": best[1], "features": int((body.cox.weight != 0).sum())}


def predict(network: Segmenter, material: VolumeStore, settings: Settings) -> Inference:
    """The log hazard of each study, then its mask as any system of segmentation has it."""
    found = infer_segments(network, material, settings, Segmentation(settings.endpoint))
    features = features_of(found, settings)
    body: Any = network.body
    risk = body.cox(body.scaled(torch.from_numpy(features.to_numpy(np.float32))))[:, 0].detach().numpy()
    who = material.specimens.set_index("specimen_id").loc[features.index, ["patient_id"]].reset_index()
    rows = who.assign(score=risk, task="survival", endpoint=settings.survival, horizon_months=np.nan)
    return replace(found, specimens=pd.concat([rows, found.specimens], ignore_index=True))


def tasks(settings: Settings) -> tuple[Task, ...]:
    """Survival first, then the mask."""
    return Survival(settings.survival), Segmentation(settings.endpoint)


SYSTEM = System(
    name="liu_2020_tace_survival",
    question="How long will this patient with HCC live after chemoembolisation, and where is the tumour?",
    paper=Paper(
        title="Prediction of prognostic risk factors in hepatocellular carcinoma with transarterial chemoembolization"
        " using multi-modal multi-task deep learning",
        authors="Liu QP, Xu X, Zhu FP, Zhang YD, Liu XS",
        journal="EClinicalMedicine 23:100379",
        year=2020,
        doi="10.1016/j.eclinm.2020.100379",
        reported={"internal": {"hazard_ratio disease_specific_survival": 3.01}},
        patients="243",
        network="U-Net on arterial CT, Cox lasso of deep features",
        validation="not known here",
        code="not released",
    ),
    task=tasks,
    room=SEGMENT_CT,
    population=TACE,
    settings=Settings(),
    trial={"width": 8, "levels": 4, "learning_rate": 3e-3},
    shortest={"width": 4, "levels": 3, "voxels": (1, 64, 64), "penalties": 3},
    build=build,
    train=train,
    infer=predict,
    meaning="probability of tumour",
)
