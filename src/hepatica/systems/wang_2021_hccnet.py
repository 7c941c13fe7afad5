"""HCCNet: has this patient hepatocellular carcinoma, judged from every axial slice of his liver CT?

NoduleNet, a ResNet34, learns from slices that experts marked which slices show a nodule. With it the slices of patients
with hepatocellular carcinoma are labelled (weak labels), and HCCNet, another ResNet34, learns to tell these from the
slices of everybody else, whatever the contrast phase. A patient's HCC risk score weighs -log10(1 - p) of all of his
slices by p. What excites NoduleNet is drawn by SMOE.

Departures:
1. The epoch with the lowest loss on patients held out for tuning is kept; the paper watches a random set of images,
   does not say of whom, and names no epoch.
2. Slices are windowed when they are read and have three equal channels; the paper wrote JPEG files, window not stated.
3. Where experts marked the slices of a patient with carcinoma, their marks stand in place of NoduleNet's (ours).
4. The cut-off is that which balances sensitivity and specificity in the patients of training and tuning, fixed there;
   the paper does not state its own, and Figure 4 speaks of a "balanced performance" setting.
5. The predictions table holds 1 - 10^-score, between 0 and 1 and of the same order; reports show the score itself.
6. Low-quality images were removed by hand in the paper; here damaged slices alone are left out.
7. A patient of several studies scores their mean (ours; the paper has one study a patient).
8. The liver's extent is from a mask where there is one, else estimated; the paper cut by hand.

Unclear:
1. The printed score divides twice, by the sum of the weights and by n (`variant="as_printed"`), and then cannot give
   the scores reported; "weighted mean" in its words is `weighted_mean`, the default. See radiology/risk_score.py.
2. Slices without nodule of patients with carcinoma are discarded in one paragraph, negative in another: `nodule_free`.
3. "Its results are directly integrated into HCCNet" may mean the labels alone, or the reading of new patients too:
   `gate` "none" (default) takes all slices, "hard" those that NoduleNet flags, "soft" multiplies both probabilities.
4. Warm-up, weight decay, smoothing, mixup, crops and image size are not given: ours are those of the recipe that
   GluonCV, which the authors name, is known for (He T, et al., arXiv 1812.01187); angles, perspective, jitter are free.
5. A "nodule" is any in one sentence, one of carcinoma in another: here whatever the experts marked, in any patient.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field, PositiveInt
from scipy.special import expit, logit
from torch import Tensor, nn

from hepatica.cohort import Cohort, CohortError, Months, Specimen, Target, mean_by_patient
from hepatica.learn import (
    Augment,
    Plan,
    Samples,
    as_images,
    compose,
    crop,
    infer,
    jitter,
    mirror,
    perspective,
    rotation,
    smoothed_cross_entropy,
    warp,
)  # fmt: skip
from hepatica.networks import Pooled, Reading, SideBySide, backbone
from hepatica.protocol import Inference, ModelIdentity, Paper, System, Training
from hepatica.radiology.gate import Gate, gated
from hepatica.radiology.phantom import phantom_ct
from hepatica.radiology.picture import draw_study
from hepatica.radiology.results.dicom_results import deliver_study
from hepatica.radiology.risk_score import Variant, as_share, risk_interval
from hepatica.radiology.slices import SliceStore
from hepatica.radiology.slices import prepare as prepare_slices
from hepatica.radiology.slicing import Slicing
from hepatica.radiology.window import WINDOWS
from hepatica.saliency import RESNET_LAYERS, smoe

Share = Annotated[float, Field(ge=0, lt=1)]

READ_AT_ONCE = 32
"""Slices that a network reads at once, whatever it learnt from at once (ours)."""


@dataclass(frozen=True, kw_only=True)
class Settings(Plan):
    """The numbers of "AI model development" and "Calculation of HCC risk score"; what they leave open is ours."""

    endpoint: str = "hcc"
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1  # ours
    test: Share = 0.2  # ours; the paper's internal test set is of other months
    side: PositiveInt = 224  # ours
    per_series: PositiveInt | None = None
    window: Literal["abdomen", "liver", "bone", "lung"] = "abdomen"  # ours
    body: str = "resnet34.tv_in1k"
    body_shape: Mapping[str, Any] = field(default_factory=dict)  # timm's own words, to change the body's architecture
    weights: str = "imagenet"
    nodule_free: Literal["discard", "negative"] = "discard"
    nodule_probability: Annotated[float, Field(gt=0, lt=1)] = 0.5  # ours: from which on NoduleNet flags a slice
    gate: Gate = "none"
    variant: Variant = "weighted_mean"
    smoothing: Share = 0.1  # ours
    least_crop: Annotated[float, Field(gt=0, le=1)] = 0.08  # ours, of the area
    degrees: Annotated[float, Field(ge=0, le=180)] = 10.0  # ours
    distortion: Annotated[float, Field(ge=0, le=0.6)] = 0.2  # ours
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.2  # ours, of brightness and contrast: slices are grey
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

    @property
    def target(self) -> Target:
        """The diagnosis at the time of the examination."""
        return Target(endpoint=self.endpoint, horizon=Months(0))


def eligible(cohort: Cohort, settings: Settings) -> tuple[str, ...]:
    """Patients whose diagnosis is known."""
    return cohort.known(settings.target)


def prepare(specimens: Sequence[Specimen], settings: Settings, folder: Path) -> SliceStore:
    """Axial slices from the lowest to the highest of the liver, of all series of a study, in Hounsfield units."""
    slicing = Slicing(side=settings.side, per_series=settings.per_series)
    return prepare_slices(specimens, slicing=slicing, window=WINDOWS[settings.window], folder=folder)


def build(settings: Settings, *, pretrained: bool) -> SideBySide:
    """Both untrained networks, their bodies of the same pretrained weights or drawn anew; the same from one seed."""
    torch.manual_seed(settings.seed)
    weights = settings.weights if pretrained else "random"
    bodies: list[Any] = [backbone(settings.body, weights=weights, shape=settings.body_shape) for _ in range(2)]
    nodule, hcc = (Pooled(body, channels=body.num_features) for body in bodies)
    return SideBySide({"nodule": nodule, "hcc": hcc})


def train(training: Training[Settings, SliceStore]) -> dict[str, Any]:
    """NoduleNet on the slices that experts marked, then HCCNet on weak labels."""
    parts, settings, split = training.network.parts, training.settings, training.split
    folds = {"train": split.train, "validation": split.validation}
    slices = {fold: training.material.select(patient_ids=patients) for fold, patients in folds.items()}
    marked = {fold: own.rows(own.index["nodule"].notna()) for fold, own in slices.items()}
    _require_both_kinds(marked["train"].index["nodule"], of="NoduleNet", failures=training.material.failures)
    watched = {fold: own for fold, own in marked.items() if len(own)}  # few experts may have seen no tuning patient
    seen = {fold: Samples(inputs=own, labels=own.index["nodule"].to_numpy(int)) for fold, own in watched.items()}
    _fit(training, "NoduleNet", parts["nodule"], seen)
    label = training.cohort.label(settings.target)
    weak = {fold: weakly_labelled(parts["nodule"], own, label, settings) for fold, own in slices.items()}
    _require_both_kinds(weak["train"].labels, of="HCCNet", failures=training.material.failures)
    _fit(training, "HCCNet", parts["hcc"], weak)
    return {
        "slices marked by experts": len(seen["train"]),
        "of these with a nodule": int(seen["train"].labels.sum()),
        "slices NoduleNet was watched on": len(marked["validation"]),
        "slices HCCNet learnt from": len(weak["train"]),
        "of these called carcinoma": int(weak["train"].labels.sum()),
    }


def _require_both_kinds(labels: np.ndarray | pd.Series, *, of: str, failures: pd.DataFrame) -> None:
    if np.unique(labels).size < 2:
        lost = "".join(f"; {len(failures)} studies not read, the first: {fault}" for fault in failures["error"][:1])
        raise CohortError(
            f"got {len(labels)} slices of training patients for {of}, {int(labels.sum())} of them positive, wanted both"
            f" kinds: fill the column nodule_mask of specimens.csv for more patients{lost}"
        )


def weakly_labelled(nodule_net: nn.Module, slices: SliceStore, label: pd.Series, settings: Settings) -> Samples:
    """Slices with HCCNet's labels: 1 for those of patients with carcinoma that show a nodule, 0 for other patients'.

    A nodule is what an expert saw, or NoduleNet where none looked. `label` is each patient's diagnosis, 0 or 1.
    """
    carcinoma = slices.index["patient_id"].map(label) == 1
    flagged = _read(nodule_net, slices, "finding nodules", log_odds) >= logit(settings.nodule_probability)
    shown = slices.index["nodule"].eq(1).where(slices.index["nodule"].notna(), flagged)
    kept = ~carcinoma | shown | (settings.nodule_free == "negative")
    labels = (carcinoma & shown)[kept].to_numpy().astype(np.int64)
    return Samples(inputs=slices.rows(kept), labels=labels)


def log_odds(read: Reading) -> Tensor:
    """Log-odds (b,) of the second class: nodule, or carcinoma."""
    return read.logits[:, 1] - read.logits[:, 0]


def _read(network: nn.Module, slices: SliceStore, label: str, outputs: Callable[[Any], Any]) -> Any:
    return infer(network, slices, batch=READ_AT_ONCE, label=label, outputs=outputs)


def _fit(
    training: Training[Settings, SliceStore], name: str, network: nn.Module, samples: Mapping[str, Samples]
) -> None:
    # Lightning takes seconds to import, which only training needs to pay.
    from hepatica.learn.fit import fit

    settings = training.settings
    fit(
        network,
        samples["train"],
        settings if "validation" in samples else replace(settings, monitor="train_loss"),
        folder=training.folder / name.lower(),
        label=name,
        validation=samples.get("validation"),
        augment=augment(settings),
        loss=smoothed_cross_entropy(settings.smoothing),
        trainer=training.trainer,
    )


def augment(settings: Settings) -> Augment:
    """Crop, perspective and rotation in one interpolation; mirror; brightness and contrast. Mixup is the plan's."""
    warped = warp(
        crop(area=(settings.least_crop, 1.0)),
        perspective(distortion=settings.distortion),
        rotation(degrees=settings.degrees),
    )
    return compose(warped, mirror(), jitter(brightness=settings.jitter, contrast=settings.jitter))


