"""Training: a nuclear U-Net learns where nuclei and their borders are, from crops drawn anew in every epoch.

A crop is enlarged or reduced, turned, flipped, stained otherwise and set amid eosin and glass, since slides of another
laboratory differ in all of these. A `Finder` finds the nuclei of an image by the locked network, or by the baseline.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field, PositiveFloat, PositiveInt
from scipy import ndimage

from hepatica.cohort.errors import RunError
from hepatica.cohort.seal import unaltered
from hepatica.cohort.units import MicronsPerPixel
from hepatica.learn import (
    Arrays,
    Fresh,
    History,
    Plan,
    Samples,
    dice_and_cross_entropy,
    load_weights,
    pixels_to_images,
    read_note,
)
from hepatica.networks import UNet
from hepatica.pathology.nuclei.instances import Labels, Separation, baseline, part, targets
from hepatica.pathology.nuclei.pictures import Picture
from hepatica.pathology.phantom.layout import smooth_noise
from hepatica.pathology.stain import DENSITY, RUIFROK


@dataclass(frozen=True, kw_only=True)
class NucleiPlan(Plan):
    """Settings of a nuclear U-Net; all but the levels, the side and the resolution are ours."""

    levels: Annotated[int, Field(ge=2, le=6)] = 4
    """Resolutions of the U-Net, each half of the one above."""
    width: PositiveInt = 8
    """Channels at the finest of them; each level has twice as many as the one above."""
    side: Annotated[int, Field(ge=64)] = 160
    """Side of a crop in pixels."""
    mpp: PositiveFloat = 0.5
    """Micrometres per pixel of the images, at which slides will be read."""
    crops: PositiveInt = 120
    """Crops an epoch."""
    sizes: tuple[PositiveFloat, PositiveFloat] = (0.6, 1.6)
    """Least and largest factor by which a crop is enlarged."""
    colours: Annotated[float, Field(ge=0)] = 0.15
    """SD of the changes of stain: of each colour's share of another, and of the logarithm of its strength."""
    epochs: int = 36
    batch: int = 10
    learning_rate: float = 4e-3
    schedule: str = "cosine"  # type: ignore[assignment]
    validation: float = 0.1
    test: float = 0.25
    seed: int = 2018


QUICK: Mapping[str, Any] = {"side": 128, "crops": 64, "batch": 16, "epochs": 30}
"""Changes for a trial in two minutes."""


def build_unet(*, width: int, levels: int, seed: int) -> UNet:
    """The untrained network, of outputs nucleus and border; the same from one seed."""
    torch.manual_seed(seed)
    return UNet(outputs=2, width=width, levels=levels)


def fit_unet(
    network: UNet,
    pictures: Sequence[Picture],
    plan: NucleiPlan,
    *,
    folder: Path,
    trainer: Mapping[str, Any] | None = None,
) -> History:
    """Fit the network in place to crops of these pictures; a share of them is kept to choose the best epoch by."""
    # Lightning takes seconds to import, which only training needs to pay.
    from hepatica.learn.fit import fit

    order = np.random.default_rng(plan.seed).permutation(len(pictures))
    kept = round(plan.validation * len(pictures))
    watched, seen = ([pictures[place] for place in part] for part in (order[:kept], order[kept:]))
    fresh = Fresh(make=partial(crops, seen, plan=plan), count=plan.crops, name=f"crops of {len(seen)} pictures")
    validation = _still(watched, plan) if watched else None
    plan = replace(plan, monitor="validation_loss") if watched else plan
    return fit(
        network,
        fresh,
        plan,
        folder=folder,
        label="nuclei",
        validation=validation,
        loss=dice_and_cross_entropy,
        trainer=trainer,
    )


def _still(pictures: Sequence[Picture], plan: NucleiPlan) -> Samples:
    """Two crops a picture, as they are."""
    inputs, labels = crops(pictures, np.arange(2 * len(pictures)), plan=replace(plan, sizes=(1.0, 1.0), colours=0.0))
    return Samples(inputs=Arrays(values=inputs), labels=labels)


