"""Patches: what a network learns from, drawn anew in every epoch around voxels of each class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from einops import rearrange
from numpy.typing import NDArray
from scipy import ndimage

from hepatica.radiology.masks.mask import LABELS
from hepatica.radiology.segmentation.store import VolumeStore


@dataclass(frozen=True, kw_only=True)
class Patching:
    """How patches are drawn: of `voxels` (z y x); `classes` in rising order of what lies in what.

    `shares` of patches are centred on a voxel of each class, in their order; the rest anywhere. Each is enlarged by a
    factor up to `zoom`, or reduced by as much, mirrored and turned by quarters where `turn`, and made starker (`gain`),
    brighter (`offset`) and noisier (`noise`), standard deviations on 0..1.
    """

    voxels: tuple[int, int, int]
    classes: tuple[str, ...]
    shares: tuple[float, ...]
    zoom: float = 0.0
    turn: bool = False
    gain: float = 0.0
    offset: float = 0.0
    noise: float = 0.0


def patches(
    store: VolumeStore, studies: Sequence[str], numbers: NDArray[np.int64], *, patching: Patching, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Patches of these numbers, as `VolumeStore.read` shapes them, and the class of each voxel, 0 for none of them:
    (b y x), or solid (b z y x). A number has one patch, the same in any batch.
    """
    made = [_patch(store, studies, np.random.default_rng([seed, int(each)]), patching) for each in numbers]
    images, labels = (np.stack(each) for each in zip(*made, strict=True))
    if store.solid:
        return rearrange(images, "b z y x -> b z y x 1"), labels
    return np.ascontiguousarray(rearrange(images, "b z y x -> b y x z")), labels[:, 0]


def as_classes(mask: np.ndarray, *, classes: Sequence[str]) -> NDArray[np.float32]:
    """The class of each voxel of a mask of labels: 0 none, else the place of the last class it is of, from 1."""
    found = np.zeros(mask.shape, np.float32)
    for place, name in enumerate(classes, start=1):
        found[mask >= LABELS[name]] = place
    return found


def _patch(
    store: VolumeStore, studies: Sequence[str], rng: np.random.Generator, patching: Patching
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Image (z y x), of the store's depth, and classes (z y x), of the patch's."""
    name = studies[int(rng.integers(len(studies)))]
    mask = store.part(name, "mask")
    factor = float(np.exp(rng.uniform(-1, 1) * np.log1p(patching.zoom)))
    depth, *sides = patching.voxels
    size = [depth, *(max(2, round(side / factor)) for side in sides)]
    start = _start(store, name, rng, patching, size=size, shape=mask.get_shape())
    reach = 0 if store.solid else store.depth // 2
    rows = slice(start[1], start[1] + size[1]), slice(start[2], start[2] + size[2])
    image = store.slab(name, start[0] - reach, start[0] + depth + reach, within=rows)
    box = [slice(a, min(a + n, side)) for a, n, side in zip(start, size, mask.get_shape(), strict=True)]
    inside = mask[box[0], box[1], box[2]]
    labels = as_classes(_filled(inside, size), classes=patching.classes)
    image = _filled(image, [len(image), *size[1:]])
    if factor != 1:
        grown = [1, *(side / each for side, each in zip(sides, size[1:], strict=True))]
        image, labels = (ndimage.zoom(each, grown, order=order, mode="nearest", grid_mode=True)
                         for each, order in ((image, 1), (labels, 0)))  # fmt: skip
    if patching.turn:
        turns = int(rng.integers(4)) if sides[0] == sides[1] else 2 * int(rng.integers(2))
        flipped = bool(rng.integers(2))
        image, labels = (np.rot90(each[..., ::-1] if flipped else each, turns, (1, 2)) for each in (image, labels))
    return _brightened(np.asarray(image, np.float32), rng, patching), np.ascontiguousarray(labels)


def _start(
    store: VolumeStore,
    name: str,
    rng: np.random.Generator,
    patching: Patching,
    *,
    size: Sequence[int],
    shape: Sequence[int],
) -> list[int]:
    """First voxel (z y x) of a patch about a voxel of a class that is drawn, or anywhere, within the volume."""
    share, place = rng.random(), rng.integers(shape)
    for which, until in zip(patching.classes, np.cumsum(patching.shares), strict=True):
        centres = store.part(name, f"centres_{which}")
        if share < until and centres.get_shape()[0]:
            row = int(rng.integers(centres.get_shape()[0]))
            place = centres[row : row + 1][0]
            break
    aside = np.array(size) // 4
    corner = place - np.array(size) // 2 + rng.integers(-aside, aside + 1)
    return [int(np.clip(each, 0, max(0, n - side))) for each, n, side in zip(corner, shape, size, strict=True)]


def _filled(values: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Zeros behind a patch that the volume is too small for."""
    return np.pad(values, [(0, side - n) for side, n in zip(size, values.shape, strict=True)])


def _brightened(image: NDArray[np.float32], rng: np.random.Generator, patching: Patching) -> NDArray[np.float32]:
    gain, offset = 1 + patching.gain * rng.normal(), patching.offset * rng.normal()
    noisy = (image - 0.5) * gain + 0.5 + offset
    if patching.noise:
        noisy = noisy + patching.noise * rng.standard_normal(image.shape, np.float32)
    return np.asarray(np.clip(noisy, 0, 1), np.float32)
