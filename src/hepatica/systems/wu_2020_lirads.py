"""LI-RADS on MR: is this observation in a liver at risk LR-3, or LR-4 or LR-5?

A box around the observation in its largest slice, from three of the phases after a hepatobiliary agent, is read as the
three colours of an AlexNet. The paper tried combinations of its six time points and found the one before contrast, the
arterial and the washout phase best; here the three are chosen by cross-validation within the training patients, who
also give sensitivity and precision fold by fold, as the paper reports them.

Departures:
1. Phases are chosen, and folds are dealt, without the test patients; the paper does not say what its best combination
   was chosen on. Folds hold patients, not tumours.
2. Five phases in place of six: of the four right after contrast, what headers tell apart are three.
3. Each fold of the choice is trained without the validation part of the paper's 60/20/20; the final network has one.
4. Image registration of all phases, which the paper has on the tumour's slice, is a setting (`register`).

Unclear (the abstract was at hand, on the journal's page atm.amegroups.org/article/view/35992; the DOI is by memory and
unverified): which layers were frozen, optimiser, augmentation and the fit of six phases to the three colours.
Precision, 0.835 at a sensitivity of 1 in 89 tumours, is a mean over folds: no count gives it (see
`tests/systems/test_wu_2020_lirads.py`). torchvision's weights of AlexNet are to be brought as a .safetensors file.
"""

from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import NonNegativeInt, PositiveFloat
from torch import Tensor, nn

from hepatica.clinical.comparators import as_risk
from hepatica.cohort import Cohort, MultiClass, Split
from hepatica.cohort.phantom import AT_RISK
from hepatica.cohort.predictions import LESION
from hepatica.cohort.splits import fold_patients
from hepatica.learn import Share
from hepatica.networks import AlexNet, Normalise, Reading
from hepatica.protocol import Paper, System, Training
from hepatica.radiology.lesions.room import LESIONS_MR, LesionPlan, infer_lesions, train_lesions
from hepatica.radiology.lesions.store import LesionStore

HIGH = "LR-4/5"


@dataclass(frozen=True, kw_only=True)
class Settings(LesionPlan):
    """What the abstract leaves open is ours."""

    phases: tuple[str, ...] = ("pre", "arterial", "portal venous", "delayed", "hepatobiliary")
    """Phases of which three are chosen, or just three."""
    voxels: tuple[int, int, int] = (1, 224, 224)
    scale: Literal["window", "crop"] = "crop"
    weights: str = "random"  # ours: no server has the paper's in a format that runs no code
    """Initial weights: random, or torchvision's AlexNet as a .safetensors file."""
    width: PositiveFloat = 1.0
    """Width of the network as a share of AlexNet's."""
    folds: NonNegativeInt = 5
    """Folds of the training patients, by which phases are chosen and sensitivity and precision given; 0: the first
    three phases are read."""
    dropout: Share = 0.5
    """Share of hidden values that training drops."""
    degrees: float = 180.0  # ours
    shift: tuple[float, float, float] = (0.0, 10.0, 10.0)  # ours
    flip: bool = True  # ours
    balanced: bool = True  # ours
    epochs: int = 60  # ours
    batch: int = 16  # ours
    learning_rate: float = 1e-4  # ours
    validation: Share = 0.2
    test: Share = 0.2
    seed: int = 2020


class Grades(nn.Module):
    """(b, phases, y, x) on 0..1 to logits (b, 2) of LR-3 and LR-4/5, by the three `chosen` phases as colours."""

    chosen: Tensor

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.register_buffer("chosen", torch.arange(3))
        self.normalise = Normalise()
        self.body = AlexNet(2, width=settings.width, dropout=settings.dropout)

    def forward(self, images: Tensor) -> Reading:
        """Read a batch."""
        found: Reading = self.body(self.normalise(images[:, self.chosen]))
        return found


def build(settings: Settings, *, pretrained: bool) -> Grades:
    """The network, its weights drawn from the seed or, but for the last layer, read from a file."""
    torch.manual_seed(settings.seed)
    network = Grades(settings)
    if pretrained and settings.weights != "random":
        network.body.load(Path(settings.weights))
    return network


def train(training: Training[Settings, LesionStore]) -> dict[str, Any]:
    """Choose three phases by folds of the training patients, then fit the network to these."""
    settings, record = training.settings, dict[str, Any]()
    if settings.folds:
        triples = list(combinations(range(len(settings.phases)), 3))
        judged = {triple: cross_validated(training, triple) for triple in triples}
        best = min(judged, key=lambda triple: log_loss(judged[triple]))
        training.network.chosen.copy_(torch.tensor(best))
        record = {"phases": ", ".join(settings.phases[place] for place in best)} | by_fold(judged[best])
    return record | train_lesions(training)


