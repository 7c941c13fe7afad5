"""Spectral plan: how networks of spectra are shaped, how many vote, and how much simulation they learn from."""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt

from hepatica.learn import Plan
from hepatica.networks import SpectralBody

Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, kw_only=True)
class SpectralPlan(Plan):
    """Numbers of a training on simulated spectra; all are ours, the paper tells none.

    `members` networks of different first weights and different spectra are asked and their answers averaged.
    `per_epoch` spectra are simulated for each epoch of each member; `held_out` others, which none of them saw, fix what
    follows training: intervals, temperature, cut-off.
    """

    members: PositiveInt = 3
    width: PositiveInt = 16
    depth: PositiveInt = 1
    hidden: PositiveInt = 384
    signature: PositiveInt = 256
    dropout: Share = 0.0
    per_epoch: Annotated[int, Field(ge=2)] = 50_000
    held_out: Annotated[int, Field(ge=64)] = 4_000
    epochs: int = 40
    batch: Annotated[int, Field(ge=2)] = 256
    learning_rate: float = 2e-3
    schedule: Literal["steps", "cosine"] = "cosine"
    warmup_epochs: int = 1
    weight_decay: float = 1e-5


def bodies(plan: SpectralPlan, *, points: int) -> list[SpectralBody]:
    """Untrained bodies of the members for spectra of `points`; the same weights from one seed."""
    torch.manual_seed(plan.seed)
    return [
        SpectralBody(
            points=points,
            width=plan.width,
            depth=plan.depth,
            hidden=plan.hidden,
            signature=plan.signature,
            dropout=plan.dropout,
        )
        for _ in range(plan.members)
    ]
