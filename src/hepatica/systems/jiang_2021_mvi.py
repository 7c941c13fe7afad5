"""Microvascular invasion on CT: does this resectable hepatocellular carcinoma invade small vessels?

Two models read three contrast phases: boosted trees on radiomics of the tumour and of the rim around it, and a 3-D
convolutional network on the volume of interest. `variant` says which gives the score; the other is locked with it and
reported beside it. Recurrence-free survival is compared between patients above and below the cut-off.

Departures:
1. Trees are boosted by scikit-learn, not by XGBoost, whose gains are of second order: locked as arrays of numbers, they
   need neither library to be read, nor a pickle.
2. Features are those of the IBSI in six families, 3-D, without filters; the paper has 7,302, many of filtered images.
3. Features that do not stay the same when training lesions are perturbed are not looked at; `stability_lesions` 0: all.
4. The network reads tumour and rim alone; at `quick` their outline is a fourth channel.
5. An interval of the AUROC and an external cohort, which the paper lacks.

Unclear (of the paper, reviews and the abstract were at hand): the layers of its network, the phases, the width of the
rim, the resampling and the grey levels: see `Settings`.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from hepatica.cohort import Binary, Cohort, Survival
from hepatica.cohort.phantom import MVI
from hepatica.learn import Share
from hepatica.networks import Boosted, Volume
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.plain import scored
from hepatica.radiology.lesions.room import LESIONS_CT, LesionPlan, Shift, infer_lesions, train_lesions
from hepatica.radiology.lesions.store import LesionStore
from hepatica.radiology.radiomics import RadiomicsSettings
from hepatica.radiology.radiomics.features import Family
from hepatica.radiology.radiomics.lesions import feature_names, lesion_features, stable_features

OTHER = {"cnn": "boosted_radiomics", "radiomics": "convolutional_network"}
"""Name of the model that is reported beside each variant."""


@dataclass(frozen=True, kw_only=True)
class Settings(LesionPlan):
    """What the abstract leaves open is ours."""

    variant: Literal["cnn", "radiomics"] = "cnn"
    """Which of the two models gives the score."""
    phases: tuple[str, ...] = ("arterial", "portal venous", "delayed")  # ours
    voxels: tuple[PositiveInt, PositiveInt, PositiveInt] = (48, 96, 96)  # ours
    lesion_share: Annotated[float, Field(gt=0, le=1)] | None = None
    voxel_mm: tuple[float, float, float] | None = (2.0, 1.0, 1.0)  # ours
    rim_mm: float = 10.0  # ours
    surroundings: bool = False  # the volume of interest alone, with its rim (ours)
    width: PositiveInt = 16  # ours
    """Filters of the first of four convolutions; twice as many in each further one."""
    bin_width: Annotated[float, Field(gt=0)] = 10.0  # ours
    """Hounsfield units of a grey level of the textures."""
    families: tuple[Family, ...] = RadiomicsSettings().families
    """Families of features."""
    stability_lesions: NonNegativeInt = 10  # ours
    """Training lesions, drawn at random, by whose perturbation features are kept; 0: all are."""
    trees: PositiveInt = 100  # ours
    """Boosted trees."""
    tree_depth: PositiveInt = 3  # ours
    """Questions that each asks, at most."""
    shrinkage: Annotated[float, Field(gt=0, le=1)] = 0.1  # ours
    """Share of each tree's answer that counts."""
    copies: PositiveInt = 4  # ours
    degrees: float = 180.0  # ours
    shift: Shift = (1.0, 3.0, 3.0)  # ours
    zoom: float = 0.1  # ours
    flip: bool = True  # ours
    noise: float = 0.02  # ours
    epochs: int = 60  # ours
    batch: int = 16  # ours
    learning_rate: float = 1e-3  # ours
    weight_decay: float = 1e-4  # ours
    test: Share = 0.3  # ours
    seed: int = 2021

    @property
    def measured(self) -> dict[str, Any]:
        """How features are taken."""
        radiomics = RadiomicsSettings(bin_width=self.bin_width, families=self.families)
        return {"phases": self.phases, "settings": radiomics}


