"""CNN-SASM: will this resected hepatocellular carcinoma come back, judged from its H&E slides?

Stage 1: a ResNet18 whose feature map passes channel and spatial self-attention learns relapse from the tiles of
patients whose survival confirms their label (denoised recurrence labels). Stage 2: its 128 features, averaged over an
image (PPS, prognosis-relevant pathological signature), feed one small network an endpoint; a patient's risk is the mean
over his images, and the median risk of the training patients divides high from low.

Departures (the paper's text and equations are the default; `RELEASED` is what the released code does):
1. The loss takes logits. The released code gives probabilities to cross-entropy, a second softmax, which holds a
   two-class loss within 0.313 to 1.313 (`loss_on="probabilities"`).
2. Positions become tokens by a true transposition. The released code reshapes (512, 49) to (49, 512), which keeps
   0.008 % of the entries in place, so that its "positions" are scrambled (`mix="reshape"`).
3. Attention sizes follow the tile side: 49 positions and 7 heads at 224 pixels. Rotation is by quarter turns, which
   leaves no black corners. No batch is dropped at inference.
4. One locked patient split serves both stages, so that no test patient was used to select or to fit anything. The
   paper splits each subset anew, and its AUROC of 0.951 is one on denoised test patients.
5. Patients censored before a horizon are left out of its training and test; treatment is a column, not the length of
   an identifier; patients with another treatment are never trained on, all of them are set aside for prediction.
6. From random weights the network hardly learns, for both softmaxes pass on little but spatial contrast. `warm_epochs`
   first train the body alone, under average pooling on the same tiles. The paper has ImageNet weights: default 0.

Unclear:
1. Early stopping "if the loss decreases for 5 consecutive epochs" is read as: no better training loss for 5 epochs.
2. Softmax over 512 channels leaves values near 1/512, small beside the next block's output. Kept as printed;
   `gate="none"` is the paper's CNN-SelfAttn.
3. "PPS = max-pooling of SSA" has 512 values, the text says 128: it is the 128 after the first layer of the classifier.
4. The split is 7:3 in the text and 80:20 in Table 1 (293:73); Table 1 is followed. The test set of Table 3 is 57.
5. Magnification, stain target, noise and erasing strengths are not given: each number of ours is marked so below.
6. Overall survival of censored patients enters the denoising as it stands (`confidence="censoring_aware"` is ours).
7. Accuracy is at 0.5, groups at the training median; both are reported. The "final" status ignores follow-up length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from torch import nn
from torch.nn.functional import cross_entropy

from hepatica.cohort import (
    Cohort,
    MicronsPerPixel,
    Months,
    Specimen,
    Target,
    TilePixels,
    confident_patients,
    mean_by_patient,
)
from hepatica.learn import Arrays, Augment, History, Loss, Plan, Samples, as_images, augmentation, infer
from hepatica.learn.losses import cross_entropy_of_probabilities
from hepatica.networks import CnnSasm, Pooled, TwoStage, backbone, perceptron
from hepatica.networks.cnn_sasm import Gate, Mix, Modules
from hepatica.pathology.phantom import phantom_slides
from hepatica.pathology.picture import draw_slide
from hepatica.pathology.stain import StainSettings
from hepatica.pathology.store import TileStore
from hepatica.pathology.store import prepare as prepare_tiles
from hepatica.pathology.tiles import Tiling
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.saliency import grad_cam

LOSSES: dict[str, Loss] = {"logits": cross_entropy, "probabilities": cross_entropy_of_probabilities}

Share = Annotated[float, Field(ge=0, lt=1)]
Horizon = Annotated[Months, Field(gt=0)]

REDUCTION = 32
"""Pixels of a tile side to one position of a ResNet's last feature map."""


@dataclass(frozen=True, kw_only=True)
class Settings(Plan):
    """The numbers of "Data preprocessing", "Model design" and the released code; what they leave open is ours."""

    endpoint: str = "recurrence"
    survival: str = "overall_survival"
    horizons: tuple[Horizon, ...] = (Months(12), Months(24))  # the final status is always added
    untreated: str = "none"  # the value of column `treatment` of the patients to train on
    ratio: Fraction = Fraction(1, 2)
    confidence: Literal["printed", "censoring_aware"] = "printed"
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1  # ours
    test: Share = 0.2
    side: Annotated[int, Field(ge=REDUCTION, multiple_of=REDUCTION)] = 224
    mpp: PositiveFloat = 0.5  # ours: 65 tiles then fill a 1 mm core
    background: Share = 0.5
    tiles_per_specimen: PositiveInt | None = None
    stain: bool = True
    body: str = "resnet18.tv_in1k"
    body_shape: Mapping[str, Any] = field(default_factory=dict)  # timm's own words, to change the body's architecture
    weights: str = "imagenet"
    signature: PositiveInt = 128
    dropout: Share = 0.3
    mix: Mix = "transpose"
    gate: Gate = "softmax"
    modules: Modules = "both"
    loss_on: Literal["logits", "probabilities"] = "logits"
    warm_epochs: NonNegativeInt = 0  # ours; see Departures 6
    warm_learning_rate: PositiveFloat = 1e-3  # ours
    epochs: int = 50
    batch: Annotated[int, Field(ge=2)] = 128  # batch normalisation cannot learn from one
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    lr_step_epochs: int | None = 10
    patience: int | None = 5
    drop_last: bool = True
    noise: Share = 0.02  # ours, of full scale
    erase: Share = 0.1  # ours, share of tiles that lose a rectangle
    head_learning_rate: PositiveFloat = 1e-3
    head_epochs: PositiveInt = 50
    head_dropout: Share = 0.5
    seed: int = 2023

    @property
    def targets(self) -> tuple[Target, ...]:
        """Recurrence at each horizon, and at the end of follow-up."""
        return tuple(Target(endpoint=self.endpoint, horizon=each) for each in (*self.horizons, None))