def predict(network: SideBySide, slices: SliceStore, settings: Settings) -> Inference:
    """HCC risk score of each study with its interval over images, and what both networks say of each slice."""
    nodule, hcc, signature = _read(
        network,
        slices,
        "reading slices",
        lambda read: (log_odds(read["nodule"]), log_odds(read["hcc"]), read["hcc"].signature),
    )
    regions = slices.index.assign(nodule_log_odds=nodule, hcc_log_odds=hcc, score=expit(hcc))
    rows = [
        {"patient_id": patient, "specimen_id": specimen} | study_score(own, settings)
        for (patient, specimen), own in regions.groupby(["patient_id", "specimen_id"], sort=False)
    ]
    specimens = pd.DataFrame(rows).assign(endpoint=settings.endpoint, horizon_months=settings.target.horizon)
    return Inference(specimens=specimens, regions=regions, signatures=signature)


def study_score(regions: pd.DataFrame, settings: Settings) -> dict[str, float | None]:
    """Risk score, its interval and the number of images it is of, from the rows of one study's slices.

    0 where the hard gate lets no slice pass: no nodule was seen (ours).
    """
    hcc, nodule = (regions[name].to_numpy(float) for name in ("hcc_log_odds", "nodule_log_odds"))
    entering = gated(hcc, nodule, gate=settings.gate, probability=settings.nodule_probability)
    if not len(entering):
        return {"score": 0.0, "risk": 0.0, "low": 0.0, "high": 0.0, "images": 0}
    found = risk_interval(entering, variant=settings.variant, seed=settings.seed)
    share = float(as_share(found.value))
    return {"score": share, "risk": found.value, "low": found.low, "high": found.high, "images": found.n}


