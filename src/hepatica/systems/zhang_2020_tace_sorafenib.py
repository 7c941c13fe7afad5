"""Survival after chemoembolisation with sorafenib: how long will this patient with unresectable HCC live?

A DenseNet reads the largest slice of the largest lesion on contrast CT before treatment and gives the deep signature,
learnt by Cox's partial likelihood. The combined nomogram adds it to the clinical variables in a Cox model; the clinical
nomogram, of those variables alone, and the signature alone are locked with it and reported beside it, paired.

Departures:
1. The network is trained end to end; how the paper makes its signature of DenseNet's features is not known.
2. The clinical Cox model is fitted to the patients of training and tuning; the weights of signature and clinical
   predictor to those of tuning alone, whom the network has not seen: a signature is too good in patients it has.
3. Coefficients have a small ridge penalty, so that few patients give finite ones.

Unclear (the abstract, PMC7556271, was at hand: 0.730 against 0.679, P 0.023; in training 0.739 against 0.664, P 0.002;
the DOI is by memory and unverified): the phase, the clinical variables, the training: see `Settings`.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from hepatica.clinical.rows import read_rows
from hepatica.cohort import Cohort, Survival
from hepatica.cohort.phantom import TACE
from hepatica.evaluate import Nomogram, cox_nomogram
from hepatica.learn import Share, cox_loss
from hepatica.networks import Reading, Standardise
from hepatica.protocol import Inference, Paper, System, Training
from hepatica.protocol.plain import NARROW, ImagePlan, outcomes, pooled
from hepatica.radiology.lesions.room import LESIONS_CT, LesionPlan, infer_lesions, train_lesions
from hepatica.radiology.lesions.store import LesionStore

SIGNATURE, CLINICAL = "deep_signature", "clinical_nomogram"


@dataclass(frozen=True, kw_only=True)
class Settings(ImagePlan, LesionPlan):
    """What reviews and abstract leave open is ours."""

    columns: tuple[str, ...] = (
        "log10 afp_ng_ml", "tumour_size_cm", "tumour_number", "albumin_g_l", "bclc_stage=c",
    )  # fmt: skip  # ours
    """Clinical variables, of patients.csv."""
    horizons: tuple[Annotated[float, Field(gt=0)], ...] = (12.0, 24.0)  # ours
    """Months for which the nomogram reads off survival."""
    ridge: Annotated[float, Field(ge=0)] = 0.01  # ours
    """Weight of half the sum of squared coefficients beside the mean loss of an event."""
    phases: tuple[str, ...] = ("arterial", "portal venous", "delayed")  # ours
    voxels: tuple[PositiveInt, PositiveInt, PositiveInt] = (1, 224, 224)
    body: str = "densenet121.tv_in1k"
    degrees: float = 180.0  # ours
    flip: bool = True  # ours
    noise: float = 0.02  # ours
    epochs: int = 30  # ours
    batch: int = 32  # ours
    learning_rate: float = 1e-4  # ours
    validation: Share = 0.25  # ours
    seed: int = 2020


class Nomograms(nn.Module):
    """(b, phases, y, x) on 0..1 to a log hazard (b, 1), the deep signature; Cox models of clinical values, and of both.

    `clinical` reads standardised values, `combined` the signature and what `clinical` says.
    """

    def __init__(self, extractor: nn.Module, settings: Settings) -> None:
        super().__init__()
        self.settings, self.extractor, self.standardise = settings, extractor, Standardise(len(settings.columns))
        self.clinical = nn.Linear(len(settings.columns), 1, bias=False).requires_grad_(False)
        self.combined = nn.Linear(2, 1, bias=False).requires_grad_(False)

    def forward(self, images: Tensor) -> Reading:
        """The deep signature alone."""
        reading: Reading = self.extractor(images)
        return reading

    def judge(self, signature: Tensor, values: Tensor) -> Tensor:
        """Combined, deep and clinical log hazard (n, 3) of signatures (n,) and clinical values (n, columns)."""
        clinical = self.clinical(self.standardise(values)[:, : values.shape[1]])[:, 0]
        both = torch.stack([signature, clinical], dim=1)
        return torch.cat([self.combined(both), both], dim=1)


def build(settings: Settings, *, pretrained: bool) -> Nomograms:
    """The DenseNet and the Cox models, untrained; the same from one seed."""
    return Nomograms(pooled(settings, pretrained=pretrained, outputs=1), settings)


def prepare(cohort: Cohort, settings: Settings, folder: Path) -> LesionStore:
    """Crops, and in their index the clinical values of each one's patient."""
    store = LESIONS_CT.prepare(cohort, settings, folder)
    rows = read_rows(cohort, columns=settings.columns)
    values = pd.DataFrame(rows.values, columns=list(settings.columns), index=cohort.patients.index)
    return replace(store, index=store.index.join(values, on="patient_id"))


