"""Candidates: the eight networks of Table 2, CNN-SASM, its ablations and the networks it is compared with.

The column "Parameters (M)" of the table is the size in MiB (2^20 bytes) of parameters in single precision: 12,303,980
of CNN-SASM are its 46.94.

Departures: the published counts of ResNet18 and Swin-Transformer are reproduced only with the ImageNet classifier that
stayed unused in the network (`unused`); here it is left out.
Unclear: the footnote calls both CNN-CSA and CNN-SSA "without the CSA module"; by their sizes, CNN-CSA is without SSA.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from hepatica.networks import Pooled, backbone
from hepatica.studies.li_2025_cnn_sasm.settings import OURS, Name, StudySettings
from hepatica.systems.li_2025_cnn_sasm import build


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network of Table 2: `build(settings)` makes it untrained, `published` are its printed average AUROC and MiB.

    `unused` parameters are part of the printed size and of no answer.
    """

    build: Callable[[StudySettings], nn.Module]
    published: dict[str, float]
    unused: int = 0


def pooled(settings: StudySettings, *, name: str, weights: str, shape: str) -> nn.Module:
    """A network of timm with its feature map averaged and two outputs; the settings that give its body are named."""
    torch.manual_seed(settings.seed)
    architecture, start, changes = (getattr(settings, each) for each in (name, weights, shape))
    body: Any = backbone(architecture, weights=start, shape=changes)
    return Pooled(body, channels=body.num_features)


def sasm(settings: StudySettings, **changes: Any) -> nn.Module:
    """CNN-SASM, or an ablation of it."""
    extractor: nn.Module = build(replace(settings, **changes), pretrained=True).extractor
    return extractor


def _printed(mebibytes: float, *aurocs: float) -> dict[str, float]:
    ratios = ("1/4", "1/3", "1/2", "2/3", "3/4", "1")
    return {"MiB": mebibytes, **dict(zip(ratios, aurocs, strict=True))}


CANDIDATES: dict[Name, Candidate] = {
    "ResNet18": Candidate(
        build=partial(pooled, name="body", weights="weights", shape="body_shape"),
        published=_printed(44.60, 0.999, 0.946, 0.926, 0.885, 0.873, 0.724),
        unused=513_000,
    ),
    "DenseNet121": Candidate(
        build=partial(pooled, name="densenet", weights="densenet_weights", shape="densenet_shape"),
        published=_printed(26.53, 0.998, 0.959, 0.915, 0.887, 0.881, 0.700),
    ),
    "Swin-Transformer": Candidate(
        build=partial(pooled, name="swin", weights="swin_weights", shape="swin_shape"),
        published=_printed(334.82, 0.997, 0.953, 0.938, 0.900, 0.897, 0.704),
        unused=1_025_000,
    ),
    OURS: Candidate(build=sasm, published=_printed(46.94, 0.997, 0.975, 0.951, 0.916, 0.901, 0.737)),
    "CNN-SelfAttn": Candidate(
        build=lambda settings: sasm(settings, gate="none"),
        published=_printed(46.94, 0.998, 0.974, 0.938, 0.922, 0.897, 0.733),
    ),
    "CNN-SelfAttn-Attn": Candidate(
        build=lambda settings: sasm(settings, gate="attention"),
        published=_printed(47.06, 0.997, 0.970, 0.941, 0.913, 0.902, 0.743),
    ),
    "CNN-CSA": Candidate(
        build=lambda settings: sasm(settings, modules="channel"),
        published=_printed(42.92, 0.998, 0.972, 0.949, 0.909, 0.898, 0.743),
    ),
    "CNN-SSA": Candidate(
        build=lambda settings: sasm(settings, modules="spatial"),
        published=_printed(46.90, 0.997, 0.965, 0.932, 0.887, 0.888, 0.718),
    ),
}
"""In the order of Table 2, with what it prints: five-fold AUROC at each ratio, and MiB."""


def parameters(candidate: Candidate, settings: StudySettings) -> int:
    """How many numbers the network learns; counted without making them."""
    blank = replace(settings, weights="random", densenet_weights="random", swin_weights="random")
    with torch.device("meta"):
        return sum(each.numel() for each in candidate.build(blank).parameters())


def mebibytes(count: int) -> float:
    """Size of so many parameters in single precision, in MiB."""
    return count * 4 / 2**20
