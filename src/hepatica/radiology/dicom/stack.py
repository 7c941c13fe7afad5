"""Stack: the slices of one series in the order of the body, from the feet to the head, or why they make no volume."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import Header

AXIAL = 20.0  # ours
"""Degrees a slice's normal may be off the body's long axis; beyond it the series is not axial."""

SAME_DIRECTION = 0.5  # ours
"""Degrees within which two slices count as parallel and a stack as straight (not sheared by a tilted gantry)."""

ON_GRID = 0.1  # ours
"""Part of a slice's distance by which it may be off the regular grid and still be taken as it is."""

MAX_MADE = 0.2  # ours
"""Largest part of a volume's slices that may be interpolated; one slice always may."""

_SAME_PLACE = 0.01  # mm
_SAME_SPACING = 1e-3  # relative


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Slices sorted towards the head, the mm of each along the normal, and the regular grid they are to lie on.

    `made` counts the slices of the grid that no slice of the file lies on.
    """

    headers: tuple[Header, ...]
    positions: tuple[float, ...]
    geometry: Geometry
    made: int
    notes: tuple[str, ...]

    @property
    def grid(self) -> np.ndarray:
        """(z): mm along the normal of each slice of the volume."""
        count, step = self.geometry.shape[0], self.geometry.spacing[0]
        return self.positions[0] + step * np.arange(count)


def pile(headers: Sequence[Header]) -> Stack:
    """Sort slices by their position along the common normal; names and instance numbers play no part.

    SpecimenError with the reason when slices differ in orientation, matrix or pixel spacing (the odd slice is named by
    its place), when the series is not axial or its gantry was tilted, when two slices share a place (drop duplicates
    first), and when more than MAX_MADE of the regular grid would have to be interpolated.
    """
    normal = _normal(headers)
    ordered = sorted(headers, key=lambda header: float(np.dot(header.position, normal)))
    _refuse_odd(ordered)
    positions = np.array([float(np.dot(header.position, normal)) for header in ordered])
    gaps = np.diff(positions)
    if gaps.size and gaps.min() < _SAME_PLACE:
        raise SpecimenError("two different slices lie at one place and nothing separates them; send one phase a series")
    _refuse_tilt(ordered, positions, normal)
    step, notes = _step(gaps, ordered[0])
    count = round((positions[-1] - positions[0]) / step) + 1
    step = float(positions[-1] - positions[0]) / (count - 1) if count > 1 else step
    made = int(sum(np.abs(positions - each).min() > ON_GRID * step for each in positions[0] + step * np.arange(count)))
    notes += _uneven(gaps, made=made, count=count, step=step)
    geometry = _geometry(ordered[0], normal, count=count, step=step)
    return Stack(
        headers=tuple(ordered), positions=tuple(map(float, positions)), geometry=geometry, made=made, notes=notes
    )


def refuse_made(made: int, *, count: int) -> None:
    """SpecimenError when more slices of a volume would have to be interpolated than MAX_MADE allows."""
    if made > max(1, MAX_MADE * count):
        raise SpecimenError(
            f"{made} of {count} slices of the regular grid are missing (uneven spacing, a gap or damaged slices), "
            f"wanted at most {MAX_MADE:.0%}; send the series again, complete and evenly spaced"
        )


def _normal(headers: Sequence[Header]) -> np.ndarray:
    normals = [np.cross(header.orientation[:3], header.orientation[3:]) for header in headers]
    normals = [each if each[2] >= 0 else -each for each in normals]
    rows = [np.array(header.orientation[:3]) for header in headers]
    turns = [max(_degrees(n, normals[0]), _degrees(r, rows[0])) for n, r in zip(normals, rows, strict=True)]
    if max(turns) > SAME_DIRECTION:
        raise SpecimenError(
            "slices of different orientation in one series; send the axial ones as a series of their own"
        )
    off = _degrees(normals[0], np.array([0.0, 0.0, 1.0]))
    turned = abs(headers[0].orientation[0]) < np.cos(np.radians(AXIAL))
    if off > AXIAL or turned:
        raise SpecimenError(
            f"not axial: the slices' normal is {off:.0f} degrees off the body's axis; send axial slices"
        )
    return np.asarray(normals[0] / np.linalg.norm(normals[0]))


def _degrees(one: np.ndarray, other: np.ndarray) -> float:
    cosine = np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _refuse_odd(ordered: Sequence[Header]) -> None:
    """Name the slice whose matrix or pixel spacing is not that of most."""
    kinds = [(header.shape, tuple(round(each, 4) for each in header.spacing)) for header in ordered]
    most_common = Counter(kinds).most_common(1)[0][0]
    for place, (header, kind) in enumerate(zip(ordered, kinds, strict=True), start=1):
        if header.shape != most_common[0] or not np.allclose(kind[1], most_common[1], rtol=_SAME_SPACING):
            raise SpecimenError(
                f"slice {place} of {len(ordered)} from the feet has {_kind(kind)}, the others {_kind(most_common)}; "
                "send the series again without it"
            )


def _kind(kind: tuple[tuple[int, int], tuple[float, ...]]) -> str:
    (rows, columns), spacing = kind
    return f"{rows} x {columns} pixels of {spacing[0]:.4g} x {spacing[1]:.4g} mm"


def _refuse_tilt(ordered: Sequence[Header], positions: np.ndarray, normal: np.ndarray) -> None:
    if len(ordered) < 2:
        return
    along = np.subtract(ordered[-1].position, ordered[0].position)
    tilt = _degrees(along, normal)
    if tilt > SAME_DIRECTION:
        raise SpecimenError(
            f"the gantry was tilted: each slice is shifted against the next, by {tilt:.1f} degrees in all; "
            "send a reconstruction without tilt"
        )
    shifts = np.array([header.position for header in ordered]) - np.array(ordered[0].position)
    aside = shifts - (positions - positions[0])[:, None] * normal
    if np.abs(aside).max() > max(ordered[0].spacing):
        raise SpecimenError("slices are shifted sideways against each other; send a series of one reconstruction")


def _step(gaps: np.ndarray, first: Header) -> tuple[float, tuple[str, ...]]:
    if gaps.size:
        return float(np.median(gaps)), ()
    if first.thickness is None:
        return 1.0, ("a single slice of unknown thickness; 1 mm assumed",)
    return first.thickness, ("a single slice",)


def _uneven(gaps: np.ndarray, *, made: int, count: int, step: float) -> tuple[str, ...]:
    if not made:
        return ()
    refuse_made(made, count=count)
    whole = np.abs(gaps / step - np.round(gaps / step)).max() <= ON_GRID
    what = "slices are missing" if whole else "the slices are unevenly spaced"
    return (
        f"{what} (distances from {gaps.min():.3g} to {gaps.max():.3g} mm): "
        f"{made} of {count} slices are interpolated from their neighbours",
    )


def _geometry(first: Header, normal: np.ndarray, *, count: int, step: float) -> Geometry:
    """The grid of the array as it is after `upright`, which turns rows to the left and columns to the back."""
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    height, width = first.shape
    down, across = first.spacing
    origin = np.array(first.position)
    if row[0] < 0:
        origin, row = origin + row * across * (width - 1), -row
    if column[1] < 0:
        origin, column = origin + column * down * (height - 1), -column
    axes = tuple((float(x), float(y), float(z)) for x, y, z in (normal, column, row))
    left, back, head = (float(each) for each in origin)
    return Geometry(
        shape=(count, height, width), spacing=(step, down, across), origin=(left, back, head), directions=axes
    )


def upright(image: np.ndarray, header: Header) -> np.ndarray:
    """Turn a slice (y x) so that x grows to the patient's left and y to the back, as `Geometry` has it."""
    image = image[:, ::-1] if header.orientation[0] < 0 else image
    return image[::-1] if header.orientation[4] < 0 else image