def fit_cox(values: Tensor, outcome: Tensor, *, ridge: float) -> Tensor:
    """Coefficients (1, d) of a Cox model of values (n, d), Efron's ties; `outcome` (n, 2) are time and event."""
    weight = torch.zeros(1, values.shape[1], dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([weight], max_iter=200, tolerance_grad=1e-9, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        found = cox_loss(values.double() @ weight.T, outcome, ties="efron") + ridge / 2 * (weight**2).sum()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    search.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach().float()


def train(training: Training[Settings, LesionStore]) -> dict[str, Any]:
    """Fit the network, then the clinical Cox model, then the weights of both."""
    record, network, settings, split = train_lesions(training), training.network, training.settings, training.split
    seen = [*split.train, *split.validation]
    found, signature, values = _read(network, training.material.select(patient_ids=seen), settings)
    who = found.specimens["patient_id"]
    outcome = torch.tensor(outcomes(training.cohort, task=training.task).loc[who].to_numpy(float))
    network.standardise.fit(values.numpy())
    scaled = network.standardise(values)[:, : values.shape[1]]
    network.clinical.weight.copy_(fit_cox(scaled, outcome, ridge=settings.ridge))
    unseen = torch.from_numpy(who.isin(split.validation or seen).to_numpy())
    both = network.judge(signature, values)[unseen, 1:]
    network.combined.weight.copy_(fit_cox(both, outcome[unseen], ridge=settings.ridge))
    made = nomogram_of(network, signature, values, outcome)
    return record | {"nomogram": {"scales": made.scales, "outcomes": made.outcomes}}


def nomogram_of(network: Nomograms, signature: Tensor, values: Tensor, outcome: Tensor) -> Nomogram:
    """The combined model in the units of its variables; a missing value counts as the mean."""
    deep, clinical = network.combined.weight[0].tolist()
    weights = clinical * network.clinical.weight[0] / network.standardise.sd
    filled = torch.where(values.isnan(), network.standardise.mean, values)
    names = [*network.settings.columns, SIGNATURE]
    table = pd.DataFrame(torch.column_stack([filled, signature]).numpy(), columns=names)
    coefficients = dict(zip(names, [*weights.tolist(), deep], strict=True))
    time, event = outcome.numpy().T
    return cox_nomogram(coefficients, values=table, time=time, event=event, horizons=network.settings.horizons)


def _read(network: Nomograms, material: LesionStore, settings: Settings) -> tuple[Inference, Tensor, Tensor]:
    """What the network says of crops; by specimen the signature (n,) and the clinical values (n, columns)."""
    found = infer_lesions(network, material, settings, SYSTEM.tasks(settings)[0])
    rows = material.index.drop_duplicates("specimen_id").set_index("specimen_id")
    values = rows.loc[found.specimens["specimen_id"], list(settings.columns)]
    signature = found.specimens["score"].to_numpy(np.float32)
    return found, torch.from_numpy(signature), torch.from_numpy(values.to_numpy(np.float32))


def predict(network: Nomograms, material: LesionStore, settings: Settings) -> Inference:
    """Log hazard of death by the combined nomogram; that of a crop or a lesion is the signature alone."""
    found, signature, values = _read(network, material, settings)
    return replace(found, specimens=found.specimens.assign(score=network.judge(signature, values)[:, 0].numpy()))


def comparators(network: Nomograms, material: LesionStore, cohort: Cohort) -> pd.DataFrame:
    """Log hazard by the deep signature alone, and by the clinical nomogram, by patient_id."""
    found, signature, values = _read(network, material, network.settings)
    table = pd.DataFrame(network.judge(signature, values)[:, 1:].numpy(), columns=[SIGNATURE, CLINICAL])
    return table.groupby(found.specimens["patient_id"].to_numpy()).mean()


LESIONS_CT_AND_TABLE = replace(LESIONS_CT, prepare=prepare)

SYSTEM = System(
    name="zhang_2020_tace_sorafenib",
    question="How long will this patient with HCC live after chemoembolisation with sorafenib?",
    paper=Paper(
        title="Deep Learning Predicts Overall Survival of Patients With Unresectable Hepatocellular Carcinoma Treated"
        " by Transarterial Chemoembolization Plus Sorafenib",
        authors="Zhang L, Xia W, Yan ZP, Sun JH, Zhong BY, Hou ZH, Yang MJ, Zhou GH, Wang WS, Zhao XY, et al.",
        journal="Frontiers in Oncology 10:593292",
        year=2020,
        doi="10.3389/fonc.2020.593292",
        reported={
            "development": {"c_index overall_survival": 0.739},
            "external": {"c_index overall_survival": 0.730},
        },
        patients="120; 81 for validation",
        network="DenseNet (signature C-index 0.717 and 0.714), Cox; clinical nomogram 0.664 and 0.679",
        validation="other hospitals",
        code="not released",
    ),
    task=Survival("overall_survival"),
    room=LESIONS_CT_AND_TABLE,
    population=replace(TACE, name="tace_sorafenib", sorafenib_share=0.99),
    settings=Settings(),
    trial={**NARROW, "weights": "random", "voxels": (1, 64, 64), "learning_rate": 1e-3},
    build=build,
    train=train,
    infer=predict,
    comparators=comparators,
    meaning="log hazard of death, relative",
)
