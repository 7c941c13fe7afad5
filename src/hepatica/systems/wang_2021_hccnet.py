"""HCCNet: does this patient have hepatocellular carcinoma, judged from every axial slice of their liver CT?

NoduleNet, a ResNet34, learns from slices that experts marked to say whether a slice shows a nodule. It then labels the
slices of patients with hepatocellular carcinoma (weak labels), and HCCNet, another ResNet34, learns to tell these from
the slices of all other patients, in any contrast phase. A patient's HCC risk score weights -log10(1 - p) of all of
their slices by p. Saliency maps of NoduleNet are computed by SMOE.

Departures:
1. The epoch with the lowest loss on patients held out for tuning is kept; the paper monitors a random set of images,
   does not say of which patients, and names no epoch.
2. Slices are windowed when they are read and have three equal channels; the paper wrote JPEG files, window not stated.
3. Where experts marked the slices of a patient with carcinoma, their marks replace those of NoduleNet (ours).
4. The cut-off balances sensitivity and specificity in the patients of training and tuning and is fixed there; the
   paper does not state its own, and its Figure 4 mentions a "balanced performance" setting.
5. The predictions table contains 1 - 10^-score, between 0 and 1 and in the same order; reports show the score itself.
6. Low-quality images were removed by hand in the paper; here only damaged slices are excluded.
7. The score of a patient with several studies is the mean (ours; the paper has one study per patient).
8. The liver's extent comes from a mask if there is one and is otherwise estimated; the paper cropped by hand.

Unclear:
1. The printed score divides twice, by the sum of the weights and by n (`variant="as_printed"`), which cannot give the
   reported scores; the "weighted mean" of the text is `weighted_mean`, the default. See radiology/risk_score.py.
2. Slices without nodule of patients with carcinoma are discarded in one paragraph, negative in another: `nodule_free`.
3. "Its results are directly integrated into HCCNet" may mean the labels alone, or the reading of new patients too:
   `gate` "none" (default) takes all slices, "hard" those that NoduleNet flags, "soft" multiplies both probabilities.
4. Warm-up, weight decay, smoothing, mixup, crops and image size are not given: ours follow the published recipe of
   GluonCV, which the authors name (He T, et al., arXiv 1812.01187); angles, perspective and jitter are our choice.
5. A "nodule" is any in one sentence and carcinoma in another: here whatever the experts marked, in any patient.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from scipy.special import expit, logit
from torch import nn

from hepatica.cohort import Binary
from hepatica.learn import Samples, Share, infer, pixels_to_images, smoothed_cross_entropy
from hepatica.networks import Pooled, SideBySide
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.plain import body_of, fit_stage, log_odds, require_both
from hepatica.radiology.results.deliver import deliver_study
from hepatica.radiology.risk_score import Gate, Variant, score_studies
from hepatica.radiology.room import CT, SlicePlan
from hepatica.radiology.slices import SliceStore
from hepatica.saliency import RESNET_LAYERS, smoe

READ_AT_ONCE = 32
"""Slices that a network reads at once, whatever its training batch (ours)."""


@dataclass(frozen=True, kw_only=True)
class Settings(SlicePlan):
    """The numbers of "AI model development" and "Calculation of HCC risk score"; what they leave open is ours.

    Side, window and the share of test patients are ours too; the paper's internal test set is of other months.
    """

    endpoint: str = "hcc"  # label that is predicted
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1  # ours
    body: str = "resnet34.tv_in1k"  # convolutional body of both networks, by its name in timm
    nodule_free: Literal["discard", "negative"] = "discard"  # slices of HCC patients without nodule; see Unclear 2
    nodule_probability: Annotated[float, Field(gt=0, lt=1)] = 0.5  # ours: NoduleNet flags a slice from here on
    gate: Gate = "none"  # which slices enter the score; see Unclear 3
    variant: Variant = "weighted_mean"  # of the risk score; see Unclear 1
    smoothing: Share = 0.1  # ours: label smoothing
    least_crop: Annotated[float, Field(gt=0, le=1)] = 0.08  # ours
    degrees: Annotated[float, Field(ge=0, le=180)] = 10.0  # ours
    distortion: Annotated[float, Field(ge=0, le=0.6)] = 0.2  # ours
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.2  # ours
    epochs: int = 120
    batch: Annotated[int, Field(ge=2)] = 256
    learning_rate: float = 0.2
    learning_rate_batch: int | None = 256
    optimizer: Literal["adam", "sgd"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-4  # ours
    schedule: Literal["steps", "cosine"] = "cosine"
    warmup_epochs: int = 5  # ours
    mixup: float = 0.2  # ours
    monitor: Literal["train_loss", "validation_loss"] = "validation_loss"
    seed: int = 2021


def build(settings: Settings, *, pretrained: bool) -> SideBySide:
    """Both untrained networks, their bodies of the same pretrained weights or drawn anew; the same from one seed."""
    torch.manual_seed(settings.seed)
    bodies = [body_of(settings, pretrained=pretrained) for _ in range(2)]
    nodule, hcc = (Pooled(body, channels=body.num_features) for body in bodies)
    return SideBySide({"nodule": nodule, "hcc": hcc})


def train(training: Training[Settings, SliceStore]) -> dict[str, Any]:
    """NoduleNet on the slices that experts marked, then HCCNet on weak labels."""
    parts, settings, split = training.network.parts, training.settings, training.split
    folds = {"train": split.train, "validation": split.validation}
    slices = {fold: training.material.select(patient_ids=patients) for fold, patients in folds.items()}
    marked = {fold: own.rows(own.index["nodule"].notna().to_numpy()) for fold, own in slices.items()}
    common: dict[str, Any] = {"augment": training.augment, "loss": smoothed_cross_entropy(settings.smoothing)}
    lost = training.material.failures["error"]
    hint = f"fill the column nodule_mask for more patients; {len(lost)} studies not read{': ' if len(lost) else ''}"
    hint += "".join(lost[:1])
    require_both(marked["train"].index["nodule"].to_numpy(int), of="NoduleNet", hint=hint)
    watched = {fold: own for fold, own in marked.items() if len(own)}  # few experts may have seen no tuning patient
    seen = {fold: Samples(inputs=own, labels=own.index["nodule"].to_numpy(int)) for fold, own in watched.items()}
    fit_stage(training, "NoduleNet", parts["nodule"], seen, **common)
    label = training.cohort.label(training.task.targets[0])
    weak = {fold: weakly_labelled(parts["nodule"], own, label, settings) for fold, own in slices.items()}
    require_both(weak["train"].labels, of="HCCNet", hint=hint)
    fit_stage(training, "HCCNet", parts["hcc"], weak, **common)
    return {
        "slices marked by experts": len(seen["train"]),
        "of these with a nodule": int(seen["train"].labels.sum()),
        "slices NoduleNet was watched on": len(marked["validation"]),
        "training slices of HCCNet": len(weak["train"]),
        "of these called carcinoma": int(weak["train"].labels.sum()),
    }


def weakly_labelled(nodule_net: nn.Module, slices: SliceStore, label: pd.Series, settings: Settings) -> Samples:
    """Slices with HCCNet's labels: 1 for those of patients with carcinoma that show a nodule, 0 for other patients'.

    A nodule is what an expert saw, or NoduleNet where none looked. `label` is each patient's diagnosis, 0 or 1.
    """
    carcinoma = slices.index["patient_id"].map(label) == 1
    odds = infer(nodule_net, slices, batch=READ_AT_ONCE, label="finding nodules", outputs=log_odds)
    flagged = odds >= logit(settings.nodule_probability)
    shown = slices.index["nodule"].eq(1).where(slices.index["nodule"].notna(), flagged)
    kept = ~carcinoma | shown | (settings.nodule_free == "negative")
    labels = (carcinoma & shown)[kept].to_numpy().astype(np.int64)
    return Samples(inputs=slices.rows(kept.to_numpy()), labels=labels)


def predict(network: SideBySide, slices: SliceStore, settings: Settings) -> Inference:
    """HCC risk score of each study with its interval over images, and what both networks say of each slice."""
    nodule, hcc, signature = infer(
        network,
        slices,
        batch=READ_AT_ONCE,
        label="reading slices",
        outputs=lambda read: (log_odds(read["nodule"]), log_odds(read["hcc"]), read["hcc"].signature),
    )
    regions = slices.index.assign(nodule_log_odds=nodule, hcc_log_odds=hcc, score=expit(hcc))
    specimens = score_studies(regions, settings=settings)
    return Inference(specimens=specimens, regions=regions, signatures=signature)


def saliency(network: SideBySide, images: np.ndarray) -> np.ndarray:
    """SMOE of NoduleNet, as in the paper's Figure 5: where an image excites it, from the stem to the last stage."""
    layers = [f"body.{layer}" for layer in RESNET_LAYERS]
    return smoe(network.parts["nodule"], pixels_to_images(images), layers=layers)


