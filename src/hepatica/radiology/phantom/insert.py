"""Insert: phantom lesions in a real CT, as its scanner would have shown them.

The lesion lies where the real liver was: vessels there are gone, and what is left of the scan is its level nearby, its
blur and its noise. The truth is known and the surroundings are real. All numbers are ours.

Scan texture: how blurred a real CT is and what noise it has, measured in the scan itself.

Both estimators are ours: the steepest slopes between the body and the air around it tell the blur, and the
autocorrelation of the most even patches of the liver tells the noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from einops import rearrange, reduce, repeat
from scipy import ndimage

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.cohort.phantom import Lesion
from hepatica.cohort.streams import generator
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.phantom.enhancement import ATTENUATION, PHASES, Tissue
from hepatica.radiology.phantom.lesions import FIRST_LABEL, LOOKS, appear, ct_palette, place
from hepatica.radiology.phantom.scanner import STANDARD
from hepatica.radiology.phantom.shapes import Grid, Millimetres

_AIR, _SOFT = -1000.0, 100.0  # HU between which edges are looked at
_EDGE = 750.0  # HU of a step that counts as one from air to skin, ours
_SLICES = 20  # that are looked at, spread over the scan, ours
_SHARP = 25.0  # percentile of the edges' widths, ours: clothes, folds and motion make many of them dull
_BLUR_BLIND = 0.8  # pixels where no edge can be seen, ours
_PIXEL = 1 / 12  # variance of what one pixel spans

_SIDES = (24, 16, 12, 8)  # of a patch in pixels, the largest that fits often enough, ours
_DEEP = 4  # slices of a patch, ours
_FEWEST = 6  # patches, ours


def scan_blur(values: np.ndarray) -> float:
    """Standard deviation in pixels of the blur within the slices of HU (z y x), from edges between body and air.

    It is that of a bell curve, the pixel's own width included: the root of 1/12 at least.
    """
    known = 1.0  # pixel: what slopes and steps are measured with, taken off again
    few = np.clip(values[:: max(1, len(values) // _SLICES)], _AIR, _SOFT)
    smooth, down, across = (
        ndimage.gaussian_filter(few, (0, known, known), order=order) for order in ((0, 0, 0), (0, 1, 0), (0, 0, 1))
    )
    slope = np.hypot(down, across)
    step = ndimage.maximum_filter(smooth, (1, 9, 9)) - ndimage.minimum_filter(smooth, (1, 9, 9))
    edge = (slope == ndimage.maximum_filter(slope, (1, 3, 3))) & (step >= _EDGE)
    if not edge.any():
        return _BLUR_BLIND
    width = step[edge] / slope[edge] / np.sqrt(2 * np.pi)
    return float(np.sqrt(max(np.percentile(width, _SHARP) ** 2 - known**2, _PIXEL)))


def scan_noise(
    rng: np.random.Generator, values: np.ndarray, *, liver: np.ndarray, shape: tuple[int, int, int]
) -> np.ndarray:
    """(z, y, x) float32 noise of `shape` with the strength and texture of that of HU `values` in the `liver` (z y x).

    SpecimenError when the liver is too small to measure it.
    """
    patches = _patches(values, liver)
    even = patches[patches.std(axis=(1, 2, 3)) <= np.median(patches.std(axis=(1, 2, 3)))]  # the fewest vessels
    near = _autocorrelation(even - even.mean(axis=(1, 2, 3), keepdims=True))
    power = np.fft.rfftn(_spread(near, shape)).real.clip(0)
    white = rng.standard_normal(shape, dtype=np.float32)
    noise = np.fft.irfftn(np.fft.rfftn(white) * np.sqrt(power), s=shape, axes=(0, 1, 2))
    return np.asarray(noise * (even.std() / noise.std()), dtype=np.float32)


def _patches(values: np.ndarray, liver: np.ndarray) -> np.ndarray:
    """(patch z y x) of the liver, edge to edge."""
    deep = min(_DEEP, len(values))
    for side in _SIDES:
        z, y, x = (length // part * part for length, part in zip(values.shape, (deep, side, side), strict=True))
        if not z * y * x:
            continue
        into = {"d": deep, "h": side, "w": side}
        inside = reduce(liver[:z, :y, :x], "(z d) (y h) (x w) -> (z y x)", "min", **into)
        if inside.sum() >= _FEWEST:
            cut = rearrange(values[:z, :y, :x], "(z d) (y h) (x w) -> (z y x) d h w", **into)
            return np.asarray(cut[inside], dtype=np.float64)
    raise SpecimenError(
        f"the liver marked holds fewer than {_FEWEST} patches of {deep} slices and {_SIDES[-1]} pixels a side to "
        "measure the scan's noise in; give the mask of a whole liver"
    )


def _autocorrelation(patches: np.ndarray) -> np.ndarray:
    """(z y x) mean product of two voxels so many apart, 0 in the middle, to half a patch each way, fading out."""
    sides = patches.shape[1:]
    padded = [2 * side for side in sides]
    power = (np.abs(np.fft.rfftn(patches, s=padded, axes=(1, 2, 3))) ** 2).mean(axis=0)
    sums = np.fft.fftshift(np.fft.irfftn(power, s=padded, axes=(0, 1, 2)))
    lags = [np.arange(-(side // 2), side // 2 + 1) for side in sides]
    z, y, x = np.ix_(*lags)
    pairs = (sides[0] - np.abs(z)) * (sides[1] - np.abs(y)) * (sides[2] - np.abs(x))
    fade = np.prod(np.broadcast_arrays(*(_fading(lag, side) for lag, side in zip((z, y, x), sides, strict=True))), 0)
    near = sums[np.ix_(*(lag + side for lag, side in zip(lags, sides, strict=True)))]
    return np.asarray(near / pairs * fade)


def _fading(lag: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(np.cos(np.pi / 2 * lag / (side // 2 + 1)) ** 2)


def _spread(near: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """The autocorrelation on a grid of `shape` that goes round, its middle at the first voxel; 0 far from there."""
    whole = np.zeros(shape)
    lags = [np.arange(side) - side // 2 for side in near.shape]
    kept = [np.abs(lag) <= (length - 1) // 2 for lag, length in zip(lags, shape, strict=True)]
    whole[np.ix_(*(lag[keep] for lag, keep in zip(lags, kept, strict=True)))] = near[np.ix_(*kept)]
    return whole


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
