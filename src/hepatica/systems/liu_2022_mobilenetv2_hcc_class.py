"""MobileNetV2_HCC_Class: when will this hepatocellular carcinoma recur after resection, judged from its H&E slides?

A U-Net trained on outlined nuclei draws a nuclear map of each tile. Tile and map are read by one MobileNetV2, and the
tiles of a patient are pooled to one answer, which learns from patients of distinct outcome: early recurrence, or long
freedom from it. The risk is the log-odds of early recurrence; its median in the training patients parts high from low.

Departures (only the abstracts were read: arXiv 2106.00090, Research Square, the journal):
1. The map is computed inside the network, so that the locked model needs no other file. Where each slide gives a few
   tiles only (`tiles_per_specimen`), the same maps are computed once, to 1/255, and turned with the tiles.
2. A nuclear map is of the resolution of the tiles: pictures of outlined nuclei are resized to it before training.
3. Where no outlined nuclei are given, phantom nuclei are drawn, and what is learnt of nuclei is that of phantoms.

Unclear (the abstracts do not state it; each is a setting of ours, marked so, and studied by leaving it out or changing
it in `hepatica study liu_2022`):
1. Tile side, magnification and number, and how the tumour was outlined: here the column `region` of specimens.csv.
2. How the nuclear map joins the colours (`nuclear`): here a fourth channel whose first weights are the mean of the
   others'; or a second MobileNetV2, a product, or nothing.
3. How tiles become a patient's answer (`pool`): Noisy-AND, since "supersized heterogeneous images" are the words of
   Skrede 2020 (doi 10.1016/S0140-6736(19)32998-8); or mean, attention, or the highest tiles.
4. "Distinct outcome" is in the preprint only (`outcome`); its months (`poor`, `good`) are in neither.
5. Learning rate, epochs, batch and augmentation; the size of the U-Net and of its training; the cut-off.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from einops import reduce
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Binary, Months, Survival, distinct_outcomes
from hepatica.learn import in_bags, pixels_to_images
from hepatica.networks import Attention, BagNetwork, Instances, NoisyAnd, Normalise, UNet, widened
from hepatica.pathology.nuclei.mapped import mapped
from hepatica.pathology.nuclei.pretrained import NucleiSettings, train_nuclei, untrained
from hepatica.pathology.room import SLIDES, SlidePlan
from hepatica.pathology.store import TileStore
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.bags import BagPlan, bagged, infer_bags
from hepatica.protocol.plain import NARROW, binary_loss, body_of, fit_stage, labelled
from hepatica.saliency import grad_cam

Join = Literal["channel", "branches", "multiplied", "none"]
Pool = Literal["noisy_and", "mean", "attention", "top_k"]
ONE_YEAR, THREE_YEARS = Months(12), Months(36)
KNOWN, WARM_BATCH = Binary("distinct"), 32
UNSTATED = ("side", "mpp", "rows_drawn", "nuclear", "pool", "outcome", "poor", "good", "learning_rate", "epochs")


@dataclass(frozen=True, kw_only=True)
class Settings(SlidePlan, BagPlan, NucleiSettings):
    """The abstract names the networks and the outcome; nearly all numbers are ours."""

    endpoint: str = "recurrence"  # survival endpoint that is predicted
    outcome: Literal["distinct", "all"] = "distinct"  # who is trained on: patients of distinct outcome, or all
    poor: Annotated[Months, Field(gt=0)] = ONE_YEAR  # ours: months within which a recurrence is a poor outcome
    good: Annotated[Months, Field(gt=0)] = THREE_YEARS  # ours: months without recurrence that are a good outcome
    nuclear: Join = "channel"  # ours: how the nuclear map joins the tile
    pool: Pool = "noisy_and"  # ours: how tiles become one answer
    top: PositiveInt = 10  # ours: highest tiles, of pool = top_k
    slope: PositiveFloat = 10.0  # ours: slope of Noisy-AND at the start
    concepts: PositiveInt = 8  # ours: what Noisy-AND counts the tiles of, as many kinds
    nuclei_pictures: PositiveInt = 120  # as many as the paper's nucleus map set has patients
    body: str = "mobilenetv2_100.ra_in1k"
    rows_drawn: PositiveInt | None = 32  # ours
    rows_read: PositiveInt | None = 400  # ours
    warm_epochs: NonNegativeInt = 0  # ours: passes in which single tiles are learnt first, for random weights
    warm_learning_rate: PositiveFloat = 1e-3  # ours: learning rate of these
    epochs: int = 30  # ours
    batch: int = 8  # ours
    learning_rate: float = 1e-4  # ours
    validation: float = 0.15  # ours
    patience: int | None = 8  # ours
    monitor: Literal["train_loss", "validation_loss"] = "validation_loss"  # ours
    seed: int = 2022


class Tiles(nn.Module):
    """Tiles (b, 3, h, w) in 0..1, or (b, 4, h, w) with their nuclear map, to features (b, d), by one body or two."""

    def __init__(self, body: Any, *, nuclear: Join, nuclei: UNet | None, branch: Any = None) -> None:
        super().__init__()
        self.normalise, self.body, self.nuclear, self.nuclei, self.branch = Normalise(), body, nuclear, nuclei, branch
        self.width: int = getattr(body, "num_features", 0) * (1 if branch is None else 2)

    def train(self, mode: bool = True) -> "Tiles":
        """As any module; the U-Net stays as it was trained."""
        super().train(mode)
        if self.nuclei is not None:
            self.nuclei.requires_grad_(False).eval()
        return self

    def forward(self, tiles: Tensor) -> Tensor:
        """Read a batch."""
        tiles, share = tiles[:, :3], tiles[:, 3:]
        if self.nuclei is not None and share.shape[1] == 0:
            with torch.no_grad():
                share = self.nuclei(tiles)[:, :1].sigmoid()
        seen, scaled = self.normalise(tiles * share if self.nuclear == "multiplied" else tiles), 2 * share - 1
        read = [(self.body, torch.cat([seen, scaled], dim=1) if self.nuclear == "channel" else seen)]
        read += [] if self.branch is None else [(self.branch, scaled)]
        return torch.cat([reduce(body(images), "b c h w -> b c", "mean") for body, images in read], dim=1)


def build(settings: Settings, *, pretrained: bool) -> BagNetwork:
    """The untrained network; the same from one seed."""
    nuclei, branch = None if settings.nuclear == "none" else untrained(settings), None
    torch.manual_seed(settings.seed)
    body = body_of(settings, pretrained=pretrained)
    if settings.nuclear == "channel":
        body = widened(body)
    if settings.nuclear == "branches":
        branch = body_of(settings, pretrained=pretrained, channels=1)
    tiles = Tiles(body, nuclear=settings.nuclear, nuclei=nuclei, branch=branch)
    judges: dict[str, Callable[[], nn.Module]] = {
        "noisy_and": lambda: NoisyAnd(tiles.width, outputs=1, concepts=settings.concepts, slope=settings.slope),
        "mean": lambda: Instances(tiles.width, outputs=1),
        "attention": lambda: Attention(tiles.width, outputs=1),
        "top_k": lambda: Instances(tiles.width, outputs=1, pool="top", count=settings.top),
    }
    return BagNetwork(judges[settings.pool](), embed=tiles)


def labels_of(training: Training[Settings, TileStore], fold: str) -> pd.DataFrame:
    """1 poor, 0 good, of the patients of a fold who are learnt from, by patient_id."""
    cohort, settings = training.cohort, training.settings
    endpoint = cohort.survival(settings.endpoint)
    label = endpoint.label(cohort.patients, horizon=None)
    if settings.outcome == "distinct":
        label = distinct_outcomes(cohort.patients, endpoint=endpoint, poor=settings.poor, good=settings.good).dropna()
    there = set(training.material.index["patient_id"]) & set(getattr(training.split, fold))
    return label[label.index.isin(there)].to_frame()


def train(training: Training[Settings, TileStore]) -> dict[str, Any]:
    """Fit the U-Net to outlined nuclei, then the rest to the tiles of patients of known outcome."""
    settings, network, facts = training.settings, training.network, {}
    if network.embed.nuclei is not None:
        facts = train_nuclei(training, network.embed.nuclei, mpp=settings.mpp)
    tiles = mapped(training.material, network.embed.nuclei, settings)
    known = {fold: own for fold in ("train", "validation") if len(own := labels_of(training, fold)) or fold == "train"}
    if settings.warm_epochs:
        plan = replace(settings, epochs=settings.warm_epochs, learning_rate=settings.warm_learning_rate, patience=None)
        torch.manual_seed(settings.seed)  # whatever the pool, the same warm-up
        alone = BagNetwork(Instances(network.embed.width, outputs=1), embed=network.embed)
        samples = {fold: labelled(tiles, outcome=own, task=KNOWN) for fold, own in known.items()}
        plan = replace(plan, batch=WARM_BATCH)
        fit_stage(training, "warm-up", alone, samples, plan=plan, augment=training.augment, loss=binary_loss)
    samples = {fold: bagged(tiles, outcome=own, task=KNOWN, settings=settings) for fold, own in known.items()}
    augment = in_bags(training.augment) if training.augment else None
    history = fit_stage(training, "classifier", network, samples, augment=augment, loss=binary_loss)
    counts = {f"{fold} patients": f"{len(own)}, {int(np.sum(own.labels))} poor" for fold, own in samples.items()}
    chosen = ", ".join(f"{name} = {getattr(settings, name)}" for name in UNSTATED)
    return facts | counts | {"epochs": len(history.epochs), "not stated in the abstracts, ours": chosen}


def predict(network: Any, tiles: TileStore, settings: Settings) -> Inference:
    """Log-odds of early recurrence of each patient; of a tile, how strongly it speaks for it."""
    return infer_bags(network, mapped(tiles, network.embed.nuclei, settings), settings, Survival(settings.endpoint))


def saliency(network: BagNetwork, tiles: np.ndarray) -> np.ndarray:
    """Grad-CAM of early recurrence in single tiles."""
    layer: Any = network.embed.body
    return grad_cam(network, pixels_to_images(tiles), layer=layer, target=lambda read: read.logits[:, 0])


SYSTEM = System(
    name="liu_2022_mobilenetv2_hcc_class",
    question="When will this hepatocellular carcinoma recur after resection, judged from its H&E slides?",
    paper=Paper(
        title="Deep learning for prediction of hepatocellular carcinoma recurrence after resection or liver"
        " transplantation: a discovery and validation study",
        authors="Liu Z, Liu Y, Hong Y, et al.",
        journal="Hepatology International 16:577",
        year=2022,
        doi="10.1007/s12072-022-10321-y",
        reported={"transplant": {"hazard_ratio recurrence": 3.44, "adjusted_hazard_ratio recurrence": 2.55}},
        patients="552 resected, 120 with outlined nuclei; 144 transplanted, 302 of TCGA-LIHC",
        network="nuclear U-Net, MobileNetV2",
        validation="transplanted patients; TCGA-LIHC",
        code="not released",
    ),
    task=lambda settings: Survival(settings.endpoint),
    room=SLIDES,
    settings=Settings(),
    trial={**NARROW, "rows_drawn": 6, "batch": 8, "epochs": 10, "learning_rate": 1e-3, "warm_epochs": 5}
    | {"patience": None, "monitor": "train_loss", "nuclei_pictures": 40, "nuclei_epochs": 20},
    shortest={"nuclei_pictures": 4, "nuclei_epochs": 1, "nuclei_crops": 8, "nuclei_width": 2, "warm_epochs": 0},
    adjustable=("tiles_per_specimen", "rows_read"),
    build=build,
    train=train,
    infer=predict,
    saliency=saliency,
    meaning="risk of early recurrence",
)