def eligible(cohort: Cohort, settings: Settings) -> tuple[str, ...]:
    """Untreated patients; everybody where the cohort has no column `treatment`."""
    patients = cohort.patients
    treatment = patients.get("treatment", pd.Series(settings.untreated, index=patients.index))
    return tuple(patients.index[treatment == settings.untreated])


def prepare(specimens: Sequence[Specimen], settings: Settings, folder: Path) -> TileStore:
    """Tissue tiles on a grid without overlap, stain-normalised by Vahadane's method with one matrix a slide."""
    tiling = Tiling(
        side=TilePixels(settings.side),
        mpp=MicronsPerPixel(settings.mpp),
        background=settings.background,
        limit=settings.tiles_per_specimen,
        seed=settings.seed,
    )
    return prepare_tiles(specimens, tiling=tiling, stain=StainSettings() if settings.stain else None, folder=folder)


def build(settings: Settings, *, pretrained: bool) -> TwoStage:
    """The untrained network; the same weights from the same seed."""
    torch.manual_seed(settings.seed)
    weights = settings.weights if pretrained else "random"
    body: Any = backbone(settings.body, weights=weights, shape=settings.body_shape)
    extractor = CnnSasm(
        body,
        channels=body.num_features,
        width=settings.side // REDUCTION,
        signature=settings.signature,
        dropout=settings.dropout,
        mix=settings.mix,
        gate=settings.gate,
        modules=settings.modules,
    )
    sizes = (settings.signature, 256, 128, 2)
    heads: dict[str, nn.Module] = {
        target.key: perceptron(sizes, dropout=settings.head_dropout) for target in settings.targets
    }
    return TwoStage(extractor, heads)


def train(training: Training[Settings, TileStore]) -> dict[str, Any]:
    """Stage 1 on the tiles of the denoised subset, stage 2 on the mean signatures of all training images."""
    network, settings, split = training.network, training.settings, training.split
    denoised = {fold: denoised_tiles(training, getattr(split, fold)) for fold in ("train", "validation")}
    history = train_extractor(training, network.extractor, denoised)
    seen = training.material.select(patient_ids=[*split.train, *split.validation])
    signatures = seen.mean_by_specimen(_read(network, seen, settings)[1])
    pace: dict[str, Any] = {"epochs": settings.head_epochs, "learning_rate": settings.head_learning_rate}
    stage_2 = replace(settings, **pace, patience=None, drop_last=False)
    for target in settings.targets:
        samples = {fold: _signed(training, signatures, target, getattr(split, fold)) for fold in denoised}
        _fit(training, f"stage 2 {target.key}", network.heads[target.key], samples, stage_2)
    return {
        "denoised subset": f"{settings.ratio} of each class, {settings.confidence}",
        "denoised training tiles": len(denoised["train"]),
        "stage 1 epochs": len(history.epochs),
    }


def train_extractor(training: Training[Settings, TileStore], network: Any, samples: Mapping[str, Samples]) -> History:
    """Stage 1: fit `network`, whose convolutional part is its `body`, to the tiles of `train`, watching `validation`.

    Before it, where `warm_epochs` asks for it, the body alone. Without `validation` nothing is watched.
    """
    settings = training.settings
    augment = augmentation.compose(
        augmentation.flips(),
        augmentation.quarter_turns(),
        augmentation.noise(sd=settings.noise),
        augmentation.erase(p=settings.erase),
    )
    if settings.warm_epochs:
        warm_up = replace(settings, epochs=settings.warm_epochs, learning_rate=settings.warm_learning_rate)
        warm = Pooled(network.body, channels=network.body.num_features)
        _fit(training, "warm-up", warm, samples, warm_up, augment=augment)
    return _fit(training, "stage 1", network, samples, settings, augment=augment)


def _fit(
    training: Training[Settings, TileStore],
    stage: str,
    network: nn.Module,
    samples: Mapping[str, Samples],
    plan: Plan,
    *,
    augment: Augment | None = None,
) -> History:
    # Lightning takes seconds to import, which only training needs to pay.
    from hepatica.learn.fit import fit

    return fit(
        network,
        samples["train"],
        plan,
        folder=training.folder / stage.replace(" ", "_"),
        label=f"CNN-SASM, {stage}",
        validation=samples.get("validation"),
        augment=augment,
        loss=LOSSES[training.settings.loss_on],
        trainer=training.trainer,
    )


