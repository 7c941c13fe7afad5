"""Liver: from which slice to which a CT series shows it, by a mask or our own fast estimate in blocks of about 5 mm."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from einops import reduce
from scipy import ndimage

from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.masks.mask import read_mask

# All ours. Lengths in mm, values in HU.
_SIDE = 5.0  # of a block, about
_SKIN = -300.0  # above: body
_RANGE = (-200.0, 600.0)  # the contrast that is kept; beyond lie air, bone and metal


@dataclass(frozen=True, kw_only=True, eq=False)
class Coarse:
    """The box around the body, in blocks: `values` (z y x) HU, their means, `body` (z y x) bool, all it encloses.

    `spacing` (z y x) mm is that of the blocks; `box` is where they lie among all blocks of `factors` (z y x) voxels
    each of a volume of `shape`.
    """

    values: np.ndarray = field(repr=False)
    body: np.ndarray = field(repr=False)
    spacing: tuple[float, ...]
    box: tuple[slice, slice, slice]
    factors: tuple[int, ...]
    shape: tuple[int, ...]

    @cached_property
    def smooth(self) -> np.ndarray:
        """(z y x) HU without noise, vessels and what else is thinner than two blocks."""
        median = ndimage.median_filter(np.minimum(self.values, 300), 3)
        return np.asarray(ndimage.gaussian_filter(median, [2 / side for side in self.spacing]))

    def from_middle(self) -> np.ndarray:
        """(1 1 x) mm to the left of the body's middle; negative on the patient's right."""
        columns = np.arange(self.body.shape[2], dtype=float)
        middle = np.average(columns, weights=self.body.sum(axis=(0, 1)))
        return np.asarray((columns - middle) * self.spacing[2])[None, None]

    def from_back(self) -> np.ndarray:
        """(z y x) mm of body between a block and the skin of the back, straight behind it."""
        return np.asarray(np.cumsum(self.body[:, ::-1], axis=1)[:, ::-1] * self.spacing[1])

    def depth(self, marked: np.ndarray) -> np.ndarray:
        """(z y x) mm from each block marked to the nearest that is not; the ends of the volume are no surface."""
        if marked.all():
            return np.full(marked.shape, np.inf)
        found = np.zeros(marked.shape)
        for box in ndimage.find_objects(
            marked.astype(np.uint8)
        ):  # the nearest lies in the box around all, or next to it
            near = tuple(slice(max(each.start - 1, 0), each.stop + 1) for each in box)
            found[near] = ndimage.distance_transform_edt(marked[near], sampling=self.spacing)
        return found

    def finely(self, marked: np.ndarray) -> np.ndarray:
        """Blocks marked (z y x) bool, as voxels of the volume."""
        whole = np.zeros([-(-side // factor) for side, factor in zip(self.shape, self.factors, strict=True)], bool)
        whole[self.box] = marked
        for axis in (2, 1, 0):
            whole = np.repeat(whole, self.factors[axis], axis=axis)
        z, y, x = self.shape
        return whole[:z, :y, :x]


def gather(volume: Volume) -> Coarse | None:
    """The blocks of a volume in HU; None where there is no body. Columns and rows that fill no block are left out."""
    shape = volume.values.shape
    factors = [min(side, max(1, round(_SIDE / mm))) for side, mm in zip(shape, volume.geometry.spacing, strict=True)]
    thick, tall, wide = factors
    whole = volume.values[:, : shape[1] // tall * tall, : shape[2] // wide * wide]
    slabs = [whole[k : k + thick].mean(axis=0) for k in range(0, shape[0], thick)]
    values = reduce(np.stack(slabs), "z (y b) (x c) -> z y x", "mean", b=tall, c=wide)
    body = _body(values)
    if not body.any():
        return None
    (box,) = ndimage.find_objects(body.astype(np.uint8))
    spacing = tuple(mm * factor for mm, factor in zip(volume.geometry.spacing, factors, strict=True))
    return Coarse(
        values=np.clip(values[box], *_RANGE),
        body=body[box],
        spacing=spacing,
        box=box,
        factors=tuple(factors),
        shape=shape,
    )


def filled(marked: np.ndarray) -> np.ndarray:
    """What is marked (z y x) bool, with what it encloses in each slice."""
    return np.stack([ndimage.binary_fill_holes(each) for each in marked])


def _body(values: np.ndarray) -> np.ndarray:
    """The largest thing that is no air, with what it encloses: without table, arms and clothes."""
    things, count = ndimage.label(ndimage.binary_opening(values > _SKIN, np.ones((1, 2, 2))))
    if not count:
        return np.zeros(values.shape, bool)
    return filled(things == 1 + np.bincount(things.ravel())[1:].argmax())


PADDING_MM = 5.0  # ours
"""What an estimate may miss of the liver's thin ends: so much is added above and below, one slice at least."""

