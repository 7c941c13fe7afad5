"""Plain slide system: does microvascular invasion accompany this resected tumour, judged from its H&E slides?

A narrow ResNet scores 224-pixel tiles; a slide's score is the mean over its tiles.

Departures: none.
Unclear: none.
"""

from dataclasses import dataclass
from typing import Any

import torch

from hepatica.cohort import Binary
from hepatica.networks import Pooled
from hepatica.pathology.room import SLIDES, SlidePlan
from hepatica.protocol import Paper, System
from hepatica.protocol.plain import body_of, train_plainly


@dataclass(frozen=True, kw_only=True)
class Settings(SlidePlan):
    """The numbers of Methods."""

    epochs: int = 20
    batch: int = 64
    learning_rate: float = 1e-4
    seed: int = 1


def build(settings: Settings, *, pretrained: bool) -> Any:
    """The body and a linear layer; the same from one seed."""
    torch.manual_seed(settings.seed)
    body = body_of(settings, pretrained=pretrained)
    return Pooled(body, channels=body.num_features)


SYSTEM = System(
    name="plain_slide",
    question="Does microvascular invasion accompany this tumour?",
    paper=Paper(
        title="A plain slide system",
        authors="Doe J, Roe R.",
        journal="Journal of Examples 1:1",
        year=2026,
        doi="10.0000/plain",
        reported={"internal": {"auroc mvi": 0.8}},
    ),
    task=Binary("mvi"),
    room=SLIDES,
    settings=Settings(),
    build=build,
    train=train_plainly,
)