def saliency(network: SideBySide, images: np.ndarray) -> np.ndarray:
    """SMOE of NoduleNet, as in the paper's Figure 5: where an image excites it, from the stem to the last stage."""
    layers = [f"body.{layer}" for layer in RESNET_LAYERS]
    return smoe(network.parts["nodule"], as_images(torch.from_numpy(images)), layers=layers)


def give_back(
    specimen: Specimen,
    *,
    material: SliceStore,
    inference: Inference,
    settings: Settings,
    cutoffs: Mapping[str, float],
    saliency: Callable[[np.ndarray], np.ndarray],
    model: ModelIdentity,
    folder: Path,
) -> list[Path]:
    """Report, flagged region, saliency and pictures as DICOM files, to lie beside the study."""
    return deliver_study(
        specimen,
        material=material,
        inference=inference,
        cutoff=cutoffs[settings.target.key],
        variant=settings.variant,
        saliency=saliency,
        model=model,
        folder=folder,
    )


QUICK = replace(
    Settings(),
    side=128,
    per_series=5,
    window="liver",
    body_shape={"channels": [16, 32, 64, 128], "stem_width": 16},
    weights="random",
    least_crop=0.8,
    degrees=5.0,
    jitter=0.1,
    epochs=20,
    batch=16,
    learning_rate=0.8,
    warmup_epochs=1,
    mixup=0.0,
    monitor="train_loss",
    validation=0.15,
    test=0.25,
)
"""Minutes on two cores, on phantoms; for the demo's kind of trial and for tests. All ours."""

SYSTEM = System(
    name="wang_2021_hccnet",
    question="Has this patient hepatocellular carcinoma, by his liver CT?",
    modality="ct",
    paper=Paper(
        title="Development of an AI system for accurately diagnose hepatocellular carcinoma from computed tomography"
        " imaging data",
        authors="Wang M, Fu F, Zheng B, et al.",
        journal="British Journal of Cancer 125:1111",
        year=2021,
        doi="10.1038/s41416-021-01511-w",
        reported={
            "internal auroc hcc": 0.887,
            "internal sensitivity hcc": 0.784,
            "internal specificity hcc": 0.844,
            "external auroc hcc": 0.883,
            "external sensitivity hcc": 0.894,
            "external specificity hcc": 0.740,
        },
    ),
    targets=(Settings().target,),
    settings=Settings(),
    quick=QUICK,
    adjustable=("per_series",),
    shortest={"side": 64, "per_series": 3, "epochs": 2},
    endpoints=lambda settings: (settings.endpoint,),
    eligible=eligible,
    prepare=prepare,
    build=build,
    train=train,
    infer=predict,
    pool=mean_by_patient,
    cutoff="balanced",
    saliency=saliency,
    draw=partial(draw_study, meaning="HCC"),
    parts=lambda network: network.parts,
    deliver=give_back,
    phantom=phantom_ct,
)
