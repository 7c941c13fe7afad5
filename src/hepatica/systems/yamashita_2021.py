"""HCC-SurvNet: when will hepatocellular carcinoma come back after resection, judged from its H&E slides?

A small network learns from outlined slides which tiles are tumour. Of each patient the 100 tiles most surely tumour are
read by a MobileNetV2 with one output, trained on tiles by Cox's partial likelihood; a patient's risk is their mean.

Departures:
1. Tiles are cut at the resolution at which the network reads them: 299 pixels of 256 µm. The released code cuts 1,024
   pixels at 40x and reduces them; slides of other magnifications are read here, too.
2. Risk sets hold each patient once for each of their tiles in a batch, as in the code. A batch without an event counts
   nothing there and divides by 0; here its loss is 0.
3. Adam is used instead of AdamW. The weights kept of the tumour network have the lowest loss, not the best accuracy.
4. Stains are normalised by Vahadane's method without its authors' standardised luminosity. Of the colour jitter, hue
   and saturation are left as they are.
5. The groups are those above and below the median risk of the training patients.

Unclear:
1. The tumour tiles of the paper are of other patients than those whose survival is predicted; here annotated slides
   of the training patients serve, and those of test patients are not looked at.
2. What share of a tile has to be tumour; tiles between the two of `mixed` are left out, as the code leaves out its
   class of mixed tiles.
3. Whether the risk network's images are normalised by the mean of ImageNet (here) or by 0.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from pydantic import Field, PositiveFloat, PositiveInt
from scipy.special import expit
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hepatica.clinical.comparators import published
from hepatica.cohort import Survival
from hepatica.learn import Samples, Share, compose, infer, jitter, pixels_to_images
from hepatica.networks import Normalise, Pooled, SideBySide
from hepatica.pathology.neighbours import outlined_tumour
from hepatica.pathology.room import SLIDES, SlidePlan
from hepatica.pathology.store import TileStore
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.plain import UNKNOWN, body_of, fit_stage, grad_cam_of_body, scored, train_plainly


@dataclass(frozen=True, kw_only=True)
class Settings(SlidePlan):
    """The numbers of the paper and of its released code; what they leave open is ours."""

    endpoint: str = "recurrence"  # survival endpoint that is predicted; the paper's is the progression-free interval
    side: Annotated[int, Field(ge=64)] = 299
    mpp: PositiveFloat = 256 / 299  # micrometres per pixel: a tile of 256 µm
    background: Annotated[float, Field(ge=0, lt=1)] = 0.2
    tumour: tuple[str, ...] = ("Tumor",)  # classes of the outlines that are tumour
    mixed: tuple[float, float] = (0.05, 0.5)  # ours: shares of tumour between which a tile teaches nothing
    jitter: Mapping[str, Share] = field(default_factory=lambda: {"brightness": 0.25, "contrast": 0.25})
    """Largest changes of brightness and contrast in augmentation, as fractions."""
    tiles_read: PositiveInt = 100  # tiles of each patient whose risk is read
    tumour_epochs: PositiveInt = 25  # epochs of the tumour network
    tumour_batch: PositiveInt = 32  # tiles per step of the tumour network
    tumour_betas: tuple[float, float] = (0.5, 0.999)  # Adam's decay rates for the tumour network
    tumour_step: PositiveInt = 7  # epochs between steps of the tumour network's learning rate
    tumour_dropout: Share = 0.1  # after each convolution of the tumour network
    body: str = "mobilenetv2_100.ra_in1k"
    dropout: Share = 0.7  # before the risk
    epochs: int = 30
    batch: int = 80
    learning_rate: float = 1e-3
    patience: int | None = 5
    monitor: Any = "validation_loss"
    validation: Annotated[float, Field(gt=0, lt=1)] = 54 / 360
    test: Share = 54 / 360
    seed: int = 123456


class TumourNet(nn.Module):
    """Images (b, 3, side, side) in 0..1 to two logits, by six convolutions, each normalised and with dropout."""

    def __init__(self, side: int, *, dropout: float) -> None:
        super().__init__()
        left = (side - 3) // 2 + 1 - 2
        layers: list[nn.Module] = [Normalise((0.5,) * 3, (0.5,) * 3)]
        for wide, narrow, pooled in ((3, 16, 0), (16, 32, 0), (32, 64, 1), (64, 64, 1), (64, 128, 1), (128, 64, 1)):
            convolution = nn.Conv2d(wide, narrow, 5, 2, 1) if wide == 3 else nn.Conv2d(wide, narrow, 3, padding=pooled)
            nn.init.xavier_uniform_(convolution.weight)
            norm = nn.BatchNorm2d(narrow, eps=0.001)
            nn.init.normal_(norm.weight, -0.1, 0.1)  # as in the released code
            pool = [nn.MaxPool2d(2)] if pooled else []
            layers += [convolution, *pool, nn.LeakyReLU(0.01), norm, nn.Dropout(dropout)]
            left //= 2 if pooled else 1
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * left**2, 2))

    def forward(self, images: Tensor) -> Tensor:
        """Classify a batch."""
        logits: Tensor = self.layers(images)
        return logits


def build(settings: Settings, *, pretrained: bool) -> SideBySide:
    """Both untrained networks; the same from one seed."""
    torch.manual_seed(settings.seed)
    body = body_of(settings, pretrained=pretrained)
    risk = Pooled(body, channels=body.num_features, classes=1)
    risk.classify = nn.Sequential(nn.Dropout(settings.dropout), risk.classify)  # type: ignore[assignment]
    return SideBySide({"tumour": TumourNet(settings.side, dropout=settings.tumour_dropout), "risk": risk})


def train(training: Training[Settings, TileStore]) -> dict[str, Any]:
    """The tumour network on outlined tiles, then the risk network on the likeliest tumour tiles of each patient."""
    settings, parts, material = training.settings, training.network.parts, training.material
    augment = compose(*filter(None, [training.augment]), jitter(**settings.jitter))
    labels = outlined_tumour(training, classes=settings.tumour, mixed=settings.mixed)
    folds = {name: list(getattr(training.split, name)) for name in ("train", "validation")}
    known = {name: material.index["patient_id"].isin(own) & (labels != UNKNOWN) for name, own in folds.items()}
    outlined = {
        name: Samples(inputs=material.rows(own.to_numpy()), labels=labels[own])
        for name, own in known.items()
        if own.any()
    }
    plan = replace(
        settings, epochs=settings.tumour_epochs, batch=settings.tumour_batch, betas=settings.tumour_betas,
        lr_step_epochs=settings.tumour_step, patience=None, drop_last=True,
    )  # fmt: skip
    fit_stage(training, "tumour", parts["tumour"], outlined, plan=plan, augment=augment, loss=cross_entropy)
    chosen, _ = tumour_tiles(
        parts["tumour"], material.select(patient_ids=[*folds["train"], *folds["validation"]]), settings
    )
    record = train_plainly(replace(training, network=parts["risk"], material=chosen, augment=augment))
    return {
        "outlined training tiles": len(outlined["train"]),
        "of these tumour": int(outlined["train"].labels.sum()),
        "tiles of the risk": len(chosen),
        **record,
    }


def tumour_tiles(network: nn.Module, tiles: TileStore, settings: Settings) -> tuple[TileStore, np.ndarray]:
    """The `tiles_read` likeliest tumour tiles of each patient, with their probabilities."""
    probability = infer(
        network, tiles, batch=settings.batch, label="finding tumour", outputs=lambda logits: logits.softmax(1)[:, 1]
    )
    rank = pd.Series(probability).groupby(tiles.index["patient_id"]).rank(ascending=False, method="first")
    chosen = (rank <= settings.tiles_read).to_numpy()
    return tiles.rows(chosen), probability[chosen]


def predict(network: SideBySide, tiles: TileStore, settings: Settings) -> Inference:
    """Each patient's mean risk, for all of their slides, and the risk of each tile that was read."""
    chosen, tumour = tumour_tiles(network.parts["tumour"], tiles, settings)
    risk, signature = infer(
        network.parts["risk"], chosen, batch=settings.batch, label="reading", outputs=lambda read: (*read,)
    )
    regions = chosen.index.assign(score=expit(risk[:, 0]), tumour=tumour)
    mean = pd.Series(risk[:, 0]).groupby(chosen.index["patient_id"]).mean()
    owner = tiles.index.drop_duplicates("specimen_id")[["patient_id", "specimen_id"]].reset_index(drop=True)
    score = mean.loc[owner["patient_id"]].to_numpy()[:, None]
    return Inference(
        specimens=scored(owner, score, task=SYSTEM.tasks(settings)[0]), regions=regions, signatures=signature
    )


