"""Recurrent network: will this patient with cirrhosis develop HCC within three years, judging from their visits so far?

A sample is a patient at a time t after the diagnosis of cirrhosis: all laboratory values up to t, and whether HCC
occurred in the three years after it. Values that were not measured are carried forward. A gated recurrent unit (GRU)
reads the visits; its states are pooled over time by their maximum and concatenated with a layer of the baseline
variables, and a feed-forward network gives the risk. Two logistic regressions are fitted to the same samples and locked
with it: one of the last values, one also of summaries of their course.

Departures:
1. For results, each patient is evaluated once, at the setting `landmark`, by their last visit up to then; the paper
   evaluates all its samples, several per patient. Its AUROC is of three years after any visit.
2. The paper averages over several random splits; here there is one, chosen by the seed.
3. The longitudinal regression reads the last, mean, lowest and highest value and the change per year; the paper's own
   summaries are not known.

Unclear (Methods and eTables were not at hand; what they may say is taken from the same group's follow-up study,
Artificial Intelligence in Health 2(2):97-98):
1. The 27 longitudinal variables: `columns` are those usual in cirrhosis; others are added by name.
2. Layer sizes and the optimiser: within the ranges of that group's random search.
3. Whether an HCC within the first three years counts as follow-up of three years: here it does, and a patient without
   one needs three years after each sample. Those who die or are lost to follow-up before are left out, which favours
   long survivors; `controls=weighted` keeps them (inverse probability of censoring weights; death competes).
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from hepatica.clinical.landmarks import at_risk, landmark_samples, train_at_landmarks
from hepatica.clinical.room import VISITS
from hepatica.clinical.visits import VisitPlan, VisitStore
from hepatica.cohort import Binary, Cohort
from hepatica.learn import Share, infer
from hepatica.networks import Reading, Recurrent
from hepatica.networks.recurrent import masked_maximum
from hepatica.protocol import Paper, System, Training

READ_AT_ONCE = 1024


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


class WithRegressions(nn.Module):
    """The recurrent network; beside it, logistic regressions of summaries of the same histories."""

    def __init__(self, recurrent: Recurrent, *, baseline: int) -> None:
        super().__init__()
        self.recurrent = recurrent
        sizes = {"cross_sectional": recurrent.variables, "longitudinal": 5 * recurrent.variables}
        self.regressions = nn.ModuleDict({name: nn.Linear(size + 2 * baseline, 1) for name, size in sizes.items()})
        self.regressions.requires_grad_(False)

    def forward(self, visits: Tensor) -> Reading:
        """The reading of the recurrent network."""
        reading: Reading = self.recurrent(visits)
        return reading

    def summaries(self, visits: Tensor) -> Tensor:
        """(b, 2 s + 5 d): baseline; last, mean, lowest and highest standardised value of each variable, change a
        year."""
        split = 1 + self.recurrent.variables
        cells, there = self.recurrent.series(visits[..., :split])
        values, count = cells[..., : split - 1], there.sum(dim=1, keepdim=True)
        last = values.gather(1, (count - 1)[..., None].expand(-1, 1, split - 1))[:, 0]
        mean = values.masked_fill(~there[..., None], 0.0).sum(dim=1) / count
        change = (last - values[:, 0]) / cells[..., -1].sum(dim=1, keepdim=True).clamp(min=0.5)
        lowest, highest = -masked_maximum(-values, there), masked_maximum(values, there)
        fixed = self.recurrent.baseline[0](visits[:, 0, split:])
        return torch.cat([fixed, last, mean, lowest, highest, change], dim=1)

    def log_odds(self, summaries: Tensor) -> dict[str, Tensor]:
        """Of each regression (b,); the cross-sectional one reads the first columns only."""
        return {name: each(summaries[:, : each.in_features])[:, 0] for name, each in self.regressions.items()}


class Summaries(nn.Module):
    """The summaries of a network, as `infer` reads them."""

    def __init__(self, network: WithRegressions) -> None:
        super().__init__()
        self.network = network

    def forward(self, visits: Tensor) -> Tensor:
        """Of a batch of histories."""
        return self.network.summaries(visits)


def build(settings: Settings, *, pretrained: bool) -> WithRegressions:
    """The GRU and its layers; the same from one seed. There are no pretrained ones."""
    torch.manual_seed(settings.seed)
    variables, baseline = len(settings.columns), len(settings.baseline)
    recurrent = Recurrent(variables, baseline=baseline, hidden=settings.hidden, dropout=settings.dropout)
    return WithRegressions(recurrent, baseline=baseline)


def train(training: Training[Settings, VisitStore]) -> dict[str, Any]:
    """Fit the network, then the regressions to the same samples, with their weights (ridge of scikit-learn, ours)."""
    record, network = train_at_landmarks(training), training.network
    samples = landmark_samples(training)["train"]
    read = infer(Summaries(network), samples.inputs, batch=training.settings.batch, label="summaries")
    for regression in network.regressions.values():
        model = LogisticRegression(max_iter=1000)
        fitted = model.fit(read[:, : regression.in_features], samples.labels[:, 0], samples.labels[:, 1])
        regression.weight.copy_(torch.from_numpy(fitted.coef_))
        regression.bias.copy_(torch.from_numpy(fitted.intercept_))
    return record


def comparators(network: WithRegressions, material: VisitStore, cohort: Cohort) -> pd.DataFrame:
    """Log-odds at the landmark, by patient_id: of both regressions, and of the network itself after a sustained
    virologic response, for how well it does in those patients.
    """
    own = material.at_landmark()
    histories = torch.from_numpy(own.read(np.arange(len(own))))
    with torch.inference_mode():
        found = network.log_odds(network.summaries(histories))
    table = pd.DataFrame(
        {f"logistic_{name}": each.numpy() for name, each in found.items()}, index=own.index["patient_id"]
    )
    if "svr" in own.columns:
        responded = histories[..., 1 + own.columns.index("svr")].nan_to_num(0.0).amax(dim=1) == 1
        score = infer(network, own, batch=READ_AT_ONCE, label="reading", outputs=lambda read: read.logits)[:, 0]
        table["network_after_virologic_response"] = np.where(responded, score, np.nan)
    return table


SYSTEM = System(
    name="ioannou_2020",
    question="Will this patient with cirrhosis develop HCC within three years, judging from their visits so far?",
    paper=Paper(
        title="Assessment of a Deep Learning Model to Predict Hepatocellular Carcinoma in Patients With Hepatitis C"
        " Cirrhosis",
        authors="Ioannou GN, Tang W, Beste LA, Tincopa MA, Su GL, Van T, Tapper EB, Singal AG, Zhu J, Waljee AK.",
        journal="JAMA Network Open 3(9):e2015626",
        year=2020,
        doi="10.1001/jamanetworkopen.2020.15626",
        reported={"internal": {"auroc of HCC within three years of any visit": 0.759}},
        patients="48,151 with hepatitis C cirrhosis",
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
    train=train,
    eligible=at_risk,
    comparators=comparators,
    meaning="risk of HCC within three years",
)
