"""Registration: volumes brought onto one grid, and the phases of a study onto each other's anatomy.

Phases differ in contrast, so mutual information is maximised, in and around the liver: rigid first, by SimpleITK, then
by a smooth deformation. Each number is ours.
"""

import time
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import SimpleITK as sitk  # noqa: N813, its usual name

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.radiology.deformation import BINS, deformation, mutual_information
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.hounsfield import AIR
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.liver.liver import CREDIBLE, find_liver
from hepatica.radiology.mr.measures import skin

Kind = Literal["none", "rigid", "deformable"]
"""How far a phase may be moved; each begins with the one before it."""

WORK_MM = 3.0
"""Voxels are averaged to about this side to be compared; thicker slices stay as they are."""

MARGIN_MM = 20.0
"""So far around the liver the images are compared: its surface is what shows how it moved."""

LEAST_GAIN = 0.01
"""Share by which mutual information must rise for a step to be used: noise alone gains less."""

MOST_FOLDED = 0.001
"""Share of folded voxels from which on a deformation is not used."""

_WINDOW = (-150.0, 350.0)  # HU: what tells organs apart
_PERCENTILES = (1.0, 99.0)  # of values that are no HU
_STARTS = range(-30, 31, 5)  # mm along the body from which the rigid one may begin: another breath-hold
_LEVELS = {2: 1.0, 1: 0.5}  # resolutions of the rigid one, in voxels of WORK_MM, and the share of them that is drawn
_STEPS, _SEED = 150, 1
_WAVERS = 0.01  # Dice by which estimates of one liver may differ


def to_grid(volume: Volume, geometry: Geometry, *, transform: Any = None) -> Volume:
    """The volume on the voxels of `geometry`, by the straight line between its own; `transform` takes places to places.

    Grids may be oblique to each other. A place outside of the volume is air where units are HU, else 0; a slice whose
    middle lies outside, or in a slice that was not measured, counts as not measured. Nothing is smoothed: of a much
    finer grid single voxels are taken.
    """
    if transform is None and volume.geometry == geometry:
        return volume
    transform = transform or sitk.Transform(3, sitk.sitkIdentity)
    outside = AIR if volume.units == "HU" else 0.0
    grid = _image(np.zeros(geometry.shape, np.uint8), geometry)
    image = _image(volume.values, volume.geometry)
    values = _array(sitk.Resample(image, grid, transform, sitk.sitkLinear, outside))
    z, y, x = geometry.shape
    middles = [geometry.lps[:3] @ [(x - 1) / 2, (y - 1) / 2, k, 1] for k in range(z)]
    places = np.array([[*transform.TransformPoint(each), 1] for each in middles]) @ np.linalg.inv(volume.geometry.lps).T
    nearest = np.rint(places[:, 2::-1]).astype(int)
    inside = ((nearest >= 0) & (nearest < volume.values.shape)).all(axis=1)
    measured = inside & volume.measured[nearest[:, 0].clip(0, len(volume.measured) - 1)]
    return replace(volume, values=values, geometry=geometry, measured=measured, off={})


