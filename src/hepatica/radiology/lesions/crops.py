"""Crops: a lesion and what is around it, over the phases of a study, on a grid of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.lesions.marks import Mark
from hepatica.radiology.phase.together import StudyPhases

LESION, RIM = 1, 2
"""Labels of a crop's mask: the lesion, and what is around it within the rim; 0 elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Cropping:
    """What is cut out: `voxels` (z y x); with one along z, the `slices` with the largest area of the lesion.

    The side of a crop is that of the lesion's box over `share`, its longer side in the axial plane, or else voxels of
    `voxel_mm` (z y x). `rim_mm` wide is the rim in the mask.
    """

    voxels: tuple[int, int, int]
    share: float | None = None
    voxel_mm: tuple[float, float, float] | None = None
    slices: int = 1
    rim_mm: float = 0.0

    def __post_init__(self) -> None:
        if (self.share is None) == (self.voxel_mm is None):
            raise SettingsError("wanted either lesion_share or voxel_mm, and not both; set the other to none")


@dataclass(frozen=True, kw_only=True, eq=False)
class Crop:
    """`values` (phase z y x) float32 in the units of the volumes, NaN for a phase that is left empty; `mask` (z y x)
    uint8; `geometry` is where it lies; `area_mm2` that of the lesion in a slice.
    """

    values: np.ndarray = field(repr=False)
    mask: np.ndarray = field(repr=False)
    geometry: Geometry
    area_mm2: float | None = None

    @property
    def centre(self) -> np.ndarray:
        """(x, y, z) mm in the patient's axes."""
        return np.asarray((self.geometry.lps @ [*((np.array(self.geometry.shape[::-1]) - 1) / 2), 1])[:3])


def crops(mark: Mark, phases: StudyPhases, *, cropping: Cropping, wanted: tuple[str, ...]) -> Iterator[Crop]:
    """The crop of a lesion, or its slices by their area, the largest first; SpecimenError where it lies beside a phase.

    The axes are those of the reference phase. Each phase is read by its own geometry, whatever its grid, averaged over
    the voxels of a coarser crop and interpolated linearly; beyond its edge the nearest voxel counts.
    """
    reference = phases.volumes[phases.reference]
    axes = np.array(reference.geometry.directions)
    along = mark.points @ axes.T  # (n, 3) mm along z, y and x of the reference
    for low, high, area in _boxes(along, mark, reference, cropping=cropping):
        geometry = _grid(low, high, axes, cropping=cropping)
        values = np.full((len(wanted), *cropping.voxels), np.nan, np.float32)
        for place, name in enumerate(wanted):
            if name in phases.volumes:
                values[place] = sampled(phases.volumes[name], geometry, of=mark.lesion_id)
        yield Crop(values=values, mask=_mask(mark, geometry, rim_mm=cropping.rim_mm), geometry=geometry, area_mm2=area)


def _boxes(
    along: np.ndarray, mark: Mark, reference: Volume, *, cropping: Cropping
) -> Iterator[tuple[np.ndarray, np.ndarray, float | None]]:
    """The lesion's box, or that of each of its largest slices: low and high ends in mm (z y x), and the area."""
    half = np.abs(np.array(mark.geometry.directions) @ np.array(reference.geometry.directions).T).T @ (
        np.array(mark.geometry.spacing) / 2
    )
    if cropping.voxels[0] > 1:
        yield along.min(axis=0) - half, along.max(axis=0) + half, None
        return
    first = float(np.array(reference.geometry.directions)[0] @ reference.geometry.origin)
    place = np.rint((along[:, 0] - first) / reference.geometry.spacing[0]).astype(int)
    numbers, counts = np.unique(place, return_counts=True)
    voxel = float(np.prod(mark.geometry.spacing)) / reference.geometry.spacing[0]
    for which in np.argsort(-counts, kind="stable")[: cropping.slices]:
        inside = along[place == numbers[which]]
        low, high = inside.min(axis=0) - half, inside.max(axis=0) + half
        low[0] = high[0] = first + numbers[which] * reference.geometry.spacing[0]
        yield low, high, float(counts[which] * voxel)


def _grid(low: np.ndarray, high: np.ndarray, axes: np.ndarray, *, cropping: Cropping) -> Geometry:
    shape, centre = np.array(cropping.voxels), (low + high) / 2
    if cropping.voxel_mm is not None:
        spacing = np.array(cropping.voxel_mm, float)
    else:
        assert cropping.share is not None
        z, y, x = high - low
        spacing = np.array([z, max(y, x), max(y, x)]) / cropping.share / shape
        spacing[0] = spacing[0] or spacing[1]  # one slice, whose thickness is that of the volume
    first = centre - (shape - 1) / 2 * spacing
    (z, y, x), (left, back, head) = spacing.tolist(), (first @ axes).tolist()
    return Geometry(
        shape=cropping.voxels,
        spacing=(z, y, x),
        origin=(left, back, head),
        directions=tuple(tuple(each) for each in axes.tolist()),
    )


def sampled(volume: Volume, geometry: Geometry, *, of: str) -> np.ndarray:
    """The volume on another grid, (z y x) float32; SpecimenError where the lesion `of` lies wholly beside it."""
    matrix, offset = steps(volume.geometry, geometry)
    ends = np.array(np.meshgrid(*((0, side - 1) for side in geometry.shape))).reshape(3, -1)
    corners = matrix @ ends + offset[:, None]
    coarser = 2 * (np.abs(matrix).sum(axis=1) // 2).astype(int) + 1  # odd, so that the mean lies in the middle
    if geometry.shape[0] == 1:
        coarser[0] = 1
    shape = np.array(volume.values.shape)
    low = np.floor(corners.min(axis=1)).astype(int) - coarser
    high = np.ceil(corners.max(axis=1)).astype(int) + coarser + 1
    if (high <= 0).any() or (low >= shape).any():
        raise SpecimenError(f"lesion {of} lies beside the series; give masks and places of this study")
    low, high = np.clip(low, 0, shape - 1), np.clip(high, 1, shape)
    inside = volume.values[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    if (coarser > 1).any():
        inside = ndimage.uniform_filter(inside, coarser.tolist(), mode="nearest")
    found = ndimage.affine_transform(
        inside, matrix, offset - low, output_shape=geometry.shape, order=1, mode="nearest", output=np.float32
    )
    return np.asarray(found)


def steps(source: Geometry, target: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """From an index (z y x) of `target` to that of `source`: a matrix (3 3) and an offset (3,)."""
    whole = (np.linalg.inv(source.lps) @ target.lps)[[2, 1, 0, 3]][:, [2, 1, 0, 3]]
    return whole[:3, :3], whole[:3, 3]


def _mask(mark: Mark, geometry: Geometry, *, rim_mm: float) -> np.ndarray:
    """The lesion by the nearest voxel of its mask, and its rim."""
    matrix, offset = steps(mark.geometry, geometry)
    lesion = ndimage.affine_transform(
        mark.marked.view(np.uint8), matrix, offset, output_shape=geometry.shape, order=0, mode="grid-constant", cval=0
    )
    if rim_mm <= 0 or not lesion.any():
        return np.asarray(lesion)
    away = ndimage.distance_transform_edt(lesion == 0, sampling=geometry.spacing)
    return np.where((lesion == 0) & (away <= rim_mm), RIM, lesion).astype(np.uint8)
