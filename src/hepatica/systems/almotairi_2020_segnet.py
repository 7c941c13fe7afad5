"""Modified SegNet: which pixels of this CT slice are liver tumour?

The 13 convolutions of VGG-16 reduce a slice five times by the highest of four pixels, whose places are kept; a mirrored
decoder puts values back at these places and convolves them, and the last layer tells tumour from the rest. Pixels are
weighted by median frequency: tumour, which is rare, counts as much as everything else.

Departures:
1. Patients, not slices, are dealt into training and test: slices of one patient resemble each other, and a network
   that has seen some knows the others (benchmarks/segmentation.py, `--by slice`).
2. Patches of whole slices are drawn around tumour as often as anywhere, and Dice, distances and lesions hit are
   reported in place of pixel accuracy, which is above 0.99 where nothing at all is marked.
3. The last convolution gives the logits; MATLAB's SegNet normalises and rectifies them first.

Unclear (the abstract was at hand): optimiser, epochs, window and augmentation: see `Settings`; whether the liver was
cut out before: here it is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from einops import reduce, repeat
from pydantic import PositiveInt
from torch import Tensor, nn

from hepatica.cohort import Segmentation
from hepatica.cohort.phantom import FOCAL_LESIONS
from hepatica.learn import Share, segmentation_loss
from hepatica.networks import backbone
from hepatica.networks.heads import Normalise, Reading
from hepatica.protocol import Paper, System, Training
from hepatica.radiology.segmentation.patches import as_classes
from hepatica.radiology.segmentation.plan import Part, SegmentPlan
from hepatica.radiology.segmentation.room import SEGMENT_CT, Segmenter, outlined_studies, train_segments
from hepatica.radiology.segmentation.store import VolumeStore

DEPTHS, WIDTHS = (2, 2, 3, 3, 3), (1, 2, 4, 8, 8)
"""Convolutions of each block of VGG-16, and their filters as multiples of those of the first."""


@dataclass(frozen=True, kw_only=True)
class Settings(SegmentPlan):
    """The paper's network; what the abstract leaves open is ours."""

    width: PositiveInt = 64
    """Filters of the first block; VGG-16 has 64."""
    weights: str = "imagenet"
    """Initial weights of the encoder: imagenet, random or a .safetensors file."""
    classes: tuple[Part, ...] = ("lesions",)
    shares: tuple[float, ...] = (0.5,)  # ours
    cuts: tuple[float, ...] = (0.5,)
    voxels: tuple[int, int, int] = (1, 512, 512)
    dice: float = 0.0
    hu: tuple[float, float] = (-100.0, 250.0)  # ours
    optimizer: str = "sgd"  # type: ignore[assignment]  # ours
    epochs: int = 60  # ours
    batch: int = 4  # ours
    learning_rate: float = 1e-2  # ours
    turn: bool = True  # ours
    zoom: float = 0.2  # ours
    noise: float = 0.02  # ours
    test: Share = 0.25  # 5 of 20 patients
    seed: int = 2020


class SegNet(nn.Module):
    """(b, 1, y, x) on 0..1, sides that 32 divides, to logits (b, outputs, y, x) and the mean of the deepest maps."""

    def __init__(self, *, width: int, outputs: int) -> None:
        super().__init__()
        widths = [width * each for each in WIDTHS]
        self.normalise = Normalise()
        self.encode = nn.ModuleList(
            _block([before, *[after] * depth])
            for before, after, depth in zip([3, *widths], widths, DEPTHS, strict=False)
        )
        self.decode = nn.ModuleList(
            _block([after] * depth + [before])
            for before, after, depth in zip([width, *widths], widths, DEPTHS, strict=False)
        )
        self.decode[0] = nn.Sequential(*self.decode[0][:-3], nn.Conv2d(width, outputs, 3, padding=1))  # type: ignore[index]
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)

    def forward(self, slices: Tensor) -> Reading:
        """Segment a batch."""
        maps, kept = self.normalise(repeat(slices, "b 1 y x -> b c y x", c=3)), []
        for block in self.encode:
            maps, places = self.pool(block(maps))
            kept.append(places)
        signature = reduce(maps, "b c y x -> b c", "mean")
        for block, places in zip(reversed(self.decode), reversed(kept), strict=True):
            maps = block(self.unpool(maps, places))
        return Reading(maps, signature)