def denoised_tiles(training: Training[Settings, TileStore], patients: Sequence[str]) -> Samples:
    """Tiles of those of the patients whose survival confirms their final status, with that status."""
    settings, cohort = training.settings, training.cohort
    relapse = cohort.endpoint(settings.endpoint).label(cohort.patients, horizon=None)
    subset = confident_patients(
        relapse.loc[list(patients)],
        patients=cohort.patients,
        survival=cohort.survival(settings.survival),
        ratio=settings.ratio,
        variant=settings.confidence,
    )
    return training.material.labelled(relapse.loc[list(subset)])


def _signed(
    training: Training[Settings, TileStore], signatures: pd.DataFrame, target: Target, patients: Sequence[str]
) -> Samples:
    """Image signatures of the patients whose outcome at the target's horizon is known, with that outcome."""
    known = training.cohort.endpoint(target.endpoint).label(training.cohort.patients, horizon=target.horizon).dropna()
    rows = signatures[signatures.index.isin(known.index.intersection(list(patients)), level="patient_id")]
    label = known.loc[rows.index.get_level_values("patient_id")]
    return Samples(inputs=Arrays(values=rows.to_numpy(np.float32)), labels=label.to_numpy(int))


def _read(network: TwoStage, tiles: TileStore, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """Tile scores (DRS, the denoised recurrence score) and tile signatures."""
    scores, signatures = infer(
        network.extractor,
        tiles,
        batch=settings.batch,
        label="reading tiles",
        outputs=lambda read: (read.logits.softmax(1)[:, 1], read.signature),
    )
    return scores, signatures


def predict(network: TwoStage, tiles: TileStore, settings: Settings) -> Inference:
    """Risk of each image for each target, score and signature of each tile."""
    score, signature = _read(network, tiles, settings)
    images = tiles.mean_by_specimen(signature)
    rows = [
        images.index.to_frame(index=False).assign(
            endpoint=target.endpoint,
            horizon_months=np.nan if target.horizon is None else target.horizon,
            score=infer(
                network.heads[target.key],
                Arrays(values=images.to_numpy(np.float32)),
                batch=settings.batch,
                label=target.label,
                outputs=lambda logits: logits.softmax(1)[:, 1],
            ),
        )
        for target in settings.targets
    ]
    return Inference(specimens=pd.concat(rows), regions=tiles.index.assign(score=score), signatures=signature)


def saliency(network: TwoStage, images: np.ndarray) -> np.ndarray:
    """Grad-CAM of the denoised recurrence score at the last convolution, as in the paper's Figure 3A."""
    pixels, extractor = as_images(torch.from_numpy(images)), network.extractor
    return grad_cam(extractor, pixels, layer=extractor.get_submodule("body"), target=lambda read: read.logits[:, 1])


QUICK = replace(
    Settings(),
    side=128,
    mpp=1.0,
    tiles_per_specimen=6,
    weights="random",
    dropout=0.0,  # attention without dropout is computed twice as fast on a CPU
    warm_epochs=6,
    epochs=6,
    batch=16,
    learning_rate=3e-4,
    head_epochs=30,
)
"""Two minutes of training on two cores, on the demo's phantoms; for these and for tests. All ours."""

_AS_RELEASED: dict[str, Any] = {"loss_on": "probabilities", "mix": "reshape"}

SYSTEM = System(
    name="li_2025_cnn_sasm",
    question="Will this resected hepatocellular carcinoma come back within one or two years?",
    modality="slide",
    paper=Paper(
        title="Denoised recurrence label-based deep learning for prediction of postoperative recurrence risk and"
        " sorafenib response in HCC",
        authors="Li Y, Xiong J, Hu Z, et al.",
        journal="BMC Medicine 23:162",
        year=2025,
        doi="10.1186/s12916-025-03977-4",
        reported={
            "internal auroc recurrence_12": 0.818,
            "internal auroc recurrence_24": 0.811,
            "internal auroc recurrence_final": 0.709,
            "external auroc recurrence_12": 0.713,
            "external auroc recurrence_24": 0.707,
        },
    ),
    targets=Settings().targets,
    settings=Settings(),
    quick=QUICK,
    adjustable=("tiles_per_specimen",),
    shortest={"side": 64, "tiles_per_specimen": 3, "warm_epochs": 1, "epochs": 2, "head_epochs": 2},
    endpoints=lambda settings: (settings.endpoint, settings.survival),
    eligible=eligible,
    prepare=prepare,
    build=build,
    train=train,
    infer=predict,
    pool=mean_by_patient,
    saliency=saliency,
    draw=partial(draw_slide, meaning="denoised recurrence score"),
    phantom=phantom_slides,
)

RELEASED = replace(
    SYSTEM,
    name="li_2025_cnn_sasm_released",
    settings=replace(Settings(), **_AS_RELEASED),
    quick=replace(QUICK, **_AS_RELEASED),
)
"""What the authors' released code computes: two softmaxes and a reshape; see Departures 1 and 2."""