def cross_validated(training: Training[Settings, LesionStore], chosen: tuple[int, ...]) -> pd.DataFrame:
    """Of each lesion of the training and validation patients: label, probability of LR-4/5, and the fold of networks
    that did not see its patient.
    """
    patients = [*training.split.train, *training.split.validation]
    strata = training.task.strata(training.cohort).loc[patients]
    found = []
    for number, (kept, held_out) in enumerate(fold_patients(strata, folds=training.settings.folds, seed=0), start=1):
        network = build(training.settings, pretrained=True)
        network.chosen.copy_(torch.tensor(chosen))
        own = training.folder / f"phases_{'_'.join(map(str, chosen))}_fold_{number}"
        train_lesions(replace(training, network=network, folder=own, split=Split(train=kept, validation=(), test=())))
        held = training.material.select(patient_ids=held_out)
        lesions = infer_lesions(network, held, training.settings, training.task).lesions
        assert lesions is not None
        found.append(lesions[lesions["class_or_quantity"] == HIGH].assign(fold=number))
    labels = training.cohort.lesions.set_index(LESION)[training.task.endpoint]
    return pd.concat(found).join(labels.rename("label"), on=LESION).dropna(subset="label")


def log_loss(judged: pd.DataFrame) -> float:
    """Mean cross-entropy of the labels."""
    right = np.where(judged["label"] == HIGH, judged["score"], 1 - judged["score"])
    return float(-np.log(np.clip(right, 1e-7, 1)).mean())


def by_fold(judged: pd.DataFrame) -> dict[str, str]:
    """Sensitivity and precision for LR-4/5 in each fold, and their means, which no count of lesions need give."""
    called, positive = (judged["score"] >= 0.5).astype(float), (judged["label"] == HIGH).astype(float)
    right = (called * positive).groupby(judged["fold"]).sum()
    found = {"sensitivity": right / positive.groupby(judged["fold"]).sum(),
             "precision": right / called.groupby(judged["fold"]).sum()}  # fmt: skip
    return {
        f"{name} by fold": f"{', '.join(f'{each:.3f}' for each in values)}; mean {values.mean():.3f}"
        for name, values in found.items()
    }


def comparators(network: Grades, material: LesionStore, cohort: Cohort) -> pd.DataFrame:
    """LI-RADS v2018 of the largest lesion of each patient, from what a reader saw (columns of lesions.csv)."""
    lesions = cohort.lesions.sort_values("diameter_mm").drop_duplicates("patient_id", keep="last")
    seen = lesions.rename(columns={"diameter_mm": "observation_mm"}).set_index("patient_id")
    return pd.DataFrame({"li_rads": as_risk("li_rads", seen.reindex(cohort.patients.index))})


SYSTEM = System(
    name="wu_2020_lirads",
    question="Is this observation LR-3, or LR-4 or LR-5?",
    paper=Paper(
        title="Deep learning LI-RADS grading system based on contrast enhanced multiphase MRI for differentiation"
        " between LR-3 and LR-4/LR-5 liver tumors",
        authors="Wu Y, White GM, Cornelius T, Gowdar I, Ansari MH, Supanich MP, Deng J",
        journal="Annals of Translational Medicine 8(11):701",
        year=2020,
        doi="10.21037/atm.2019.12.151",
        reported={
            "internal": {
                "accuracy lirads_group": 0.90,
                "sensitivity[LR-4/5] lirads_group": 1.0,
                "ppv[LR-4/5] lirads_group": 0.835,
                "auroc[LR-4/5] lirads_group": 0.95,
            }
        },
        patients="89 tumours: 35 LR-3, 14 LR-4, 40 LR-5",
        network="AlexNet, three phases as colours",
        validation="five folds of one hospital",
        code="not released",
    ),
    task=MultiClass("lirads_group", classes=("LR-3", HIGH)),
    room=LESIONS_MR,
    population=AT_RISK,
    settings=Settings(),
    trial={"voxels": (1, 64, 64), "width": 0.125, "shift": (0.0, 3.0, 3.0), "learning_rate": 1e-3},
    shortest={"phases": ("pre", "arterial", "delayed"), "folds": 2},
    build=build,
    train=train,
    comparators=comparators,
    meaning="probability of a category",
)
