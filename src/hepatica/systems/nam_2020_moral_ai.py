"""MoRAL-AI: when will hepatocellular carcinoma recur after liver transplantation?

A residual network reads tumour size and number, AFP, PIVKA-II, age and prothrombin time as continuous values, which the
criteria for listing dichotomise.

Departures (of the paper only the abstract and what reviews say of it are at hand; all else here is ours):
1. The risk is learnt by Cox's partial likelihood.

Unclear:
1. The input variables: maximal diameter, AFP, age and prothrombin time are known to have the largest weights; number
   and PIVKA-II are those of the criteria it is compared with.
2. Layers, optimiser, duration, and how missing values are filled: as in the same group's `nam_2020_incidence`.
3. Whether sizes are from imaging or from the explant: here as recorded in the cohort.
"""

from dataclasses import dataclass

import torch

from hepatica.clinical.comparators import published
from hepatica.clinical.room import TABLES, TablePlan
from hepatica.cohort import Survival
from hepatica.cohort.phantom import TRANSPLANTED
from hepatica.learn import Share
from hepatica.networks import Tabular
from hepatica.protocol import Paper, System
from hepatica.protocol.plain import train_plainly


@dataclass(frozen=True, kw_only=True)
class Settings(TablePlan):
    """The numbers of the abstract; what it leaves open is ours."""

    columns: tuple[str, ...] = (
        "tumour_size_cm", "tumour_number", "log10 afp_ng_ml", "log10 pivka_ii_mau_ml", "age_years", "inr",
    )  # fmt: skip
    width: int = 8  # ours
    """Units of each hidden layer."""
    blocks: int = 2  # ours
    """Residual blocks of two layers."""
    dropout: Share = 0.1  # ours
    """Share of units that are dropped before the output."""
    epochs: int = 30  # ours
    batch: int = 64  # ours
    learning_rate: float = 1e-3  # ours
    weight_decay: float = 1e-3  # ours
    validation: Share = 0.0  # ours: the duration is fixed
    seed: int = 2020


def build(settings: Settings, *, pretrained: bool) -> Tabular:
    """The residual network; the same from one seed. There are no pretrained ones."""
    torch.manual_seed(settings.seed)
    hidden = (settings.width, settings.width)
    return Tabular(len(settings.columns), outputs=1, hidden=hidden, dropout=settings.dropout, blocks=settings.blocks)


SYSTEM = System(
    name="nam_2020_moral_ai",
    question="When will hepatocellular carcinoma recur after liver transplantation?",
    paper=Paper(
        title="Novel Model to Predict HCC Recurrence after Liver Transplantation Obtained Using Deep Learning: A"
        " Multicenter Study",
        authors="Nam JY, Lee JH, Bae J, Chang Y, Cho Y, Sinn DH, et al.",
        journal="Cancers 12(10):2791",
        year=2020,
        doi="10.3390/cancers12102791",
        reported={"external": {"c_index recurrence": 0.75}},
        patients="563 after transplantation in four centres",
        network="residual network",
        validation="external",
        code="not released",
    ),
    task=Survival("recurrence"),
    room=TABLES,
    population=TRANSPLANTED,
    settings=Settings(),
    shortest={"epochs": 2},
    build=build,
    train=train_plainly,
    comparators=published("milan", "ucsf", "up_to_seven", "kyoto", "moral"),
    meaning="log hazard of recurrence, relative",
)
