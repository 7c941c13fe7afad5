"""Pictures: a folder of images with their nuclei outlined, grouped by how they look; or drawn as a phantom."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.cluster.hierarchy import fcluster, linkage
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu
from skimage.measure import label
from skimage.segmentation import relabel_sequential

from hepatica.cohort.atomic import replacing
from hepatica.cohort.errors import CohortError, reading
from hepatica.cohort.streams import generator
from hepatica.pathology.nuclei.instances import Labels, stains
from hepatica.pathology.phantom.histology import Uptake
from hepatica.pathology.phantom.layout import smooth_noise
from hepatica.pathology.phantom.nuclei import AGGRESSIVE, LYMPHOCYTE, MILD, SPINDLE, between, stamp
from hepatica.pathology.phantom.scanner import HOSPITALS, photograph, stain

IMAGES = {".png", ".tif", ".tiff", ".jpg", ".jpeg"}

MARKS = ("_label", "_labels", "_mask", "_masks", "_cp_masks")
"""What may follow an image's name in that of its label map, beside it or in a folder of FOLDERS."""

FOLDERS = ("labels", "masks")

ALIKE = 5.0
"""CIE colour difference of two images' backgrounds below which they look alike (ours): a trained eye sees about 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """An image (h, w, 3) uint8 and its nuclei, a number each, 0 outside (h, w)."""

    name: str
    image: NDArray[np.uint8]
    labels: Labels


def read_pictures(folder: Path) -> list[Picture]:
    """All images of a folder that have a label map, in the order of their names.

    NAME.png with NAME_label.png (or another of MARKS) beside it, or images/NAME.png with masks/NAME.png or
    labels/NAME.png. A label map numbers its nuclei; one that holds only one value has each connected piece for a
    nucleus. CohortError where none is found, SpecimenError for a file that cannot be read or pairs of unequal size.
    """
    pairs = dict(sorted(_pairs(folder)))
    if not pairs:
        raise CohortError(
            f"{folder} has no image with a label map; wanted NAME.png with NAME{MARKS[0]}.png, or images/NAME.png with"
            " masks/NAME.png"
        )
    return [_read(image, labels) for image, labels in pairs.items()]


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    files = {each for each in folder.rglob("*") if each.suffix.lower() in IMAGES and not each.name.startswith(".")}
    stems = {each.with_suffix(""): each for each in files}
    for image in files:
        if image.parent.name in FOLDERS or image.stem.endswith(MARKS):
            continue
        beside = [image.with_name(image.stem + mark) for mark in MARKS]
        apart = [image.parent.parent / name / (image.stem + mark) for name in FOLDERS for mark in ("", *MARKS)]
        found = [stems[each] for each in (*beside, *apart) if each in stems]
        if found:
            yield image, found[0]


def read_labels(path: Path) -> Labels:
    """A label map (h, w) of any integer type, as Cellpose (NAME_cp_masks.tif), StarDist and others write it."""
    with reading("the label map"), Image.open(path) as opened:
        found = np.asarray(opened)
    found = found[..., 0] if found.ndim == 3 else found
    numbered = label(found) if np.unique(found[found > 0]).size == 1 else relabel_sequential(found.astype(np.int64))[0]
    return np.asarray(numbered, np.int32)


def _read(image: Path, labels: Path) -> Picture:
    with reading(f"the image {image.name}"), Image.open(image) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    map_ = read_labels(labels)
    if map_.shape != pixels.shape[:2]:
        raise CohortError(f"{labels.name} has {map_.shape} pixels, its image {pixels.shape[:2]}; wanted the same")
    return Picture(name=image.stem, image=pixels, labels=map_)


def looks(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How an image (h, w, 3) looks: CIE L*, a*, b*, the median of what is not nucleus by Otsu's threshold."""
    strength = stains(image)[..., 0]
    return np.asarray(np.median(rgb2lab(image)[strength <= threshold_otsu(strength)], axis=0))


def appearances(pictures: Sequence[Picture]) -> NDArray[np.int64]:
    """Number from 0 of the group of each picture: any two that look alike, or like one another's likes, are together.

    Single linkage of `looks` at ALIKE, so that every picture of one group differs by more from all of another.
    """
    if len(pictures) < 2:
        return np.zeros(len(pictures), np.int64)
    tree = linkage(np.stack([looks(each.image) for each in pictures]), "single")
    return np.asarray(fcluster(tree, ALIKE, "distance") - 1, np.int64)


def set_apart(groups: NDArray[np.int64], *, share: float, seed: int) -> NDArray[np.bool_]:
    """Which pictures are for testing: whole groups, at least `share` of the pictures where that leaves the largest.

    The largest group is for training; of the others, as many in random order as the share asks for. With one group
    single pictures are drawn, which look like those of training.
    """
    rng = np.random.default_rng(seed)
    names, sizes = np.unique(groups, return_counts=True)
    units, counts = (groups, dict(zip(names, sizes, strict=True))) if len(names) > 1 else (np.arange(len(groups)), {})
    largest = names[sizes.argmax()] if len(names) > 1 else -1
    test = np.zeros(len(groups), bool)
    for each in rng.permutation([name for name in np.unique(units) if name != largest]):
        if test.sum() < share * len(groups) and test.sum() + counts.get(each, 1) < len(groups):
            test |= units == each
    return test


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
