"""Recurrent network: will this patient with cirrhosis get HCC within three years, judging from their visits so far?

A sample is a patient at a time t after the diagnosis of cirrhosis: all laboratory values up to t, and whether HCC came
in the three years after. Values that were not measured are carried forward. A gated recurrent unit (GRU) reads the
visits, its states are pooled over time by their maximum, set beside what a layer makes of the baseline, and a
feed-forward network gives the risk.

Departures:
1. For results, each patient is judged once, at the setting `landmark`, by their last visit up to then; the paper judges
   all its samples, of which a patient has many.
2. The paper averages over several random splits; here is one, which the seed chooses.

Unclear (Methods and eTables were not at hand; what they may say is taken from the same group's follow-up study,
Artificial Intelligence in Health 2(2):97-98):
1. The 27 longitudinal variables: `columns` are those usual in cirrhosis; others are added by name.
2. Sizes of layers and the optimiser: within the ranges of that group's random search.
3. Whether an HCC within the first three years counts as follow-up of three years: here it does, and a patient without
   one needs three years after each sample. Those who die or are lost before are left out, which favours long survivors;
   `controls=weighted` keeps them (inverse probability of censoring weights; death competes).
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch

from hepatica.clinical.landmarks import at_risk, train_at_landmarks
from hepatica.clinical.room import VISITS
from hepatica.clinical.visits import VisitPlan
from hepatica.cohort import Binary
from hepatica.learn import Share
from hepatica.networks import Recurrent
from hepatica.protocol import Paper, System


@dataclass(frozen=True, kw_only=True)
class Settings(VisitPlan):
    """The numbers of the paper; what it leaves open is ours."""

    columns: tuple[str, ...] = (
        "afp_ng_ml", "albumin_g_l", "alt_u_l", "ast_u_l", "bilirubin_umol_l", "bmi_kg_m2", "creatinine_umol_l",
        "haemoglobin_g_l", "inr", "platelets_10e9_l", "sodium_mmol_l", "svr",
    )  # fmt: skip
    baseline: tuple[str, ...] = ("age_years", "sex=male", "aetiology=hcv")
    hidden: int = 64
    """States of the GRU, and width of the layers behind it. Ours."""
    dropout: Share = 0.2
    """Share of units that are dropped before the output. Ours."""
    mask_history: Share = 0.0
    epochs: int = 40  # ours
    batch: int = 128  # ours
    learning_rate: float = 1e-3  # ours
    patience: int | None = 8  # ours
    monitor: Literal["train_loss", "validation_loss"] = "validation_loss"  # ours
    seed: int = 2020


def build(settings: Settings, *, pretrained: bool) -> Any:
    """The GRU and its layers; the same from one seed. There are no pretrained ones."""
    torch.manual_seed(settings.seed)
    return Recurrent(
        len(settings.columns), baseline=len(settings.baseline), hidden=settings.hidden, dropout=settings.dropout
    )


SYSTEM = System(
    name="ioannou_2020",
    question="Will this patient with cirrhosis get HCC within three years, judging from their visits so far?",
    paper=Paper(
        title="Assessment of a Deep Learning Model to Predict Hepatocellular Carcinoma in Patients With Hepatitis C"
        " Cirrhosis",
        authors="Ioannou GN, Tang W, Beste LA, Tincopa MA, Su GL, Van T, Tapper EB, Singal AG, Zhu J, Waljee AK.",
        journal="JAMA Network Open 3(9):e2015626",
        year=2020,
        doi="10.1001/jamanetworkopen.2020.15626",
        reported={"internal": {"auroc incidence_60": 0.759}},
        patients="48,151 with cirrhosis by hepatitis C",
        network="GRU over visits",
        validation="several random splits",
        code="not released",
    ),
    task=lambda settings: Binary(settings.endpoint, horizons=(settings.horizon,)),
    room=VISITS,
    settings=Settings(),
    trial={"hidden": 16, "epochs": 20, "learning_rate": 5e-3},
    shortest={"epochs": 2},
    adjustable=("history",),
    build=build,
    train=train_at_landmarks,
    eligible=at_risk,
    meaning="risk of HCC within three years",
)