CREDIBLE = 0.5  # ours
"""Confidence below which an estimate is not used, and all slices are kept."""

# The estimate, all ours. Lengths in mm, values in HU.
_LEVELS = (-10.0, 180.0)  # of a liver, fatty or enhanced
_FLUID = (30.0, 0.25)  # below this level a fatty liver is so much less likely than a large cyst or abscess within one
_THICK = 14.0  # depth below the surface of soft tissue that few organs but the liver have
_CORE = 10.0  # depth that separates the liver from its neighbours
_RIM = 12.0  # back from the core to the surface
_BAND = (18.0, 25.0)  # how far from its level liver may be: three standard deviations, within these
_DRIFT = 15.0  # the level changes smoothly over such lengths (beam hardening beside arms and bones)
_DRIFT_MOST = 30.0  # and no more than this
_SPINE = (0.3, 60.0)  # share of half the body's width, and depth from the back: muscles beside the spine
_ROUNDS = 6
_STEADY = 0.01  # change of the core's size that ends the rounds
_SECTION = (2000.0, 7000.0)  # mm2 of the largest axial section, from nothing like a liver to quite like it; so too:
_EVENNESS = (-15.0, -8.0)  # less the standard deviation about the level
_RIGHT = (0.4, 0.65)  # share on the patient's right
_WIDTH = (180.0, 230.0)  # mm of the body: heads are no trunks


@dataclass(frozen=True, kw_only=True)
class LiverExtent:
    """The liver lies in the slices `first` to `last`, counted from 0 at the feet, both included.

    `source`: "mask", "estimate" (padded by PADDING_MM), or "all" when the liver is not known and every slice is kept.
    `confidence`: 0 to 1; 1 for a mask, of an estimate how far it looks like a liver, 0 for "all".
    """

    first: int
    last: int
    source: Literal["mask", "estimate", "all"]
    confidence: float
    notes: tuple[str, ...] = ()


def liver_extent(volume: Volume, *, mask: Path | None, liver: "FoundLiver | None") -> LiverExtent:
    """Where the liver begins and ends: by the `mask` (see `read_mask`) where there is one, else by `find_liver`.

    Slices lost are worse than slices too many: where nothing credible is found, and where units are "grey", all slices
    are kept and a note says so. SpecimenError when the mask cannot be read or lies beside the volume.
    """
    if mask is not None:
        marked = np.flatnonzero(read_mask(mask, geometry=volume.geometry, only="liver").any(axis=(1, 2)))
        if marked.size:
            return LiverExtent(first=int(marked[0]), last=int(marked[-1]), source="mask", confidence=1.0)
        return _all(volume, "the mask marks no liver in this series; all slices kept")
    if volume.units != "HU":
        return _all(volume, "the liver cannot be estimated without Hounsfield units; all slices kept")
    if liver is None or liver.confidence < CREDIBLE:
        return _all(volume, "no credible liver was found; all slices kept")
    lowest, highest = liver.slices()
    padding = max(1, round(PADDING_MM / volume.geometry.spacing[0]))
    return LiverExtent(
        first=max(0, lowest - padding),
        last=min(len(volume.values) - 1, highest + padding),
        source="estimate",
        confidence=liver.confidence,
    )


def estimate_liver(volume: Volume) -> np.ndarray:
    """Where the liver probably is, (z y x) bool, from axial CT of the abdomen in any phase; for extents, not volumes.

    The largest thick, smooth organ on the patient's right: its level is the commonest value deep in the soft tissue
    there, its core what stays of that level when thin bridges to its neighbours are cut. Vessels and lesions inside
    count as liver. Works on voxels of about 5 mm, whose blocks show. Nothing is marked where nothing like it is found,
    or where units are "grey".
    """
    found = find_liver(volume)
    return np.zeros(volume.values.shape, bool) if found is None else found.coarse.finely(found.blocks)


def _all(volume: Volume, note: str) -> LiverExtent:
    return LiverExtent(first=0, last=len(volume.values) - 1, source="all", confidence=0.0, notes=(note,))


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundLiver:
    """A probable liver: `blocks` (z y x) bool of `coarse`, its `level` in HU, and how far it looks like one, 0 to 1."""

    coarse: Coarse = field(repr=False)
    blocks: np.ndarray = field(repr=False)
    level: float
    confidence: float

    def slices(self) -> tuple[int, int]:
        """The lowest and the highest slice of the volume with liver in it."""
        thick, offset = self.coarse.factors[0], self.coarse.box[0].start
        inside = np.flatnonzero(self.blocks.any(axis=(1, 2))) + offset
        return int(inside[0]) * thick, min(int(inside[-1] + 1) * thick, self.coarse.shape[0]) - 1


