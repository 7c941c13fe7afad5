"""TRS: how long will this patient live after resection of hepatocellular carcinoma, judged from H&E slides?

A ResNet18 with a conditional random field over each patch and its eight neighbours maps the tumour. From within it 16
patches of a patient are read by a ResNet50 to its third stage. The highest value of each feature at each place over the
patches, averaged over places, gives the tumour risk score (TRS) by one linear unit, trained by Cox's likelihood.

Departures (the released code is the default where it runs):
1. The released network lacks its last stage but has a linear unit 2,048 wide, so that it cannot run; the code of its
   activation maps has 1,024, as the third stage gives and as it is here.
2. Released `best.ckpt` is that of the last epoch, since the best loss is never updated; here the weights of the lowest
   validation loss are kept. There, a loop that removes items from its own list skips files.
3. Groups are split there by the mean of the set that is tested; here by the median of the training patients.
4. The 24 and 21 patients whom the code leaves out without a reason stay. Blank patches are those with little tissue.
5. Learning rates fall in equal steps; DropBlock is timm's, in blocks of 5 and without a ramp. Stains are normalised;
   hue and saturation are not jittered, nor crops of 224 pixels cut. Grids are drawn once, and not turned.

Unclear:
1. Which slides were outlined (here of training patients), and what share of a patch has to be tumour (`mixed`).
2. A slide without a block of tumour gives its likeliest patches (ours).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from einops import einsum
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Survival
from hepatica.learn import Samples, Share, compose, cox_loss, in_bags, infer, jitter, pixels_to_images
from hepatica.networks import BagNetwork, BagReading, GridCrf, GridNetwork, Normalise, Pooled, SideBySide, masked_max
from hepatica.pathology.neighbours import Grids, centre_by_field, neighbours, outlined_tumour
from hepatica.pathology.room import SLIDES, SlidePlan
from hepatica.pathology.store import TileStore
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.bags import BagPlan, infer_bags, train_bags
from hepatica.protocol.plain import UNKNOWN, binary_loss, body_of, fit_stage
from hepatica.saliency.grad_cam import relative


@dataclass(frozen=True, kw_only=True)
class Settings(SlidePlan, BagPlan):
    """The numbers of the released code; what it leaves open is ours."""

    endpoint: str = "overall_survival"  # survival endpoint that is predicted
    side: Annotated[int, Field(ge=32)] = 256
    mpp: PositiveFloat = 0.25  # micrometres per pixel; the paper has networks at 0.25, 1 and 2.5
    stain: bool = True  # ours
    jitter: Mapping[str, Share] = field(default_factory=lambda: {"brightness": 0.25, "contrast": 0.75})
    """Largest changes of brightness and contrast in augmentation, as fractions."""
    tumour: tuple[str, ...] = ("Tumor",)  # classes of the outlines that are tumour
    mixed: tuple[float, float] = (0.05, 0.5)  # ours: shares of tumour between which a patch teaches nothing
    grids: PositiveInt = 9000  # grids that the tumour network learns from, of tumour and of other tissue, each at most
    tumour_body: str = "resnet18.tv_in1k"  # convolutional body of the tumour network
    tumour_epochs: PositiveInt = 20  # epochs of the tumour network
    tumour_batch: PositiveInt = 36  # grids per step of the tumour network
    tumour_learning_rate: PositiveFloat = 1e-4  # learning rate of the tumour network
    block: Annotated[int, Field(ge=1)] = 5  # patches a side of the square that has to be tumour, an odd number
    most: PositiveInt = 150  # patches of a slide that are kept
    body: str = "resnet50.tv_in1k"
    drop_block: Annotated[float, Field(ge=0, lt=1)] = 0.1  # a quarter of it in the third stage, as in timm
    rows_drawn: PositiveInt | None = 16
    rows_read: PositiveInt | None = 16
    epochs: int = 100  # ours
    batch: int = 25
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 1e-4
    warmup_epochs: int = 5
    lr_step_epochs: int | None = 40
    monitor: Any = "validation_loss"
    seed: int = 2021


class Highest(nn.Module):
    """Feature maps (b, n, c, y, x) of bags to their risk: the highest of a bag at each place, the mean, one unit."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.classify = nn.Linear(channels, 1)

    def forward(self, maps: Tensor, mask: Tensor) -> BagReading:
        """Judge bags; a patch's own score is by its own maps."""
        signature = masked_max(maps, mask).mean(dim=(2, 3))
        own = self.classify(maps.mean(dim=(3, 4)))[..., 0].sigmoid() * mask
        return BagReading(self.classify(signature), signature, own)


def build(settings: Settings, *, pretrained: bool) -> SideBySide:
    """The untrained tumour and risk networks; the same from one seed."""
    torch.manual_seed(settings.seed)
    small = body_of(replace(settings, body=settings.tumour_body), pretrained=pretrained)
    alone = Pooled(small, channels=small.num_features, classes=1)
    alone.normalise = Normalise((0.5,) * 3, (0.5,) * 3)
    shape = {"drop_block_rate": settings.drop_block, **settings.body_shape}
    body = body_of(replace(settings, body_shape=shape), pretrained=pretrained)
    channels = int(body.feature_info[-2]["num_chs"])
    body.layer4 = nn.Identity()
    embed = nn.Sequential(Normalise((0.5,) * 3, (0.5,) * 3), body)
    return SideBySide({"tumour": GridNetwork(alone, GridCrf()), "risk": BagNetwork(Highest(channels), embed=embed)})