@dataclass(frozen=True, kw_only=True, eq=False)
class Registered:
    """`volume` on the grid of the fixed one, and how it came there.

    `transform` takes a place of the fixed volume to where the moving one shows the same (LPS, mm). `kind` is what is
    used, "none" where nothing made it better. Before and after: `information`, mutual information (nats) in and around
    the liver times the share of it that both show, and `overlap`, Dice of the two livers, or bodies (0 to 1; None where
    one is not known). `folded_share`: of the voxels there, those where space is turned inside out.
    """

    volume: Volume
    transform: Any = field(repr=False)
    kind: Kind
    information_before: float
    information_after: float
    overlap_before: float | None
    overlap_after: float | None
    folded_share: float
    seconds: float

    def landmark_error(self, fixed: np.ndarray, moving: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n) mm between points (n 3: x y z, LPS) of the same anatomy in the moving volume, before and after."""
        moved = np.array([self.transform.TransformPoint(each) for each in np.asarray(fixed, float)])
        return np.linalg.norm(fixed - moving, axis=1), np.linalg.norm(moved - moving, axis=1)


def register(
    moving: Volume, fixed: Volume, *, kind: Kind = "deformable", within: np.ndarray | None = None,
    moving_within: np.ndarray | None = None,
) -> Registered:  # fmt: skip
    """Bring `moving` onto the grid and the anatomy of `fixed`, another phase or sequence of the same study.

    `within` and `moving_within` mark the livers (z y x) bool, each on the grid of its volume; without them that of CT
    is estimated (`find_liver`) unless `kind` is "none", and where that is not credible the whole volume counts and no
    overlap is known; of MR the bodies take their place. A step is not used, and a note says so, where mutual
    information rises by less than LEAST_GAIN, the overlap falls, or more than MOST_FOLDED is folded: what is returned
    is never worse by them than the common grid alone. The same inputs give the same volume on any number of cores.
    SettingsError for another kind; SpecimenError where a mask is not on the voxels of its volume.
    """
    begun = time.perf_counter()
    if kind not in get_args(Kind):
        raise SettingsError(f"got the registration {kind!r}, wanted one of {', '.join(get_args(Kind))}")
    pair = _pair(moving, fixed, within=within, moving_within=moving_within, estimate=kind != "none")
    first = best = pair.step("none", sitk.Transform(3, sitk.sitkIdentity))
    notes = []
    ways = {"rigid": pair.rigid, "deformable": pair.deformable}
    for name in get_args(Kind)[1 : get_args(Kind).index(kind) + 1]:
        try:
            step = pair.step(name, ways[name](best.transform))
        except RuntimeError:  # SimpleITK's: hardly a place of the one lies in the other
            notes.append("not registered: the two volumes share too few places")
            break
        if fault := step.worse_than(best, slack=pair.slack):
            notes.append(f"{name} registration not used: {fault}")
        else:
            best = step
    notes += best.reported(first)
    volume = to_grid(moving, fixed.geometry, transform=None if best is first else best.transform)
    return Registered(
        volume=replace(volume, notes=(*volume.notes, *notes)),
        transform=best.transform,
        kind=best.kind,
        information_before=first.information,
        information_after=best.information,
        overlap_before=first.overlap,
        overlap_after=best.overlap,
        folded_share=best.folded,
        seconds=time.perf_counter() - begun,
    )


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A transform and what it is worth."""

    kind: Kind
    transform: Any
    information: float
    overlap: float | None
    folded: float
    of: str

    def worse_than(self, other: "_Step", *, slack: float) -> str:
        """In what; empty where in nothing."""
        if self.information <= (1 + LEAST_GAIN) * other.information:
            return f"mutual information rises by less than {LEAST_GAIN:.0%}"
        if (self.overlap or 0.0) < (other.overlap or 0.0) - slack:
            return f"the overlap of the {self.of} falls from {other.overlap:.3f} to {self.overlap:.3f}"
        return f"{self.folded:.2%} of voxels are folded" if self.folded > MOST_FOLDED else ""

    def reported(self, first: "_Step") -> list[str]:
        """What was done and how the two overlap, for the volume's notes."""
        before = [] if first.overlap is None else [f"overlap of the {self.of} {first.overlap:.2f}"]
        if self is first:
            return before
        shown = "".join(f"{each} to {self.overlap:.2f}, " for each in before)
        return [f"{self.kind} registration: {shown}{self.folded:.2%} of voxels folded"]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """Two volumes as they are compared: averaged to WORK_MM, values of a window as 0 to 1.

    `region`: where, on the voxels of `fixed`. `livers`, or what `of` says: of the fixed and the moving volume, where
    both are known, and `slack` how much their overlap may fall.
    """

    fixed: Any
    moving: Any
    region: Any
    livers: tuple[Any, Any] | None
    slack: float
    of: str

    def step(self, kind: Kind, transform: Any) -> _Step:
        """A transform and what it is worth here."""
        return _Step(
            kind=kind,
            transform=transform,
            information=self.information(transform),
            overlap=self.livers and _dice(*self.livers, transform),
            folded=self.folded(transform) if kind == "deformable" else 0.0,
            of=self.of,
        )

    def information(self, transform: Any) -> float:
        """Mutual information (nats) of the two in the region, times the share of it that both show."""
        one, other, inside = _array(self.fixed), self.moved(transform), _array(self.region) > 0
        seen = inside & np.isfinite(other)
        if not seen.any():
            return 0.0
        return float(mutual_information(one[seen], other[seen])[0] * seen.sum() / inside.sum())

    def moved(self, transform: Any) -> np.ndarray:
        """(z y x) the moving one on the voxels of the fixed; NaN outside of it."""
        return _array(sitk.Resample(self.moving, self.fixed, transform, sitk.sitkLinear, float("nan")))

    def rigid(self, _: Any) -> Any:
        """Six parameters about the middle of the region, from the best of _STARTS."""
        middle = sitk.LabelShapeStatisticsImageFilter()
        middle.Execute(self.region)
        found = sitk.Euler3DTransform()
        found.SetCenter(middle.GetCentroid(1))
        starts = []
        for height in _STARTS:
            found.SetTranslation((0.0, 0.0, float(height)))
            starts.append((self.information(found), height))
        found.SetTranslation((0.0, 0.0, float(max(starts)[1])))
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(BINS)
        method.SetMetricFixedMask(self.region)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentagePerLevel(list(_LEVELS.values()), _SEED)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetNumberOfWorkUnits(1)  # sums in one order, whatever the cores
        method.SetShrinkFactorsPerLevel(list(_LEVELS))
        method.SetSmoothingSigmasPerLevel([level / 2 for level in _LEVELS])
        method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
        method.SetOptimizerAsRegularStepGradientDescent(2.0, 0.01, _STEPS)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(found, True)
        method.Execute(self.fixed, self.moving)
        return found

    def deformable(self, before: Any) -> Any:
        """A deformation, then what came before it."""
        spacing = self.fixed.GetSpacing()[::-1]
        field = deformation(
            _array(self.fixed), self.moved(before), where=_array(self.region) > 0, spacing=spacing
        )  # (z y x 3) along the axes of the grid
        turned = field[..., ::-1] @ np.reshape(self.fixed.GetDirection(), (3, 3)).T
        shifts = sitk.GetImageFromArray(np.ascontiguousarray(turned), isVector=True)
        shifts.CopyInformation(self.fixed)
        return sitk.CompositeTransform([sitk.Transform(before), sitk.DisplacementFieldTransform(shifts)])

    def folded(self, transform: Any) -> float:
        """Share of the region where the transform turns space inside out."""
        to = self.region
        shifts = sitk.TransformToDisplacementField(
            transform, sitk.sitkVectorFloat64, to.GetSize(), to.GetOrigin(), to.GetSpacing(), to.GetDirection()
        )
        return float((_array(sitk.DisplacementFieldJacobianDeterminant(shifts))[_array(to) > 0] <= 0).mean())


