"""CNN-SASM: will this resected hepatocellular carcinoma recur, judged from its H&E slides?

Stage 1: a ResNet18 whose feature map passes channel and spatial self-attention learns relapse from the tiles of
patients whose survival confirms their label (denoised recurrence labels). Stage 2: its 128 features, averaged over an
image (PPS, prognosis-relevant pathological signature), are the input of one small network per endpoint. A patient's
risk is the mean over their images, and the median risk of the training patients separates high from low risk.

Departures (the paper's text and equations are the default; `RELEASED` is what the released code does):
1. The loss takes logits. The released code passes probabilities to cross-entropy, a second softmax, which confines a
   two-class loss to 0.313 to 1.313 (`loss_on="probabilities"`).
2. Positions become tokens by a true transposition. The released code reshapes (512, 49) to (49, 512), which keeps
   0.008 % of the entries in place, so that its "positions" are scrambled (`mix="reshape"`).
3. Attention sizes follow the tile side: 49 positions and 7 heads at 224 pixels. Rotation is by quarter turns, which
   leaves no black corners. No batch is dropped at inference.
4. One locked patient split serves both stages, so that no test patient is used to select or fit anything. The paper
   splits each subset anew, and its AUROC of 0.951 was measured on denoised test patients.
5. Patients censored before a horizon are excluded from its training and test; treatment is a column, not the length of
   an identifier; patients with another treatment are excluded from training and set aside for prediction.
6. From random weights the network hardly learns, because both softmaxes transmit little but spatial contrast. The first
   `warm_epochs` train the body alone, with average pooling. The paper starts from ImageNet weights: default 0.

Unclear:
1. Early stopping "if the loss decreases for 5 consecutive epochs" is read as: no lower training loss for 5 epochs.
2. Softmax over 512 channels gives values near 1/512, small compared with the next block's output. Kept as printed;
   `gate="none"` is the paper's CNN-SelfAttn.
3. "PPS = max-pooling of SSA" has 512 values, the text says 128: here the 128 after the first layer of the classifier.
4. The split is 7:3 in the text and 80:20 in Table 1 (293:73); Table 1 is followed. The test set of Table 3 is 57.
5. Magnification, stain target, noise and erasing strengths are not given: our values are marked as ours below.
6. Overall survival of censored patients enters the denoising as recorded (`confidence="censoring_aware"` is ours).
7. Accuracy is at 0.5, groups at the training median; both are reported. The "final" status ignores follow-up length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from torch.nn.functional import cross_entropy

from hepatica.cohort import Binary, Months, confident_patients
from hepatica.learn import History, Loss, Samples, Share, cross_entropy_of_probabilities
from hepatica.networks import CnnSasm, TwoStage, perceptron
from hepatica.networks.cnn_sasm import Gate, Mix, Modules
from hepatica.pathology.room import SLIDES, SlidePlan
from hepatica.pathology.store import TileStore
from hepatica.protocol import Paper, System, Training
from hepatica.protocol.plain import body_of, fit_stage, labelled, warm_up
from hepatica.protocol.two_stage import infer_two_stage, train_heads

LOSSES: dict[str, Loss] = {"logits": cross_entropy, "probabilities": cross_entropy_of_probabilities}

REDUCTION = 32
"""Pixels of a tile side to one position of a ResNet's last feature map."""


@dataclass(frozen=True, kw_only=True)
class Settings(SlidePlan):
    """The numbers of "Data preprocessing", "Model design" and the released code; what they leave open is ours."""

    endpoint: str = "recurrence"  # survival endpoint that is predicted
    survival: str = "overall_survival"  # survival endpoint that confirms recurrence labels
    horizons: tuple[Annotated[Months, Field(gt=0)], ...] = (Months(12), Months(24))
    """Months at which recurrence is predicted; the final status is always added."""
    untreated: str = "none"  # the value of column `treatment` of the patients to train on
    ratio: Fraction = Fraction(1, 2)  # share of each class in the denoised subset
    confidence: Literal["printed", "censoring_aware"] = "printed"  # rank by survival as it is, or as expected
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1  # ours
    side: Annotated[int, Field(ge=REDUCTION, multiple_of=REDUCTION)] = 224  # pixels, of 0.5 µm (ours)
    signature: PositiveInt = 128  # length of the signature (PPS)
    dropout: Share = 0.3  # of attention and classifier
    mix: Mix = "transpose"  # how channels become tokens; see Departures 2
    gate: Gate = "softmax"  # over the channels; see Unclear 2
    modules: Modules = "both"  # channel attention, spatial attention, or both
    loss_on: Literal["logits", "probabilities"] = "logits"  # see Departures 1
    warm_epochs: NonNegativeInt = 0  # ours; see Departures 6
    warm_learning_rate: PositiveFloat = 1e-3  # ours: learning rate of the warm-up
    epochs: int = 50
    batch: Annotated[int, Field(ge=2)] = 128  # batch normalisation cannot learn from one
    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    lr_step_epochs: int | None = 10
    patience: int | None = 5
    drop_last: bool = True
    noise: Share = 0.02  # ours
    erase: Share = 0.1  # ours
    head_learning_rate: PositiveFloat = 1e-3  # of stage 2
    head_epochs: PositiveInt = 50  # of stage 2
    head_dropout: Share = 0.5  # of stage 2
    seed: int = 2023


