"""Insert: phantom lesions in a real CT, as its scanner would have shown them.

The lesion lies where the real liver was: vessels there are gone, and what is left of the scan is its level nearby, its
blur and its noise. The truth is known and the surroundings are real. All numbers are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from einops import reduce, repeat
from scipy import ndimage

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.cohort.phantom import Lesion
from hepatica.cohort.streams import generator
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.phantom.enhancement import ATTENUATION, PHASES, Tissue
from hepatica.radiology.phantom.lesions import FIRST_LABEL, LOOKS, appear, ct_palette, place
from hepatica.radiology.phantom.scan_texture import scan_blur, scan_noise
from hepatica.radiology.phantom.settings import STANDARD
from hepatica.radiology.phantom.shapes import Grid, Millimetres

DIAMETERS_CM = (0.5, 15.0)
"""The smallest and the largest lesion that is drawn."""

LIVER_HU = (10.0, 250.0)
"""The level a liver can have: outside of it the mask marks something else."""

_FINE_MM = 1.0  # slices are drawn in parts of about this thickness and averaged
_NEARBY_MM = 12.0  # over which the level of the liver is taken
_VESSELS_HU = 25.0  # beyond this from the liver's median a voxel is vessel or lesion and counts no further
_SMOOTH_MM = 1.5  # of the liver's outline, which cuts off what bulges from it
_MARGIN = 6  # pixels around the liver that the blur may reach


def insert_lesions(
    volume: Volume, *, liver: np.ndarray, phase: str, lesions: Sequence[Lesion], seed: int, difficulty: float = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The scan with `lesions` drawn into its `liver` (z y x) bool: HU (z y x) float32, and a mask (z y x) uint8.

    The mask has 1 for liver, 2 and on for the lesions in their order; voxels no lesion reaches keep their value.
    `phase` is one of `enhancement.PHASES`: the one the scan was made in. Contrast above the liver's level is carried in
    Hounsfield units; below it in proportion, so that water is 0 in any liver. Difficulty 0 to 1 takes contrast away as
    in the phantom cohort. A lesion that does not fit is cut off by the liver's surface or the scan's ends.

    SettingsError when phase, kind, diameter or difficulty is none that can be drawn; SpecimenError when the volume has
    no Hounsfield units, or the mask is no liver of its shape.
    """
    _check_wishes(phase, lesions, difficulty)
    _check_liver(volume, liver)
    rng = generator(seed, "inserted lesions")
    scene = _scene(volume, liver, radius=max(lesion.radius for lesion in lesions))
    effect = 1 - STANDARD.contrast_lost_when_hard * difficulty
    values, mask = volume.values.copy(), liver.astype(np.uint8)
    noise = scan_noise(rng, values[scene.box], liver=liver[scene.box], shape=scene.level.shape)
    centres = place(rng, lesions, depth=scene.depth, grid=scene.grid)
    for label, (lesion, centre) in enumerate(zip(lesions, centres, strict=True), start=FIRST_LABEL):
        cover, content = _drawn(rng, lesion, centre, scene, phase=PHASES.index(phase), effect=effect)
        there = values[scene.box]
        fresh = np.sqrt(cover * (2 - cover))  # the noise of the mixture is as strong as either's
        there += content - cover * there + fresh * noise
        mask[scene.box][(cover >= 0.5) & liver[scene.box]] = label
    return values, mask


def _check_wishes(phase: str, lesions: Sequence[Lesion], difficulty: float) -> None:
    if phase not in PHASES:
        raise SettingsError(f"got the phase {phase!r}, wanted one of {', '.join(PHASES)}")
    if not 0 <= difficulty <= 1:
        raise SettingsError(f"got a difficulty of {difficulty}, wanted 0 (easy) to 1 (hard)")
    if not lesions:
        raise SettingsError("got no lesion to draw, wanted one or more")
    smallest, largest = DIAMETERS_CM
    for lesion in lesions:
        if lesion.kind not in LOOKS:
            raise SettingsError(f"got the kind of lesion {lesion.kind!r}, wanted one of {', '.join(LOOKS)}")
        if not smallest <= lesion.diameter_cm <= largest:
            raise SettingsError(f"got a lesion of {lesion.diameter_cm} cm, wanted {smallest} to {largest} cm")