def _pair(
    moving: Volume, fixed: Volume, *, within: np.ndarray | None, moving_within: np.ndarray | None, estimate: bool
) -> _Pair:
    of, slack = "livers", _WAVERS if within is None or moving_within is None else 0.0
    if within is None and moving_within is None and fixed.units == "signal":  # a liver's signal is that of no scale
        of, (within, moving_within) = "bodies", (np.stack([*map(skin, each.values)]) for each in (fixed, moving))
    livers = [_liver(fixed, within, estimate=estimate), _liver(moving, moving_within, estimate=estimate)]
    images = [_coarse(each) for each in (fixed, moving)]
    region = sitk.Image(images[0].GetSize(), sitk.sitkUInt8) + 1
    region.CopyInformation(images[0])
    if livers[0] is not None:
        outline = sitk.Resample(livers[0], images[0], sitk.Transform(), sitk.sitkNearestNeighbor)
        away = sitk.SignedMaurerDistanceMap(outline, squaredDistance=False, useImageSpacing=True)
        region = sitk.Cast(away <= MARGIN_MM, sitk.sitkUInt8)
    known = livers[0] is not None and livers[1] is not None
    return _Pair(
        fixed=images[0], moving=images[1], region=region, livers=(livers[0], livers[1]) if known else None,
        slack=slack, of=of,
    )  # fmt: skip


def _liver(volume: Volume, given: np.ndarray | None, *, estimate: bool) -> Any:
    """The liver as an image, as given or estimated; None where it is not known."""
    if given is not None and given.shape != volume.values.shape:
        raise SpecimenError(f"got a mask of {given.shape} voxels, wanted those of the volume, {volume.values.shape}")
    if given is None and not estimate:
        return None
    if given is None:
        found = find_liver(volume)
        if found is None or found.confidence < CREDIBLE:
            return None
        given = found.coarse.finely(found.blocks)
    return _image(given.astype(np.uint8), volume.geometry) if given.any() else None


def _coarse(volume: Volume) -> Any:
    low, high = _WINDOW if volume.units == "HU" else np.percentile(volume.values, _PERCENTILES)
    scaled = (volume.values.clip(low, high) - low) / max(high - low, 1e-6)
    image = _image(scaled.astype(np.float32), volume.geometry)
    return sitk.BinShrink(image, [max(1, round(WORK_MM / side)) for side in image.GetSpacing()])


def _dice(fixed: Any, moving: Any, transform: Any) -> float:
    moved = sitk.Resample(moving, fixed, transform, sitk.sitkNearestNeighbor)
    one, other = (_array(each) > 0 for each in (fixed, moved))
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def _array(image: Any) -> np.ndarray:
    return np.asarray(sitk.GetArrayFromImage(image))


def _image(values: np.ndarray, geometry: Geometry) -> Any:
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    z, y, x = geometry.spacing
    image.SetSpacing((x, y, z))
    image.SetOrigin(geometry.origin)
    image.SetDirection((geometry.lps[:3, :3] / (x, y, z)).ravel().tolist())
    return image
