"""Five-class CT system: which of five kinds of lesion does this liver CT show?

A ResNet scores axial slices; a study has the mean over its slices.

Departures: none.
Unclear: none.
"""

from dataclasses import dataclass
from typing import Any

import torch

from hepatica.cohort import MultiClass
from hepatica.networks import Pooled
from hepatica.protocol import Paper, System
from hepatica.protocol.plain import body_of, train_plainly
from hepatica.radiology.room import CT, SlicePlan

CLASSES = ("hcc", "other malignant", "other benign", "hemangioma", "cyst")


@dataclass(frozen=True, kw_only=True)
class Settings(SlicePlan):
    """The numbers of Methods."""

    epochs: int = 20
    batch: int = 64
    learning_rate: float = 1e-4
    seed: int = 1


def build(settings: Settings, *, pretrained: bool) -> Any:
    """The body and a linear layer; the same from one seed."""
    torch.manual_seed(settings.seed)
    body = body_of(settings, pretrained=pretrained)
    return Pooled(body, channels=body.num_features, classes=len(CLASSES))


SYSTEM = System(
    name="five_class_ct",
    question="Which of five kinds of lesion does this CT show?",
    paper=Paper(
        title="A five-class CT system",
        authors="Doe J, Roe R.",
        journal="Journal of Examples 1:1",
        year=2026,
        doi="10.0000/plain",
        reported={"internal": {"auroc_macro lesion_type": 0.8}},
    ),
    task=MultiClass("lesion_type", classes=CLASSES),
    room=CT,
    settings=Settings(),
    build=build,
    train=train_plainly,
)