def _block(widths: list[int]) -> nn.Sequential:
    """Convolutions of 3 x 3, each with batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for given, made in pairwise(widths):
        layers += [nn.Conv2d(given, made, 3, padding=1), nn.BatchNorm2d(made), nn.ReLU()]
    return nn.Sequential(*layers)


def build(settings: Settings, *, pretrained: bool) -> Segmenter:
    """The network; with weights, the encoder's convolutions are those of VGG-16. The same from one seed."""
    torch.manual_seed(settings.seed)
    network = SegNet(width=settings.width, outputs=1 + len(settings.classes))
    if pretrained and settings.weights != "random":
        known = [each for each in backbone("vgg16.tv_in1k", weights=settings.weights).modules() if _kernel(each)]
        for own, theirs in zip(filter(_kernel, network.encode.modules()), known, strict=False):
            own.load_state_dict(theirs.state_dict())
    return Segmenter(network, settings)


def _kernel(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d)


def median_frequency(slices: Iterable[np.ndarray], *, classes: int) -> list[float]:
    """Weight of each class, 0 for none on: the median frequency of the classes over its own, which is its share of the
    pixels of those slices (y x, of class numbers) that have it. A class that is nowhere weighs 0.

    Source: Eigen and Fergus, ICCV 2015, arXiv 1411.4734, section 3.3.
    """
    own, there = np.zeros((2, classes))
    for each in slices:
        counts = np.bincount(each.ravel().astype(int), minlength=classes)
        own, there = own + counts, there + each.size * (counts > 0)
    frequency = own / np.maximum(there, 1)
    known = frequency > 0
    weights: list[float] = np.where(known, np.median(frequency[known]) / np.where(known, frequency, 1), 0.0).tolist()
    return weights


def train(training: Training[Settings, VolumeStore]) -> dict[str, Any]:
    """Weigh the classes by the training patients, then fit."""
    settings, store = training.settings, training.material
    studies = outlined_studies(store, training.split.train)
    masks = (as_classes(store.part(each, "mask")[:], classes=settings.classes) for each in studies)
    weights = median_frequency((one for mask in masks for one in mask), classes=1 + len(settings.classes))
    loss = segmentation_loss(weights=weights, dice=settings.dice)
    named = {
        f"weight of {name}": round(weight, 4) for name, weight in zip(("none", *settings.classes), weights, strict=True)
    }
    return train_segments(training, loss=loss) | named


SYSTEM = System(
    name="almotairi_2020_segnet",
    question="Which voxels of this CT are liver tumour?",
    paper=Paper(
        title="Liver Tumor Segmentation in CT Scans Using Modified SegNet",
        authors="Almotairi S, Kareem G, Aouf M, Almutairi B, Salem MA",
        journal="Sensors 20(5):1516",
        year=2020,
        doi="10.3390/s20051516",
        reported={"training": {"accuracy tumour": 0.999}},  # of pixels, at the most, as quoted
        patients="20 (3D-IRCADb-01): 15 to train, 5 to test",
        network="VGG-16 SegNet, binary, median-frequency weights",
        validation="none outside; pixel accuracy up to 0.999 in training",
        code="not released",
    ),
    task=Segmentation("outlines"),
    room=SEGMENT_CT,
    population=FOCAL_LESIONS,
    settings=Settings(),
    trial={"width": 12, "weights": "random", "learning_rate": 0.05},
    shortest={"width": 4, "learning_rate": 1e-3},
    build=build,
    train=train,
    meaning="probability of tumour",
)