def find_liver(volume: Volume) -> FoundLiver | None:
    """The estimate of `estimate_liver`, in blocks; None where nothing like a liver is found, or units are "grey"."""
    coarse = gather(volume) if volume.units == "HU" else None
    if coarse is None:
        return None
    search = _Search(coarse=coarse, values=coarse.smooth, place=coarse.body & ~_beside_spine(coarse))
    level = search.commonest()
    if level is None:
        return None
    core, near, spread = search.grown(level=level)
    if not core.any():
        return None
    liver = near & (coarse.depth(~core) < _RIM)
    ends = [(2, 2)] * 3
    closed = ndimage.binary_closing(np.pad(liver, ends, mode="edge"), iterations=2)[2:-2, 2:-2, 2:-2]
    liver = (liver | closed) & coarse.body
    return FoundLiver(
        coarse=coarse,
        blocks=liver,
        level=float(np.median(search.values[core])),
        confidence=_confidence(coarse, liver, spread=spread),
    )


def _beside_spine(coarse: Coarse) -> np.ndarray:
    """Where the long muscles of the back are, which on plain CT look like liver and touch it."""
    share, depth = _SPINE
    near = np.abs(coarse.from_middle()) < share * coarse.body.shape[2] * coarse.spacing[2] / 2
    return np.asarray(near & (coarse.from_back() < depth))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Search:
    """Smoothed `values` (z y x) HU, and the `place` (z y x) bool where liver may be."""

    coarse: Coarse
    values: np.ndarray
    place: np.ndarray

    def commonest(self) -> float | None:
        """The commonest HU deep in the soft tissue of the right half; None where there is no such tissue."""
        low, high = _LEVELS
        deep = self.coarse.depth(self.place & (self.values > low) & (self.values < high)) > _THICK
        values = self.values[deep & (self.coarse.from_middle() < 0)]
        if not values.size:
            return None
        counts, edges = np.histogram(values, np.arange(low, high + 1, 4))
        centres = edges[:-1] + 2
        likely = np.where(centres < _FLUID[0], _FLUID[1], 1.0)
        return float(centres[(likely * ndimage.gaussian_filter1d(counts.astype(float), 1)).argmax()])

    def grown(self, *, level: float) -> tuple[np.ndarray, np.ndarray, float]:
        """The liver's core, what is near the core's own level, and the standard deviation about it."""
        expected: np.ndarray | float = level
        band, size, spread = _BAND[0], 0, np.inf
        for _ in range(_ROUNDS):
            near = filled(self.place & (np.abs(self.values - expected) < band)) & (self.values > _LEVELS[0])
            core = self.best_part(self.coarse.depth(near) > _CORE)
            if not core.any() or abs(core.sum() - size) <= _STEADY * size:
                break
            size = int(core.sum())
            expected = self.drifting(core)
            spread = 1.4826 * float(np.median(np.abs(self.values - expected)[core]))
            band = float(np.clip(3 * spread, *_BAND))
        return core, near, spread

    def best_part(self, marked: np.ndarray) -> np.ndarray:
        """The largest part, where what lies on the left counts half against it."""
        parts, count = ndimage.label(marked)
        weights = np.broadcast_to(np.where(self.coarse.from_middle() < 0, 1.0, -0.5), parts.shape)
        worth = np.bincount(parts.ravel(), weights.ravel(), count + 1)
        return np.asarray(parts == 1 + worth[1:].argmax()) if count else marked

    def drifting(self, core: np.ndarray) -> np.ndarray:
        """The core's level wherever it is asked for: its smooth mean nearby, its median far away."""
        reach = [_DRIFT / side for side in self.coarse.spacing]
        weight = ndimage.gaussian_filter(core.astype(np.float32), reach, truncate=2)
        total = ndimage.gaussian_filter(np.where(core, self.values, 0), reach, truncate=2)
        level = float(np.median(self.values[core]))
        nearby = total / np.maximum(weight, 1e-3)
        return np.where(weight > 0.01, np.clip(nearby, level - _DRIFT_MOST, level + _DRIFT_MOST), level)


def _confidence(coarse: Coarse, liver: np.ndarray, *, spread: float) -> float:
    """The least of what speaks for a liver: a large section, an even level, a place on the right, a trunk's width."""
    section = liver.sum(axis=(1, 2)).max() * coarse.spacing[1] * coarse.spacing[2]
    right = (liver & (coarse.from_middle() < 0)).sum() / liver.sum()
    width = coarse.body.shape[2] * coarse.spacing[2]
    return min(_rise(section, *_SECTION), _rise(-spread, *_EVENNESS), _rise(right, *_RIGHT), _rise(width, *_WIDTH))


def _rise(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
