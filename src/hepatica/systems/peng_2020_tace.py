"""Chemoembolisation: how will this hepatocellular carcinoma respond by mRECIST, from arterial CT before it?

ResNet-50 reads patches of 224 pixels of the tumour, slices of its arterial phase. It begins with the weights of
ImageNet, of which those of the first layers stay. Each patch has the class of its patient: complete (CR) or partial
response (PR), stable disease (SD) or progression (PD). Patches, lesions and patients are reported apart, with intervals
by patient. Objective response, CR or PR, is the sum of the two probabilities.

Departures:
1. The headline of the paper, an accuracy of 0.843, 0.851 and 0.828 of its training and two validation cohorts, is of
   patches. A patient's probabilities here are the means over their lesions, a lesion's those over its patches.
2. Classes are drawn equally often in training (ours), as responses are not.
3. For trials a narrow ResNet, drawn at random, replaces ResNet-50.
4. mRECIST after treatment is reported beside the system: the class was made from it, so that it should be right.

Unclear: how many layers were kept, how many patches a tumour gave, learning rate and epochs: see `Settings`. That the
second cohort did better than the training cohort is as a leak of patients would make it; how patches were dealt is not
said.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd
from pydantic import PositiveInt

from hepatica.clinical.comparators import published
from hepatica.cohort import Binary, Cohort, MultiClass
from hepatica.cohort.phantom import TACE
from hepatica.cohort.predictions import PROBABILITY
from hepatica.learn import Share
from hepatica.networks import Pooled
from hepatica.protocol import Inference, Paper, System
from hepatica.protocol.plain import NARROW, ImagePlan, pooled, scored
from hepatica.radiology.lesions.room import LESIONS_CT, LesionPlan, infer_lesions, train_lesions
from hepatica.radiology.lesions.store import LesionStore

CLASSES = ("CR", "PR", "SD", "PD")
RESPONSE = ("CR", "PR")
"""Those of objective response."""


@dataclass(frozen=True, kw_only=True)
class Settings(LesionPlan, ImagePlan):
    """The paper's network; what the abstract leaves open is ours."""

    body: str = "resnet50.tv_in1k"
    kept: tuple[str, ...] = ("conv1", "bn1", "layer1")  # ours
    """First layers of the body whose pretrained weights are not trained."""
    phases: tuple[str, ...] = ("arterial",)
    voxels: tuple[PositiveInt, PositiveInt, PositiveInt] = (1, 224, 224)
    slices: PositiveInt = 5  # ours
    lesion_share: float | None = 0.8  # ours
    pooling: Literal["largest", "mean", "highest"] = "mean"  # ours
    balanced: bool = True  # ours
    degrees: float = 180.0  # ours
    flip: bool = True  # ours
    zoom: float = 0.1  # ours
    optimizer: Literal["adam", "sgd"] = "sgd"
    epochs: int = 50  # ours
    batch: int = 32  # ours
    learning_rate: float = 1e-3  # ours
    test: Share = 0.2
    seed: int = 2020


def build(settings: Settings, *, pretrained: bool) -> Pooled:
    """The network; of pretrained weights, those of `kept` are fixed."""
    network = pooled(settings, pretrained=pretrained, outputs=len(CLASSES))
    if pretrained and settings.weights != "random":
        for name in settings.kept:
            network.body.get_submodule(name).requires_grad_(False)
    return network


def predict(network: Pooled, material: LesionStore, settings: Settings) -> Inference:
    """Probabilities of the four classes of patches, lesions and patients, and of objective response."""
    four, objective = SYSTEM.tasks(settings)
    found = infer_lesions(network, material, settings, four)
    owner = ["patient_id", "specimen_id"]
    responding = found.specimens[found.specimens["class_or_quantity"].isin(RESPONSE)]
    response = responding.groupby(owner, sort=False)["score"].sum().clip(0, 1).reset_index()
    binary = scored(response[owner], response[["score"]].to_numpy(), task=objective)
    of_patches = found.regions[[f"{PROBABILITY}{each}" for each in RESPONSE]].sum(axis=1)
    return replace(
        found,
        specimens=pd.concat([found.specimens, binary], ignore_index=True),
        regions=found.regions.assign(score=of_patches),
    )


def comparators(network: Any, material: Any, cohort: Cohort) -> pd.DataFrame:
    """mRECIST after treatment, the higher the better the response."""
    return -published("mrecist")(network, material, cohort)


SYSTEM = System(
    name="peng_2020_tace",
    question="How will this hepatocellular carcinoma respond to chemoembolisation?",
    paper=Paper(
        title="Residual convolutional neural network for predicting response of transarterial chemoembolization in"
        " hepatocellular carcinoma from CT imaging",
        authors="Peng J, Kang S, Ning Z, et al.",
        journal="European Radiology 30:413-424",
        year=2020,
        doi="10.1007/s00330-019-06318-1",
        reported={
            "internal": {"patch_accuracy response_class": 0.843},
            "external": {"patch_accuracy response_class": 0.851},
        },
        patients="562 of one hospital; 89 and 138 of two others",
        network="ResNet-50 on patches of the arterial phase",
        validation="external: two hospitals, by patch",
        code="not released",
    ),
    task=(MultiClass("response_class", classes=CLASSES, ordered=True), Binary("response", rule="balanced")),
    room=LESIONS_CT,
    population=TACE,
    settings=Settings(),
    trial={**NARROW, "weights": "random", "voxels": (1, 48, 48), "optimizer": "adam"},
    shortest={"slices": 2},
    build=build,
    train=train_lesions,
    infer=predict,
    comparators=comparators,
    meaning="probability of a response",
)
