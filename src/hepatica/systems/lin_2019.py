"""Multiphoton grading: is this hepatocellular carcinoma well, moderately or poorly differentiated, without a stain?

Unstained sections under a two-photon microscope: cells shine by their own fluorescence (TPEF), collagen by second
harmonic generation (SHG). VGG-16 reads both as two channels; a section's score is the mean over its tiles. Files are
TIFF of two channels, or colour images with SHG red and TPEF green.

Departures:
1. Patients, not images, are dealt into training and test. A later study of this kind by patient is Galli 2026 (doi
   10.1038/s41598-026-43831-y).
2. Each channel of a tile is standardised by itself, because microscopes differ in gain (ours).
3. For trials a narrow ResNet replaces VGG-16.

Unclear: neither text nor code could be read where this was written, only a review, which gives 113 patients and an
accuracy above 0.90. All settings but the two channels, VGG-16 and the three grades are ours.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import instance_norm

from hepatica.cohort import MultiClass
from hepatica.cohort.phantom import SEQUENCED
from hepatica.learn import Share, pixels_to_images
from hepatica.pathology.room import MULTIPHOTON, SlidePlan
from hepatica.protocol import Paper, System
from hepatica.protocol.plain import NARROW, grad_cam_of_body, pooled, train_plainly


@dataclass(frozen=True, kw_only=True)
class Settings(SlidePlan):
    """All ours but the body."""

    body: str = "vgg16.tv_in1k"
    mpp: float = 0.5  # ours
    stain: bool = False
    epochs: int = 30  # ours
    batch: int = 32  # ours
    learning_rate: float = 1e-4  # ours
    test: Share = 0.3  # ours
    seed: int = 2019


class TwoChannels(nn.Module):
    """SHG and TPEF of images (b, 3, h, w) on 0..1 that show them red and green, of mean 0 and SD 1 in each image."""

    def forward(self, images: Tensor) -> Tensor:
        """(b, 2, h, w); the SD is kept from 0 where a channel is empty."""
        return instance_norm(images[:, :2], eps=1e-3)


def build(settings: Settings, *, pretrained: bool) -> Any:
    """VGG-16 with its hidden layers, whose first kernels have two channels."""
    network = pooled(settings, pretrained=pretrained, outputs=3, channels=2)
    network.set_submodule("normalise", TwoChannels())
    return network


SYSTEM = System(
    name="lin_2019",
    question="Is this hepatocellular carcinoma well, moderately or poorly differentiated, without a stain?",
    paper=Paper(
        title="Automated classification of hepatocellular carcinoma differentiation using multiphoton microscopy and"
        " deep learning",
        authors="Lin H, Wei C, Wang G, et al.",
        journal="Journal of Biophotonics 12(7):e201800435",
        year=2019,
        doi="10.1002/jbio.201800435",
        reported={"internal": {"accuracy grade": 0.90}},
        patients="113",
        network="VGG-16",
        validation="held-out images",
        code="not released",
    ),
    task=MultiClass("grade", classes=("well", "moderate", "poor"), ordered=True),
    room=MULTIPHOTON,
    population=SEQUENCED,
    settings=Settings(),
    trial={**NARROW, "learning_rate": 1e-3},
    build=build,
    train=train_plainly,
    saliency=partial(grad_cam_of_body, read=pixels_to_images, output=-1),
    meaning="probability of poor differentiation",
)
