"""Drawn: phantom pictures of nuclei whose outlines are known to the pixel, as a map to train on where there is none."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.segmentation import relabel_sequential

from hepatica.cohort.atomic import replacing
from hepatica.cohort.streams import generator
from hepatica.pathology.nuclei.pictures import MARKS, Picture
from hepatica.pathology.phantom.histology import Uptake
from hepatica.pathology.phantom.noise import smooth_noise
from hepatica.pathology.phantom.nuclei import AGGRESSIVE, LYMPHOCYTE, MILD, SPINDLE, between, stamp
from hepatica.pathology.phantom.scanner import HOSPITALS, photograph, stain

CELL = 16.5
"""Micrometres from one liver cell to the next, as in the phantom's slides."""


def drawn_pictures(count: int, *, seed: int, side: int = 256, mpp: float = 0.5) -> list[Picture]:
    """Pictures (side, side, 3) at `mpp`, half of either phantom hospital, from mild to aggressive nuclei."""
    return [_drawn(place, seed=seed, side=side, mpp=mpp) for place in range(count)]


def _drawn(place: int, *, seed: int, side: int, mpp: float) -> Picture:
    rng = generator(seed, "nuclei", place)
    canvas, labels = np.zeros((side, side), np.float32), np.zeros((side, side), np.int32)
    share = float(rng.random())
    area = (side * mpp / 1000) ** 2
    cells = rng.poisson(0.8 * area / (CELL / 1000) ** 2)
    kinds = (
        (cells, between(MILD, AGGRESSIVE, round(share, 1)), 6.8 + 4.4 * share, 0.85 + 0.3 * share),
        (rng.poisson(800 * area), SPINDLE, 5.0, 1.0),
        (rng.poisson((1800 - 1600 * share) * area), LYMPHOCYTE, 5.6, 1.0),
    )
    for number, look, size, dark in kinds:
        stamp(
            canvas,
            positions=rng.uniform(0, side, (number, 2)),
            diameters=size / mpp * np.exp(0.12 * rng.standard_normal(number)),
            looks=[look] * number,
            darkness=dark * np.exp(0.12 * rng.standard_normal(number)),
            labels=labels,
            rng=rng,
        )
    patchy, grain = (smooth_noise(rng, side=side, grain=each / mpp) for each in (40, 1.5))
    ground = np.maximum(0.55 + 0.15 * patchy + 0.1 * grain, 0).astype(np.float32)
    none = np.zeros((1, 1), np.uint8)
    eosin = ground * (1 - 0.35 * canvas.clip(0, 1))
    uptake = Uptake(haematoxylin=np.maximum(canvas, 0.3 * ground), eosin=eosin, collagen=none, outlined=none)
    hospital = HOSPITALS["AB"[place % 2]]
    image = photograph(uptake, rng=rng, hospital=hospital, staining=stain(rng, hospital=hospital))
    return Picture(name=f"{place:04d}", image=image, labels=relabel_sequential(labels)[0].astype(np.int32))


def write_pictures(folder: Path, pictures: Sequence[Picture]) -> None:
    """Write each as NAME.png with NAME_label.png."""
    for each in pictures:
        for end, pixels in (("", each.image), (MARKS[0], each.labels.astype(np.uint16))):
            with replacing(folder / f"{each.name}{end}.png") as temporary:
                Image.fromarray(pixels).save(temporary)
