"""Pretrained: the nuclear U-Net that is part of a system, trained before the rest of it on outlined nuclei."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image
from pydantic import PositiveFloat, PositiveInt

from hepatica.cohort.named_files import named_inside
from hepatica.learn import Plan, load_weights
from hepatica.networks import UNet
from hepatica.pathology.nuclei.pictures import Picture, drawn_pictures, read_pictures
from hepatica.pathology.nuclei.training import WEIGHTS, NucleiPlan, build_unet, fit_unet
from hepatica.protocol import Training


@dataclass(frozen=True, kw_only=True)
class NucleiSettings(Plan):
    """Settings of the U-Net of a system."""

    nuclei: str = ""
    """Folder inside the cohort folder with outlined nuclei, or of a hepatica nuclei train; none: phantom nuclei."""
    nuclei_mpp: PositiveFloat = 0.5
    """Micrometres per pixel of the outlined nuclei."""
    nuclei_pictures: PositiveInt = 120
    """Pictures of phantom nuclei, where none are given."""
    nuclei_width: PositiveInt = 8
    """Channels of the U-Net at its finest level."""
    nuclei_epochs: PositiveInt = 36
    """Passes of its training, each of `nuclei_crops`."""
    nuclei_crops: PositiveInt = 64
    """Crops of 128 pixels in a pass."""


def untrained(settings: NucleiSettings) -> UNet:
    """The U-Net of four levels, the same from one seed."""
    return build_unet(width=settings.nuclei_width, levels=4, seed=settings.seed)


def train_nuclei(training: Training[Any, Any], network: UNet, *, mpp: float) -> dict[str, str]:
    """Fit the U-Net in place to nuclei at `mpp`, or take a trained one; what it was fitted to, for the report."""
    settings = training.settings
    wanted = "a folder of outlined nuclei"
    folder = named_inside(training.cohort.folder, settings.nuclei, wanted=wanted) if settings.nuclei else None
    if folder is not None and (folder / WEIGHTS).exists():
        load_weights(network, folder / WEIGHTS)
        return {"nuclear map": "U-Net of hepatica nuclei train"}
    drawn = folder is None
    pictures = drawn_pictures(settings.nuclei_pictures, seed=settings.seed) if folder is None else read_pictures(folder)
    factor = (0.5 if drawn else settings.nuclei_mpp) / mpp
    plan = replace(
        NucleiPlan(), epochs=settings.nuclei_epochs, crops=settings.nuclei_crops, side=128, batch=16, seed=settings.seed
    )
    sized = [resized(each, factor=factor) for each in pictures]
    fit_unet(network, sized, plan, folder=training.folder / "nuclei", trainer=training.trainer)
    return {"nuclear map": f"U-Net of {len(pictures)} {'phantom ' if drawn else ''}pictures with outlined nuclei"}


def resized(picture: Picture, *, factor: float) -> Picture:
    """The picture, `factor` times as large."""
    high, wide = (max(1, round(side * factor)) for side in picture.labels.shape)
    image = Image.fromarray(picture.image).resize((wide, high), Image.Resampling.BILINEAR)
    labels = Image.fromarray(picture.labels).resize((wide, high), Image.Resampling.NEAREST)
    return replace(picture, image=np.asarray(image), labels=np.asarray(labels))
