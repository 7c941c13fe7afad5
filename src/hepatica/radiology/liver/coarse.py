"""Coarse: a CT volume in blocks of about 5 mm, without table and surroundings, to find organs fast."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from einops import reduce
from scipy import ndimage

from hepatica.radiology.dicom.volume import Volume

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