class Invasion(Volume):
    """(b, z, phases, y, x) on 0..1 to a log-odds (b, 1), by four convolutions; the trees read features."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.channels, width=settings.width, pools=4 * ((2, 2, 2),))
        self.settings = settings
        names = feature_names(**settings.measured)
        self.boosted = Boosted(len(names), trees=settings.trees, depth=settings.tree_depth)


def build(settings: Settings, *, pretrained: bool) -> Invasion:
    """Both models, untrained; the same from one seed."""
    torch.manual_seed(settings.seed)
    return Invasion(settings)


def train(training: Training[Settings, LesionStore]) -> dict[str, Any]:
    """Fit the convolutions, then the trees to the same patients."""
    record, settings, boosted = train_lesions(training), training.settings, training.network.boosted
    own = training.material.select(patient_ids=training.split.train)
    how = settings.measured | {"spacing_mm": settings.voxel_mm}
    found = lesion_features(own, **how)
    if settings.stability_lesions:
        drawn = np.random.default_rng(settings.seed).permutation(len(own))[: settings.stability_lesions]
        stable = stable_features(own.rows(own.index.index.isin(drawn)), **how)
        boosted.kept.copy_(torch.from_numpy(stable))
    label = training.cohort.label(training.task.targets[0]).loc[found.index["patient_id"]].to_numpy(int)
    boosted.fit(found.values, label, seed=settings.seed, learning_rate=settings.shrinkage, max_features="sqrt")
    return record | {"radiomic features": f"{int(boosted.kept.sum())} of {len(found.names)} are stable and read"}


def _read(network: Invasion, material: LesionStore, settings: Settings) -> Inference:
    task, *_ = SYSTEM.tasks(settings)
    if settings.variant == "cnn":
        return infer_lesions(network, material, settings, task)
    how: dict[str, Any] = settings.measured | {"spacing_mm": settings.voxel_mm}
    features = lesion_features(material, **how)
    return infer_lesions(network.boosted, features, settings, task)


def predict(network: Invasion, material: LesionStore, settings: Settings) -> Inference:
    """Probability of invasion, which is also the score of recurrence-free survival."""
    found = _read(network, material, settings)
    owner, score = found.specimens[["patient_id", "specimen_id"]], found.specimens[["score"]].to_numpy()
    tables = [scored(owner, score, task=task) for task in SYSTEM.tasks(settings)]
    return replace(found, specimens=pd.concat(tables, ignore_index=True))


def comparators(network: Invasion, material: LesionStore, cohort: Cohort) -> pd.DataFrame:
    """Probability by the other of the two models, by patient_id."""
    own = network.settings.variant
    other = replace(network.settings, variant="radiomics" if own == "cnn" else "cnn")
    scores = _read(network, material, other).specimens.groupby("patient_id")["score"].mean()
    return scores.to_frame(OTHER[own])


SYSTEM = System(
    name="jiang_2021_mvi",
    question="Does this hepatocellular carcinoma invade microscopic vessels?",
    paper=Paper(
        title="Preoperative identification of microvascular invasion in hepatocellular carcinoma by XGBoost and deep"
        " learning",
        authors="Jiang YQ, Cao SE, Cao S, Chen JN, Wang GY, Shi WQ, Deng YN, Cheng N, Ma K, Zeng KN, Yan XJ, et al.",
        journal="Journal of Cancer Research and Clinical Oncology 147:821",
        year=2021,
        doi="10.1007/s00432-020-03366-9",
        reported={"internal": {"auroc mvi": 0.906}},
        patients="405 resected, 220 with microvascular invasion",
        network="3-D CNN; boosted trees on radiomics (AUC 0.887)",
        validation="held-out patients of the same hospital",
        code="not released",
    ),
    task=(Binary("mvi", rule="balanced"), Survival("recurrence_free_survival", rule="first")),
    room=LESIONS_CT,
    population=MVI,
    settings=Settings(),
    trial={
        "voxels": (20, 40, 40),
        "voxel_mm": (5.0, 2.5, 2.5),
        "width": 8,
        "outline": True,
        "copies": 1,
        "epochs": 20,
        "learning_rate": 4e-3,
        "schedule": "cosine",
    },
    shortest={"families": ("first_order",), "stability_lesions": 2, "trees": 5},
    build=build,
    train=train,
    infer=predict,
    comparators=comparators,
    meaning="probability of microvascular invasion",
)