SYSTEM = System(
    name="wang_2021_hccnet",
    question="Does this patient have hepatocellular carcinoma on liver CT?",
    paper=Paper(
        title="Development of an AI system for accurately diagnose hepatocellular carcinoma from computed tomography"
        " imaging data",
        authors="Wang M, Fu F, Zheng B, et al.",
        journal="British Journal of Cancer 125:1111",
        year=2021,
        doi="10.1038/s41416-021-01511-w",
        reported={
            "internal": {"auroc hcc": 0.887, "sensitivity hcc": 0.784, "specificity hcc": 0.844},
            "external": {"auroc hcc": 0.883, "sensitivity hcc": 0.894, "specificity hcc": 0.740},
        },
        patients="7512; 385 and 556 for tests",
        network="two ResNet34",
        validation="later patients; another hospital",
        code="in the supplementary files",
    ),
    task=lambda settings: Binary(settings.endpoint, rule="balanced"),
    room=CT,
    settings=Settings(),
    trial={
        "least_crop": 0.8,
        "degrees": 5.0,
        "jitter": 0.1,
        "learning_rate": 0.8,
        "warmup_epochs": 1,
        "mixup": 0.0,
        "monitor": "train_loss",
        "validation": 0.15,
        "test": 0.25,
    },
    adjustable=("per_series",),
    build=build,
    train=train,
    infer=predict,
    meaning="HCC",
    saliency=saliency,
    deliver=deliver_study,
    parts=lambda network: network.parts,
)
