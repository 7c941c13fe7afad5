"""Stack: the slices of one series in the order of the body, from the feet to the head, or why they make no volume."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.header import Header, Kind

AXIAL: dict[Kind, float] = {"ct": 20.0, "mr": 40.0}  # ours; MR is angled to the organ, and keeps its directions
"""Degrees a slice's normal may be off the body's long axis; beyond it the series is not axial."""

SAME_DIRECTION = 0.5  # ours
"""Degrees within which two slices count as parallel and a stack as straight (not sheared by a tilted gantry)."""

ON_GRID = 0.1  # ours
"""Part of a slice's distance by which it may be off the regular grid and still be taken as it is."""

MAX_MADE = 0.2  # ours
"""Largest part of a volume's slices that may be interpolated where a regular grid is used; one slice always may."""

MOST_PLACES = 8  # ours
"""Places of the grid for each slice of a series; a header that claims a distance of kilometres is not followed."""

MOST_MADE = 2**28  # ours
"""Voxels of a volume most of whose slices are interpolated: 1 GiB."""

_SAME_PLACE = 0.01  # mm
_SAME_SPACING = 1e-3  # relative


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Slices sorted towards the head, the mm of each along the normal, and the regular grid they are to lie on.

    `made` counts the slices of the grid that no slice of the file lies on; `cells` are the places of the slices on it,
    the nearest. A series of uneven distances has so fine a grid that each slice has a place, and much `made`.
    """

    headers: tuple[Header, ...]
    positions: tuple[float, ...]
    geometry: Geometry
    made: int
    cells: tuple[int, ...]
    notes: tuple[str, ...]

    def slice_at(self, index: int) -> int | None:
        """Which slice of the file lies at a place of the grid."""
        return self.cells.index(index) if index in self.cells else None

    @property
    def off(self) -> dict[int, float]:
        """mm by which the slices lie beyond their places of the grid."""
        return {cell: float(at - self.grid[cell]) for cell, at in zip(self.cells, self.positions, strict=True)}

    @property
    def grid(self) -> np.ndarray:
        """(z): mm along the normal of each slice of the volume."""
        count, step = self.geometry.shape[0], self.geometry.spacing[0]
        return self.positions[0] + step * np.arange(count)


def pile(headers: Sequence[Header]) -> Stack:
    """Sort slices by their position along the common normal; names and instance numbers play no part.

    SpecimenError with the reason when slices differ in orientation, matrix or pixel spacing (the odd slice is named by
    its place), when the series is not axial or its gantry was tilted, when two slices share a place (drop duplicates
    first), and when they lie so far apart that the grid would have more than MOST_PLACES a slice.
    """
    normal = _normal(headers)
    ordered = sorted(headers, key=lambda header: float(np.dot(header.position, normal)))
    _refuse_odd(ordered)
    positions = np.array([float(np.dot(header.position, normal)) for header in ordered])
    gaps = np.diff(positions)
    if gaps.size and gaps.min() < _SAME_PLACE:
        raise SpecimenError(
            "two different slices have one position and nothing distinguishes them; send one phase per series"
        )
    _refuse_tilt(ordered, positions, normal)
    step, notes = _step(gaps, ordered[0])
    count = round((positions[-1] - positions[0]) / step) + 1
    if count > max(len(ordered), min(MOST_PLACES * (len(ordered) + 1), MOST_MADE / np.prod(ordered[0].shape))):
        raise SpecimenError(f"slices lie up to {gaps.max():.3g} mm apart; send the series again, complete")
    away = np.abs(positions[:, None] - (positions[0] + step * np.arange(count)))
    nearest = dict(sorted(enumerate(away.argmin(axis=1).tolist()), key=lambda each: -away[each]))
    lying = {cell: k for k, cell in nearest.items()}  # of two slices at a place that which is nearer
    chosen = sorted(lying.values())
    made = int((away.min(axis=0) > ON_GRID * step).sum())
    notes += (f"{len(ordered) - len(chosen)} slices between the others are left out",) * (len(chosen) < len(ordered))
    return Stack(
        headers=tuple(ordered[k] for k in chosen),
        positions=tuple(float(positions[k]) for k in chosen),
        geometry=_geometry(ordered[0], normal, count=count, step=step),
        made=made,
        cells=tuple(nearest[k] for k in chosen),
        notes=(*notes, *_uneven(gaps, made=made, count=count, step=step)),
    )


def refuse_made(made: int, *, count: int) -> None:
    """SpecimenError when more slices of a volume would have to be interpolated than MAX_MADE allows."""
    if not _few(made, count):
        raise SpecimenError(
            f"{made} of {count} slices of the regular grid are missing (uneven spacing, a gap or damaged slices), "
            f"wanted at most {MAX_MADE:.0%}; send the series again, complete and evenly spaced"
        )


def _few(made: int, count: int) -> bool:
    return made <= max(1, MAX_MADE * count)


def _normal(headers: Sequence[Header]) -> np.ndarray:
    normals = [np.cross(header.orientation[:3], header.orientation[3:]) for header in headers]
    normals = [each if each[2] >= 0 else -each for each in normals]
    rows = [np.array(header.orientation[:3]) for header in headers]
    turns = [max(_degrees(n, normals[0]), _degrees(r, rows[0])) for n, r in zip(normals, rows, strict=True)]
    if max(turns) > SAME_DIRECTION:
        raise SpecimenError(
            "slices of different orientation in one series; send the axial ones as a series of their own"
        )
    kind = headers[0].modality
    refuse_oblique(normals[0], kind=kind)
    turned = _degrees(np.abs(rows[0][:2]), np.array([0.0, 1.0] if _is_turned(headers[0]) else [1.0, 0.0]))
    if turned > AXIAL[kind]:
        raise SpecimenError(f"the rows of the slices are {turned:.0f} degrees off the body's sides; send them straight")
    return np.asarray(normals[0] / np.linalg.norm(normals[0]))


def refuse_oblique(normal: np.ndarray, *, kind: Kind = "ct") -> None:
    """SpecimenError when slices of this normal (x y z) are not axial, as far as those of its kind must be."""
    off = _degrees(normal, np.array([0.0, 0.0, 1.0]))
    if off > AXIAL[kind]:
        raise SpecimenError(
            f"not axial: the slices' normal is {off:.0f} degrees off the body's axis; send axial slices"
        )


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
    """The distance of a regular grid, so that each slice lies on it as far as possible; positions may be rounded."""
    if not gaps.size:
        if first.thickness is None:
            return 1.0, ("a single slice of unknown thickness; 1 mm assumed",)
        return first.thickness, ("a single slice",)
    usual, least = float(np.median(gaps)), float(gaps.min())
    fitted = [_fitted(gaps, step) for step in (usual, least, least / 2, least / 3)]
    even = [step for step, off in fitted if off <= ON_GRID]
    if _few(int((gaps > (1 + ON_GRID) * usual).sum()), gaps.size):  # a gap or an odd slice, no reason for a finer grid
        return (fitted[0][0] if fitted[0][0] in even else usual), ()
    return (even or [least])[0], ()


def _fitted(gaps: np.ndarray, step: float) -> tuple[float, float]:
    """The step of least squares where each distance is a whole number of about `step`, and how far off a slice is."""
    places = np.cumsum([0, *np.maximum(np.round(gaps / step), 1)])
    along = np.cumsum([0, *gaps])
    centred = places - places.mean()
    mean = float(centred @ along / (centred @ centred))
    return mean, float(np.abs(along / mean - places).max())


def _uneven(gaps: np.ndarray, *, made: int, count: int, step: float) -> tuple[str, ...]:
    if not made:
        return ()
    whole = np.abs(gaps / step - np.round(gaps / step)).max() <= ON_GRID
    what = "slices are missing" if whole and _few(made, count) else "the slices are unevenly spaced"
    return (
        f"{what} (distances from {gaps.min():.3g} to {gaps.max():.3g} mm): "
        f"{made} of {count} slices are interpolated from their neighbours",
    )


def _is_turned(header: Header) -> bool:
    """Whether rows run along the body's depth, as they do when the patient lies on a side."""
    return abs(header.orientation[0]) < abs(header.orientation[1])


def _geometry(first: Header, normal: np.ndarray, *, count: int, step: float) -> Geometry:
    """The grid of the array as it is after `upright`, which turns rows to the left and columns to the back."""
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    (height, width), (down, across) = first.shape, first.spacing
    if _is_turned(first):
        row, column, height, width, down, across = column, row, width, height, across, down
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
    """Turn a slice (y x …) so that x grows to the patient's left and y to the back, as `Geometry` has it."""
    return _mirrored(np.swapaxes(image, 0, 1) if _is_turned(header) else image, header)


def as_stored(image: np.ndarray, header: Header) -> np.ndarray:
    """Turn an upright slice (y x …) back to the rows and columns of its file."""
    image = _mirrored(image, header)
    return np.swapaxes(image, 0, 1) if _is_turned(header) else image


def _mirrored(image: np.ndarray, header: Header) -> np.ndarray:
    """Turned by a side, the columns of the file are the rows here."""
    across, down = (3, 1) if _is_turned(header) else (0, 4)
    image = image[:, ::-1] if header.orientation[across] < 0 else image
    return image[::-1] if header.orientation[down] < 0 else image