def task(settings: Settings) -> Binary:
    """Recurrence at each horizon, and at the end of follow-up."""
    return Binary(settings.endpoint, horizons=(*settings.horizons, None))


def build(settings: Settings, *, pretrained: bool) -> TwoStage:
    """The untrained network; the same weights from the same seed."""
    torch.manual_seed(settings.seed)
    body = body_of(settings, pretrained=pretrained)
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
    heads = {each.key: perceptron(sizes, dropout=settings.head_dropout) for each in task(settings).targets}
    return TwoStage(extractor, heads)


def train(training: Training[Settings, TileStore]) -> dict[str, Any]:
    """Stage 1 on the tiles of the denoised subset, stage 2 on the mean signatures of all training images."""
    settings, split = training.settings, training.split
    denoised = {fold: denoised_tiles(training, getattr(split, fold)) for fold in ("train", "validation")}
    history = train_extractor(training, training.network.extractor, denoised)
    pace: dict[str, Any] = {"epochs": settings.head_epochs, "learning_rate": settings.head_learning_rate}
    plan = replace(settings, **pace, patience=None, drop_last=False)
    train_heads(training, targets=task(settings).targets, plan=plan, loss=LOSSES[settings.loss_on])
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
    common: dict[str, Any] = {"augment": training.augment, "loss": LOSSES[settings.loss_on]}
    if settings.warm_epochs:
        plan = replace(settings, epochs=settings.warm_epochs, learning_rate=settings.warm_learning_rate)
        warm_up(training, network, samples, plan=plan, **common)
    return fit_stage(training, "stage 1", network, samples, **common)


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
    return labelled(training.material, outcome=relapse.loc[list(subset)].to_frame(), task=training.task)


SYSTEM = System(
    name="li_2025_cnn_sasm",
    question="Will this resected hepatocellular carcinoma recur within one or two years?",
    paper=Paper(
        title="Denoised recurrence label-based deep learning for prediction of postoperative recurrence risk and"
        " sorafenib response in HCC",
        authors="Li Y, Xiong J, Hu Z, et al.",
        journal="BMC Medicine 23:162",
        year=2025,
        doi="10.1186/s12916-025-03977-4",
        reported={
            "internal": {"auroc recurrence_12": 0.818, "auroc recurrence_24": 0.811, "auroc recurrence_final": 0.709},
            "external": {"auroc recurrence_12": 0.713, "auroc recurrence_24": 0.707},
        },
        patients="366 (724 images); 78 of TCGA-LIHC",
        network="ResNet18 with channel and spatial self-attention",
        validation="held-out patients; TCGA-LIHC",
        code="released, incomplete",
    ),
    task=task,
    room=SLIDES,
    settings=Settings(),
    trial={"dropout": 0.0, "warm_epochs": 6, "head_epochs": 30},  # no dropout: attention is then twice as fast
    shortest={"warm_epochs": 1, "head_epochs": 2, "body_shape": {"channels": [16, 32, 64, 128], "stem_width": 16}},
    adjustable=("tiles_per_specimen",),
    build=build,
    train=train,
    infer=lambda network, tiles, settings: infer_two_stage(
        network, tiles, targets=task(settings).targets, batch=settings.batch
    ),
    eligible=lambda cohort, settings: cohort.having("treatment", value=settings.untreated),
    endpoints=lambda settings: (settings.survival,),
    meaning="denoised recurrence score",
)

RELEASED = replace(
    SYSTEM,
    name="li_2025_cnn_sasm_released",
    settings=replace(Settings(), loss_on="probabilities", mix="reshape"),
)
"""What the authors' released code computes: two softmaxes and a reshape; see Departures 1 and 2."""