def crops(
    pictures: Sequence[Picture], numbers: NDArray[np.int64], *, plan: NucleiPlan
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Crops (b, side, side, 3) uint8 of these numbers and their `targets` (b, 2, side, side); a number has one crop."""
    made = [_crop(pictures, np.random.default_rng([plan.seed, int(number)]), plan) for number in numbers]
    return np.stack([image for image, _ in made]), np.stack([targets(labels) for _, labels in made])


def _crop(
    pictures: Sequence[Picture], rng: np.random.Generator, plan: NucleiPlan
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    picture = pictures[int(rng.integers(len(pictures)))]
    height, width = picture.labels.shape
    factor = float(np.exp(rng.uniform(*np.log(plan.sizes))))
    length = min(round(plan.side / factor), height, width)
    top, left = int(rng.integers(height - length + 1)), int(rng.integers(width - length + 1))
    place = np.s_[top : top + length, left : left + length]
    size = (plan.side, plan.side)
    image = np.asarray(Image.fromarray(picture.image[place]).resize(size, Image.Resampling.BILINEAR))
    labels = np.asarray(Image.fromarray(picture.labels[place]).resize(size, Image.Resampling.NEAREST))
    turns, mirrored = int(rng.integers(4)), bool(rng.integers(2))
    image, labels = (np.rot90(each[:, ::-1] if mirrored else each, turns) for each in (image, labels))
    if plan.colours:
        image = amid_other_tissue(image, labels, rng)
    return restained(image, rng, spread=plan.colours), np.ascontiguousarray(labels)


def amid_other_tissue(
    image: NDArray[np.uint8], labels: NDArray[np.int32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The same nuclei on a paler ground; with eosin and haematoxylin over all in half of the cases, and with glass in
    places in two fifths (ours): pictures to train on often show neither, and a window of a slide both.

    Stains follow no outline and glass stays a few pixels away: their edges would show where a nucleus ends, and a
    network that reads these finds none on a slide.
    """
    side, away = len(labels), ndimage.distance_transform_edt(labels == 0).astype(np.float32)
    density = DENSITY.astype(np.float32)[image]
    ground, nuclear = (
        np.median(density[part], axis=0) if part.any() else np.zeros(3) for part in (away > 0, away == 0)
    )
    density = np.maximum(density - rng.random() * ground, 0)
    if rng.random() < 1 / 2:
        most = max(nuclear[0] - ground[0], 0) / RUIFROK[0, 0]
        added = _patches(rng, side=side, finest=20, most=most), _patches(rng, side=side, finest=8, most=1.2)
        density = density + np.stack(added, axis=-1) @ RUIFROK
    if rng.random() < 2 / 5:
        glass = _field(rng, side=side, finest=10) > rng.uniform(-0.8, 1.2)
        far = np.clip((away - rng.uniform(2, 5)) / rng.uniform(2, 6), 0, 1)
        density = density * (1 - far * glass)[..., None]
    return np.asarray(np.exp(-density) * 255, np.uint8)


def _field(rng: np.random.Generator, *, side: int, finest: float) -> NDArray[np.float32]:
    """Smooth noise (side, side) of a grain of `finest` pixels to eight times as many."""
    return smooth_noise(rng, side=side, grain=finest * 8 ** rng.random())


def _patches(rng: np.random.Generator, *, side: int, finest: float, most: float) -> NDArray[np.float32]:
    """Concentrations (side, side) of a stain that lies in patches, up to `most`."""
    uneven = 1 + rng.uniform(0, 1.5) * _field(rng, side=side, finest=finest)
    return np.asarray(np.clip(rng.uniform(0, most) * uneven, 0, most), np.float32)


def restained(image: NDArray[np.uint8], rng: np.random.Generator, *, spread: float) -> NDArray[np.uint8]:
    """An image as another laboratory might have stained it: the densities of red, green and blue mixed and scaled."""
    if not spread:
        return np.ascontiguousarray(image)
    mixed = np.maximum(np.eye(3) + rng.normal(0, spread, (3, 3)), 0) * np.exp(rng.normal(0, spread, 3))
    density = DENSITY.astype(np.float32)[image] @ mixed.astype(np.float32)
    return np.asarray(np.exp(-density) * 255, np.uint8)


WEIGHTS = "nuclei.safetensors"
"""The locked network in the folder of its training."""


LEAST_PIXELS = 8
"""Fewer pixels are no nucleus at any resolution (ours)."""


@dataclass(frozen=True, kw_only=True)
class Finder:
    """Finds nuclei at `mpp`: by the network, or without one by Otsu's threshold of haematoxylin."""

    network: UNet | None = None
    mpp: MicronsPerPixel = MicronsPerPixel(0.5)

    @property
    def name(self) -> str:
        """How nuclei are found, in words."""
        return "haematoxylin-Otsu and watershed" if self.network is None else "nuclear U-Net"

    @property
    def how(self) -> Separation:
        """The same areas and distances in um at any resolution: those of `Separation` at 0.5 um per pixel."""
        usual, scale = Separation(), 0.5 / self.mpp
        area = max(LEAST_PIXELS, round(usual.least_area * scale**2))
        return Separation(least_area=area, least_peak=usual.least_peak * scale)

    def __call__(self, image: NDArray[np.uint8]) -> Labels:
        """Nuclei of an image (h, w, 3) uint8."""
        if self.network is None:
            return baseline(image, how=self.how)
        return part(self.maps(image[None])[0], how=self.how)

    def maps(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (b, 2, h, w) of nucleus and border, of images (b, h, w, 3) uint8."""
        assert self.network is not None, "the baseline has no probabilities"
        with torch.inference_mode():
            read = pixels_to_images(np.require(images, requirements=("C", "W")))
            found: NDArray[np.float32] = self.network.eval()(read).sigmoid().numpy()
        return found


def open_finder(path: Path | None) -> Finder:
    """A finder from the folder `hepatica nuclei train` wrote, or its weight file; None gives the baseline.

    RunError where the file is absent, was changed since it was locked, or is of another kind.
    """
    if path is None:
        return Finder()
    file = path / WEIGHTS if path.is_dir() else path
    unaltered(file)
    note = read_note(file)
    if "nuclei" not in note:
        raise RunError(f"{file} holds no nuclear U-Net; name the folder that hepatica nuclei train wrote")
    shape = note["nuclei"]
    network = build_unet(width=shape["width"], levels=shape["levels"], seed=0)
    load_weights(network, file)
    return Finder(network=network, mpp=MicronsPerPixel(shape["mpp"]))
