"""Liver tumours on MR: is this mass malignant, with contrast or without, with clinical data or without?

Inception-ResNet-v2 reads slices of the mass, its sequences as channels. Models A to G of the paper differ in what is
asked and what is read: `question` is benign or malignant (binary), one of seven kinds, or which of three kinds of
malignant tumour; without `contrast` T1 before contrast, T2 and diffusion are read, with it arterial, portal venous and
delayed T1 besides; with `clinical`, age, sex, hepatitis, an earlier cancer and laboratory values join the maps of the
last layer. Readers with contrast, in a cohort's readers.csv, are compared with the model: it is not inferior where the
interval of what readers do better lies below `margin`.

Departures:
1. The unit is a mass, cropped by its outline; the paper reads whole slices that radiologists chose.
2. Clinical text is read as categories of columns, not as words.
3. The "extended" cohort of the paper is of its own hospital, later; an external cohort is one of another hospital.
4. The paper states no margin of non-inferiority: 0.05 is ours.
5. For trials a narrow ResNet, drawn at random, replaces Inception-ResNet-v2.

Unclear: how text was embedded, how many slices of a mass were read, learning rate and epochs: see `Settings`.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from einops import reduce
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from hepatica.clinical.room import TABLES, TablePlan
from hepatica.cohort import Binary, Cohort, MultiClass, Task
from hepatica.cohort.phantom import FOCAL_LESIONS
from hepatica.learn import Share
from hepatica.networks import Reading, Standardise
from hepatica.protocol import Paper, System, Training
from hepatica.protocol.plain import NARROW, ImagePlan, body_of
from hepatica.radiology.lesions.room import LESIONS_MR, LesionPlan, augment, train_lesions
from hepatica.radiology.lesions.store import LesionStore

TASKS: dict[str, Task] = {
    "binary": Binary("malignant_mass", rule="balanced"),
    "seven": MultiClass(
        "lesion_group",
        classes=(
            *("cyst", "hemangioma", "focal nodular hyperplasia", "other benign"),
            *("hcc", "metastasis", "other malignant"),
        ),
    ),
    "three": MultiClass("malignancy", classes=("hcc", "metastasis", "other malignant")),
}
"""By `question`."""

ENHANCED = ("arterial", "portal venous", "delayed")


@dataclass(frozen=True, kw_only=True)
class Settings(LesionPlan, ImagePlan, TablePlan):
    """The paper's network and variants; what the abstract leaves open is ours."""

    question: Literal["binary", "seven", "three"] = "binary"
    """Benign or malignant, which of seven kinds, or which of three kinds of malignant tumour."""
    contrast: bool = True
    """Whether sequences after contrast are read."""
    clinical: bool = True
    """Whether clinical columns are read."""
    margin: PositiveFloat = 0.05  # ours
    """How much better than the model readers may be, in each rate, for it not to be inferior."""
    body: str = "inception_resnet_v2.tf_in1k"
    phases: tuple[str, ...] = ("pre", "t2", "dwi b600", *ENHANCED)
    columns: tuple[str, ...] = (
        *("age_years", "sex=male", "hbsag", "prior_cancer", "log10 afp_ng_ml", "alt_u_l", "ast_u_l"),
        *("bilirubin_umol_l", "albumin_g_l", "platelets_10e9_l"),
    )  # ours
    voxels: tuple[PositiveInt, PositiveInt, PositiveInt] = (1, 299, 299)
    scale: Literal["window", "crop"] = "crop"
    slices: PositiveInt = 3  # ours
    lesion_share: float | None = 0.6  # ours
    hidden: PositiveInt = 32  # ours
    """Width of the layer that reads the clinical columns."""
    balanced: bool = True  # ours
    degrees: float = 180.0  # ours
    flip: bool = True  # ours
    zoom: float = 0.1  # ours
    epochs: int = 50  # ours
    batch: int = 32  # ours
    learning_rate: float = 1e-4  # ours
    seed: int = 2020
    test: Share = 0.2

    @property
    def seen(self) -> tuple[str, ...]:
        """Sequences that are read."""
        return tuple(each for each in self.phases if self.contrast or each not in ENHANCED)


class Fused(nn.Module):
    """Sequences of a slice (b, c, y, x) on 0..1 and clinical columns (b, d), by name, to logits (b, classes)."""

    def __init__(self, settings: Settings, *, classes: int, pretrained: bool) -> None:
        super().__init__()
        self.clinical = settings.clinical
        self.body = body_of(settings, pretrained=pretrained, channels=len(settings.seen))
        self.standardise = Standardise(len(settings.columns))
        self.values = nn.Sequential(nn.Linear(2 * len(settings.columns), settings.hidden), nn.ReLU())
        self.classify = nn.Linear(self.body.num_features + settings.clinical * settings.hidden, classes)

    def forward(self, inputs: dict[str, Tensor]) -> Reading:
        """Classify a batch."""
        signature = reduce(self.body(2 * inputs["mr"] - 1), "b c y x -> b c", "mean")
        if self.clinical:
            signature = torch.cat([signature, self.values(self.standardise(inputs["table"]))], dim=1)
        return Reading(self.classify(signature), signature)


def build(settings: Settings, *, pretrained: bool) -> Fused:
    """The network; what is drawn is the same from one seed."""
    torch.manual_seed(settings.seed)
    classes = len(getattr(TASKS[settings.question], "classes", "01"))
    return Fused(settings, classes=classes, pretrained=pretrained)


def prepare(cohort: Cohort, settings: Any, folder: Path) -> LesionStore:
    """Crops of the sequences that are read."""
    return LESIONS_MR.prepare(cohort, replace(settings, phases=settings.seen), folder)


def train(training: Training[Settings, Any]) -> dict[str, Any]:
    """As every system of lesions; the images alone are augmented."""
    change = augment(training.settings)
    augmented = replace(training, augment=lambda inputs: inputs | {"mr": change(inputs["mr"])})
    return train_lesions(augmented)


SYSTEM = System(
    name="zhen_2020",
    question="Is this mass of the liver malignant, or of which kind is it?",
    paper=Paper(
        title="Deep learning for accurate diagnosis of liver tumor based on magnetic resonance imaging and clinical"
        " data",
        authors="Zhen SH, Cheng M, Tao YB, et al.",
        journal="Frontiers in Oncology 10:680",
        year=2020,
        doi="10.3389/fonc.2020.00680",
        reported={"internal": {"auroc malignant_mass": 0.951}},
        patients="1,210 (31,608 images); 201 later ones of the same hospital",
        network="Inception-ResNet-v2 with clinical data (AUC 0.946 without contrast, 0.951 with it)",
        validation="later patients of the same hospital, read by three radiologists",
        code="not released",
    ),
    task=lambda settings: TASKS[settings.question],
    inputs={"mr": replace(LESIONS_MR, prepare=prepare), "table": TABLES},
    settings=Settings(),
    population=FOCAL_LESIONS,
    trial={**NARROW, "weights": "random", "voxels": (1, 40, 40), "learning_rate": 1e-3},
    shortest={"slices": 1, "hidden": 4},
    build=build,
    train=train,
    meaning="probability of malignancy",
)