def _check_liver(volume: Volume, liver: np.ndarray) -> None:
    if volume.units != "HU":
        raise SpecimenError("lesions can only be drawn in Hounsfield units; give the DICOM series, not pictures of it")
    if liver.shape != volume.values.shape:
        raise SpecimenError(f"got a liver of {liver.shape} voxels, wanted those of the volume {volume.values.shape}")
    if not liver.any():
        raise SpecimenError("no liver is marked in this series; give a mask that marks it")
    level, (lowest, highest) = float(np.median(volume.values[liver])), LIVER_HU
    if not lowest <= level <= highest:
        raise SpecimenError(
            f"what is marked as liver has {level:.0f} HU, wanted {lowest:.0f} to {highest:.0f}; check the mask"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scene:
    """The `box` of the volume around the liver; `grid` has `parts` of each of its slices, and so has `depth`.

    `level`, `outline` (z y x of the box): HU of the liver nearby, and its share of each voxel.
    """

    box: tuple[slice, slice, slice]
    grid: Grid
    parts: int
    depth: np.ndarray
    level: np.ndarray
    outline: np.ndarray
    blur: float


def _scene(volume: Volume, liver: np.ndarray, *, radius: float) -> _Scene:
    box = _around(liver)
    values, inside, spacing = volume.values[box], liver[box], volume.geometry.spacing
    parts = max(1, round(spacing[0] / _FINE_MM))
    depth = ndimage.distance_transform_edt(inside, sampling=spacing)
    depth[~inside | ~_far_from_ends(liver, radius=radius, thick=spacing[0])[box[0], np.newaxis, np.newaxis]] = -np.inf
    outline = ndimage.gaussian_filter(inside.astype(np.float32), [0, *(_SMOOTH_MM / side for side in spacing[1:])])
    return _Scene(
        box=box,
        grid=_grid(volume.geometry, shape=values.shape, parts=parts),
        parts=parts,
        depth=repeat(depth, "z y x -> (z part) y x", part=parts),
        level=_level(values, inside, spacing=spacing),
        outline=np.clip(2 * outline, 0, 1) * (outline > 0.05),
        blur=float(np.sqrt(scan_blur(volume.values) ** 2 - 1 / 12)),  # the lesion is drawn a pixel wide already
    )


def _around(liver: np.ndarray) -> tuple[slice, slice, slice]:
    (tight,) = ndimage.find_objects(liver.astype(np.uint8))
    z, y, x = (
        slice(max(0, side.start - margin), side.stop + margin)
        for side, margin in zip(tight, (1, _MARGIN, _MARGIN), strict=True)
    )
    return z, y, x


def _far_from_ends(liver: np.ndarray, *, radius: float, thick: float) -> np.ndarray:
    """(z) bool: slices far enough from the scan's ends for a lesion to be seen whole, or as far as the liver goes."""
    slices = np.arange(len(liver))
    room = (np.minimum(slices, slices[::-1]) + 0.5) * thick
    return np.asarray(room >= min(1.2 * radius, 0.75 * room[liver.any(axis=(1, 2))].max()))


def _grid(geometry: Geometry, *, shape: tuple[int, ...], parts: int) -> Grid:
    thick, down, across = geometry.spacing
    z, y, x = (
        np.arange(count, dtype=np.float32) * np.float32(step)
        for count, step in zip((shape[0] * parts, *shape[1:]), (thick / parts, down, across), strict=True)
    )
    return Grid(
        x=x[np.newaxis, np.newaxis, :], y=y[np.newaxis, :, np.newaxis], z=z[:, np.newaxis, np.newaxis],
        pixel=float(np.sqrt(down * across)), thickness=thick / parts,
    )  # fmt: skip


def _level(values: np.ndarray, liver: np.ndarray, *, spacing: tuple[float, float, float]) -> np.ndarray:
    """HU of the liver around each voxel, without its vessels."""
    median = float(np.median(values[liver]))
    reach = [_NEARBY_MM / side for side in spacing]
    plain = np.where(liver, values.clip(median - _VESSELS_HU, median + _VESSELS_HU) - median, 0)
    total, weight = (ndimage.gaussian_filter(each.astype(np.float32), reach) for each in (plain, liver))
    return np.asarray(median + total / np.maximum(weight, 1e-3))


def _drawn(
    rng: np.random.Generator, lesion: Lesion, centre: Millimetres, scene: _Scene, *, phase: int, effect: float
) -> tuple[np.ndarray, np.ndarray]:
    """How much of each voxel of the box the lesion fills as the scanner sees it, and its HU times that."""
    seen = appear(rng, lesion, centre=centre, grid=scene.grid, effect=effect, palette=ct_palette())
    cover, content = np.zeros((2, *scene.grid.shape), dtype=np.float32)
    cover[seen.where] = seen.cover
    content[seen.where] = seen.cover * seen.inside[phase]
    cover, content = (
        reduce(each, "(z part) y x -> z y x", "mean", part=scene.parts) * scene.outline for each in (cover, content)
    )
    content = cover * _carried(content / np.maximum(cover, 1e-6), phase=phase, level=scene.level)
    blur = (0, scene.blur, scene.blur)
    return ndimage.gaussian_filter(cover, blur), ndimage.gaussian_filter(content, blur)


def _carried(inside: np.ndarray, *, phase: int, level: np.ndarray) -> np.ndarray:
    """HU of the phantom's lesion against a liver of another level."""
    liver = ATTENUATION[Tissue.LIVER][phase]
    below = np.where(inside > 0, inside * level / liver, inside)
    return np.where(inside > liver, level + inside - liver, below)