def train(training: Training[Settings, TileStore]) -> dict[str, Any]:
    """The tumour network on grids around outlined patches, then the risk network on patches from within the tumour."""
    settings, parts, folds = training.settings, training.network.parts, ("train", "validation")
    labels = outlined_tumour(training, classes=settings.tumour, mixed=settings.mixed)
    every = {fold: outlined_grids(training, labels, getattr(training.split, fold)) for fold in folds}
    grids = {fold: own for fold, own in every.items() if len(own)}
    plan = replace(
        settings, epochs=settings.tumour_epochs, batch=settings.tumour_batch, optimizer="sgd", patience=None,
        learning_rate=settings.tumour_learning_rate, lr_step_epochs=settings.tumour_epochs, warmup_epochs=0,
    )  # fmt: skip
    colours = jitter(**settings.jitter)
    fit_stage(training, "tumour", parts["tumour"], grids, plan=plan, augment=in_bags(colours), loss=binary_loss)
    seen = training.material.select(patient_ids=[each for fold in folds for each in getattr(training.split, fold)])
    inside = tumour_patches(parts["tumour"], seen, settings)
    inner = replace(training, material=inside, augment=compose(*filter(None, [training.augment]), colours))
    record = train_bags(inner, network=parts["risk"], loss=partial(cox_loss, ties="efron"))
    return {"outlined training grids": len(grids["train"]), "tumour patches": len(inside), **record}


def outlined_grids(training: Training[Settings, TileStore], labels: np.ndarray, patients: Any) -> Samples:
    """Grids around outlined patches of these patients with the label of each of nine patches, UNKNOWN for many."""
    index, rng = training.material.index, np.random.default_rng(training.settings.seed)
    own = index["patient_id"].isin(patients).to_numpy()
    kinds = [np.flatnonzero(own & (labels == kind)) for kind in (0, 1)]
    centres = np.concatenate([rng.permutation(kind)[: training.settings.grids] for kind in kinds])
    grids = Grids(tiles=training.material, centres=np.sort(centres))
    return Samples(inputs=grids, labels=np.where(grids.members >= 0, labels[grids.members], UNKNOWN).astype(np.float32))


def tumour_patches(network: Any, tiles: TileStore, settings: Settings) -> TileStore:
    """Patches, at most `most` of a slide, with tumour all around, or where a slide has none those most within it."""
    how: Any = {"batch": settings.batch, "label": "finding tumour"}
    own, features = infer(network.alone, tiles, outputs=lambda read: (read.logits[:, 0], read.signature), **how)
    probability = np.append(centre_by_field(network.crf, tiles.index, own, features), 0)  # absent: not tumour
    around = probability[neighbours(tiles.index, reach=settings.block // 2)]
    depth = pd.Series((around >= 0.5).all(axis=1) + around.mean(axis=1))
    rank = depth.groupby(tiles.index["specimen_id"]).rank(ascending=False, method="first")
    enough = (rank <= settings.most) & (depth >= 1)
    fallback = ~enough.groupby(tiles.index["specimen_id"]).transform("any") & (rank <= (settings.rows_read or 1))
    return tiles.rows((enough | fallback).to_numpy())


def predict(network: SideBySide, tiles: TileStore, settings: Settings) -> Inference:
    """TRS of each patient, and of each patch read the score that it alone would have."""
    inside = tumour_patches(network.parts["tumour"], tiles, settings)
    return infer_bags(network.parts["risk"], inside, settings, SYSTEM.tasks(settings)[0])


def saliency(network: SideBySide, images: np.ndarray) -> np.ndarray:
    """Where the features that raise the risk are: the paper's risk activation map."""
    pixels, risk = pixels_to_images(images), network.parts["risk"]
    with torch.inference_mode():
        maps = risk.get_submodule("embed")(pixels)
    weight = risk.get_parameter("judge.classify.weight").detach()
    return relative(einsum(weight[0], maps, "c, b c y x -> b y x"), size=pixels.shape[-2:])


QUICK: dict[str, Any] = {
    "body": "resnet18.tv_in1k", "body_shape": {"channels": [16, 32, 64, 128]}, "side": 64, "tiles_per_specimen": None,
    "grids": 200, "tumour_epochs": 4, "tumour_learning_rate": 0.03, "block": 3, "most": 30, "drop_block": 0.0,
    "epochs": 30, "warmup_epochs": 2, "learning_rate": 1e-3, "batch": 25, "validation": 0.15, "monitor": "train_loss",
}  # fmt: skip
SHORTEST = {"tiles_per_specimen": None, "grids": 12, "tumour_epochs": 1, "warmup_epochs": 0, "stain": False, "most": 6}
SYSTEM = System(
    name="shi_2021",
    question="How long will this patient live after resection of hepatocellular carcinoma?",
    paper=Paper(
        title="Exploring prognostic indicators in the pathological images of hepatocellular carcinoma based on deep"
        " learning",
        authors="Shi JY, Wang X, Ding GY, et al.",
        journal="Gut 70(5):951",
        year=2021,
        doi="10.1136/gutjnl-2020-320930",
        reported={"external": {"log_rank_p overall_survival": 3e-4}},
        patients="1,125 (2,451 slides); 320 of TCGA-LIHC",
        network="ResNet18 with a CRF; ResNet50",
        validation="TCGA-LIHC",
        code="released, does not run",
    ),
    task=lambda settings: Survival(settings.endpoint),
    room=SLIDES,
    settings=Settings(),
    trial=QUICK,
    shortest=SHORTEST,
    adjustable=("tiles_per_specimen", "rows_read"),
    build=build,
    train=train,
    infer=predict,
    saliency=saliency,
    parts=lambda network: network.parts,
    meaning="hazard of death, relative",
)
