"""Residual network: will this patient with hepatitis B cirrhosis on entecavir develop HCC within 3 or 5 years?

Routine values at the start of treatment pass seven dense layers, four of them in two residual blocks; the two outputs
are the log-odds of HCC by 3 and by 5 years.

Departures (of the paper only the abstract and what reviews say of it are at hand; all else here is ours):
1. ADRESS-HCC is not among the comparators: no public source has its coefficients.
2. A patient who was censored before one horizon is used for the other only; `controls=weighted` weights the others
   for them (inverse probability of censoring weights).

Unclear:
1. The input variables and their scaling: here those of the paper's comparators and of liver function, standardised.
2. How "2 residual blocks including 7 layers" are composed: here a layer, two blocks of two, a layer, and the output.
3. Width, optimiser, duration, and how missing values are filled: here by the mean of the training patients.
4. Whether death competes: here a patient who died without HCC is free of it, where the cohort codes it so.
"""

from dataclasses import dataclass
from functools import partial

import torch

from hepatica.clinical.comparators import published
from hepatica.clinical.landmarks import Controls, train_at_horizons
from hepatica.clinical.room import TABLES, TablePlan
from hepatica.cohort import Binary, Months
from hepatica.cohort.phantom import TREATED_HEPATITIS_B
from hepatica.learn import Share
from hepatica.networks import Tabular
from hepatica.protocol import Paper, System
from hepatica.protocol.plain import logits_of
from hepatica.protocol.rows import without_each


@dataclass(frozen=True, kw_only=True)
class Settings(TablePlan):
    """The numbers of the abstract; what it leaves open is ours."""

    columns: tuple[str, ...] = (
        "age_years", "sex=male", "log10 alt_u_l", "log10 ast_u_l", "log10 platelets_10e9_l", "albumin_g_l",
        "log10 bilirubin_umol_l", "inr", "creatinine_umol_l", "log10 afp_ng_ml", "hbeag", "hbv_dna_log10_copies_ml",
        "ascites=none",
    )  # fmt: skip
    horizons: tuple[Months, ...] = (Months(36), Months(60))
    """Months by which HCC is predicted, an output each."""
    width: int = 8  # ours
    """Units of each hidden layer."""
    blocks: int = 2
    """Residual blocks of two layers."""
    dropout: Share = 0.1  # ours
    """Share of units that are dropped before the output."""
    epochs: int = 30  # ours
    batch: int = 64  # ours
    learning_rate: float = 1e-3  # ours
    weight_decay: float = 1e-3  # ours
    controls: Controls = "followed"  # ours
    """followed: a patient censored before a horizon does not count at it; weighted: others stand for them, by inverse
    probability of censoring weights."""
    validation: Share = 0.0  # ours: the duration is fixed
    seed: int = 2020


def build(settings: Settings, *, pretrained: bool) -> Tabular:
    """The residual network; the same from one seed. There are no pretrained ones."""
    torch.manual_seed(settings.seed)
    hidden = (settings.width, settings.width)
    return Tabular(
        len(settings.columns),
        outputs=len(settings.horizons),
        hidden=hidden,
        dropout=settings.dropout,
        blocks=settings.blocks,
    )


SYSTEM = System(
    name="nam_2020_incidence",
    question="Will this patient with hepatitis B cirrhosis on entecavir develop HCC within 3 or 5 years?",
    paper=Paper(
        title="Deep learning model for prediction of hepatocellular carcinoma in patients with HBV-related cirrhosis on"
        " antiviral therapy",
        authors="Nam JY, Sinn DH, Bae J, Jang ES, Kim JW, Jeong SH.",
        journal="JHEP Reports 2(6):100175",
        year=2020,
        doi="10.1016/j.jhepr.2020.100175",
        reported={
            "development": {"c_index incidence_60": 0.719},
            "external": {"c_index incidence_60": 0.782, "accuracy incidence_60": 0.763},
        },
        patients="424 with hepatitis B cirrhosis on entecavir; 316 in a second hospital",
        network="residual network of 7 layers",
        validation="external: a second hospital",
        code="not released",
    ),
    task=lambda settings: Binary("incidence", horizons=settings.horizons),
    room=TABLES,
    population=TREATED_HEPATITIS_B,
    settings=Settings(),
    shortest={"epochs": 2},
    build=build,
    train=train_at_horizons,
    saliency=partial(without_each, read=lambda found: logits_of(found)[:, -1]),
    comparators=published("page_b", "mpage_b", "cu_hcc", "hcc_rescue", "thri"),
    meaning="risk of HCC",
)
