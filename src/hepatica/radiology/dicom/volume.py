"""Volume: a series as numbers, Hounsfield units on a regular grid in the patient."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.decode import decode
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.hounsfield import hounsfield
from hepatica.radiology.dicom.series import Series
from hepatica.radiology.dicom.stack import ON_GRID, refuse_made, upright

Units = Literal["HU", "grey"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """`values` (z y x) float32 on `geometry`, in Hounsfield units, or "grey" (0 to 255) when those are lost.

    `measured` (z) is False for slices that were interpolated because they are missing or damaged in the file.
    """

    values: np.ndarray = field(repr=False)
    geometry: Geometry
    units: Units
    measured: np.ndarray = field(repr=False)
    notes: tuple[str, ...] = ()


def read_volume(series: Series, *, workers: int | None = None) -> Volume:
    """Decode a series, on `workers` threads when its pixels are compressed (by default all cores).

    A slice whose pixels are damaged is noted and interpolated between its neighbours like a missing one. SpecimenError
    when too many are (`stack.MAX_MADE`), when all are, or when the values are no Hounsfield units.
    """
    pixels = decode(series.headers, workers=workers)
    sound = {k: each for k, each in enumerate(pixels) if each is not None and each.shape == series.headers[k].shape}
    if not sound:
        raise SpecimenError(f"none of the {len(pixels)} slices can be decoded; send the series again")
    headers = [series.headers[k] for k in sound]
    stored = [upright(each, header) for each, header in zip(sound.values(), headers, strict=True)]
    values, corrected = hounsfield(stored, headers)
    positions = np.array(series.stack.positions)[list(sound)]
    values, measured = _on_grid(values, positions, series.stack.grid)
    return Volume(
        values=values,
        geometry=series.geometry,
        units="HU",
        measured=measured,
        notes=(*series.notes, *_damaged(set(sound), count=len(pixels)), *corrected),
    )


def _damaged(sound: set[int], *, count: int) -> tuple[str, ...]:
    lost = sorted(set(range(count)) - sound)
    named = ", ".join(str(k + 1) for k in lost)
    return (f"slices {named} of {count} from the feet are damaged; interpolated from their neighbours",) if lost else ()


def _on_grid(values: np.ndarray, positions: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(z y x) on the grid: a slice as it is where one lies, else the straight line between the two around it."""
    step = grid[1] - grid[0] if len(grid) > 1 else 1.0
    distance = np.abs(positions[None] - grid[:, None])
    measured = distance.min(axis=1) <= ON_GRID * step
    refuse_made(int((~measured).sum()), count=len(grid))
    if len(grid) == len(positions) and measured.all():
        return values, measured
    nearest = distance.argmin(axis=1)
    placed = np.empty((len(grid), *values.shape[1:]), np.float32)
    for k, place in enumerate(grid):
        placed[k] = values[nearest[k]] if measured[k] else _between(values, positions, place)
    return placed, measured


def _between(values: np.ndarray, positions: np.ndarray, place: float) -> np.ndarray:
    above = int(np.clip(np.searchsorted(positions, place), 1, len(positions) - 1)) if len(positions) > 1 else 0
    below = max(above - 1, 0)
    span = positions[above] - positions[below]
    weight = float(np.clip((place - positions[below]) / span, 0, 1)) if span else 0.0
    return np.asarray((1 - weight) * values[below] + weight * values[above])