QUICK: dict[str, Any] = {
    "body": "resnet18.tv_in1k", "body_shape": {"channels": [16, 32, 64, 128]}, "dropout": 0.2, "epochs": 25,
    "batch": 32, "learning_rate": 1e-3, "patience": None, "monitor": "train_loss", "tumour_epochs": 4, "tiles_read": 12,
}  # fmt: skip

SYSTEM = System(
    name="yamashita_2021",
    question="When will hepatocellular carcinoma come back after resection?",
    paper=Paper(
        title="Deep learning predicts postsurgical recurrence of hepatocellular carcinoma from digital histopathologic"
        " images",
        authors="Yamashita R, Long J, Saleem A, Rubin DL, Shen J.",
        journal="Scientific Reports 11:2047",
        year=2021,
        doi="10.1038/s41598-021-81506-y",
        reported={"internal": {"c_index recurrence": 0.724}, "external": {"c_index recurrence": 0.683}},
        patients="360 slides of TCGA-LIHC; 198 of Stanford",
        network="small CNN for the tumour; MobileNetV2",
        validation="held-out patients; another hospital",
        code="released",
    ),
    task=lambda settings: Survival(settings.endpoint),
    room=SLIDES,
    settings=Settings(),
    trial=QUICK,
    shortest={"tumour_epochs": 1, "background": 0.5, "mixed": (0.45, 0.5)},
    adjustable=("tiles_per_specimen", "tiles_read"),
    build=build,
    train=train,
    infer=predict,
    comparators=published("ajcc_8"),
    saliency=lambda network, images: partial(grad_cam_of_body, read=pixels_to_images)(network.parts["risk"], images),
    parts=lambda network: network.parts,
    meaning="hazard of recurrence, relative",
)
