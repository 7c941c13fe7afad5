"""Table survival system: how long will this patient live after resection, judged from five routine values?

A linear Cox model of standardised values (no hidden layer), learnt by gradient descent.

Departures: none.
Unclear: none.
"""

from dataclasses import dataclass

import torch

from hepatica.clinical.room import TABLES, TablePlan
from hepatica.cohort import Survival
from hepatica.networks import Tabular
from hepatica.protocol import Paper, System
from hepatica.protocol.plain import train_plainly


@dataclass(frozen=True, kw_only=True)
class Settings(TablePlan):
    """The numbers of Methods."""

    columns: tuple[str, ...] = ("age_years", "afp_ng_ml", "albumin_g_l", "sex=male")
    epochs: int = 60
    batch: int = 64
    learning_rate: float = 1e-2
    seed: int = 1


def build(settings: Settings, *, pretrained: bool) -> Tabular:
    """One linear layer; the same from one seed."""
    torch.manual_seed(settings.seed)
    return Tabular(len(settings.columns), outputs=1, hidden=())


SYSTEM = System(
    name="table_survival",
    question="How long will this patient live after resection?",
    paper=Paper(
        title="A table survival system",
        authors="Doe J, Roe R.",
        journal="Journal of Examples 1:1",
        year=2026,
        doi="10.0000/table",
        reported={"internal": {"c_index overall_survival": 0.7}},
    ),
    task=Survival("overall_survival"),
    room=TABLES,
    settings=Settings(),
    build=build,
    train=train_plainly,
)
