"""Volume: a series as numbers, Hounsfield units or MR signal on a regular grid in the patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.hounsfield import hounsfield, magnitude
from hepatica.radiology.dicom.series import Series, decode
from hepatica.radiology.dicom.stack import ON_GRID, Stack, refuse_made, upright

Units = Literal["HU", "grey", "signal", "adc"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """`values` (z y x) float32 on `geometry`: Hounsfield units, MR "signal", "adc" (1e-3 mm2/s) or "grey" (0 to 255).

    `measured` (z) is False for slices that were interpolated because they are missing or damaged in the file; `off` are
    the mm by which slices lie off their place of the grid, none where all lie on it.
    """

    values: np.ndarray = field(repr=False)
    geometry: Geometry
    units: Units
    measured: np.ndarray = field(repr=False)
    notes: tuple[str, ...] = ()
    off: Mapping[int, float] = field(default_factory=dict)

    @property
    def heights(self) -> np.ndarray:
        """(z): mm along the patient's long axis of the first voxel of each slice."""
        along = self.geometry.spacing[0] * np.arange(len(self.values), dtype=float)
        for index, away in self.off.items():
            along[index] += away
        return np.asarray(self.geometry.origin[2] + self.geometry.directions[0][2] * along)


def read_volume(series: Series, *, regular: bool = True, workers: int | None = None) -> Volume:
    """Decode a series, on `workers` threads when its pixels are compressed (by default all cores).

    A slice whose pixels are damaged is noted and interpolated between its neighbours like a missing one. Where only
    single slices are used, `regular` False also reads series of uneven distances: each slice is as it is, at the
    nearest place of the grid. SpecimenError when too many slices are damaged, or missing on a regular grid
    (`stack.MAX_MADE`), when all are, or when the values are not Hounsfield units, or of MR no signal.
    """
    pixels = decode(series.headers, workers=workers)
    sound = {k: each for k, each in enumerate(pixels) if each is not None and each.shape == series.headers[k].shape}
    if not sound:
        raise SpecimenError(f"none of the {len(pixels)} slices can be decoded; send the series again")
    refuse_made(len(pixels) - len(sound), count=len(pixels))
    headers = [series.headers[k] for k in sound]
    stored = [upright(each, header) for each, header in zip(sound.values(), headers, strict=True)]
    is_ct = headers[0].modality == "ct"
    values, corrected = (hounsfield if is_ct else magnitude)(stored, headers)
    values, measured = _on_grid(values, list(sound), series.stack, regular=regular)
    return Volume(
        values=values,
        geometry=series.geometry,
        units="HU" if is_ct else "signal",
        measured=measured,
        notes=(*series.notes, *_damaged(set(sound), count=len(pixels)), *corrected),
        off={} if regular else series.stack.off,
    )


def _damaged(sound: set[int], *, count: int) -> tuple[str, ...]:
    lost = sorted(set(range(count)) - sound)
    named = ", ".join(str(k + 1) for k in lost)
    return (f"slices {named} of {count} from the feet are damaged; interpolated from their neighbours",) if lost else ()


def _on_grid(values: np.ndarray, sound: Sequence[int], stack: Stack, *, regular: bool) -> tuple[np.ndarray, np.ndarray]:
    """(z y x) on the grid: a slice as it is where one lies, else the straight line between the two around it."""
    positions, grid, cells = np.array(stack.positions)[sound], stack.grid, np.array(stack.cells)[sound]
    off = np.abs(positions - grid[cells]) > ON_GRID * stack.geometry.spacing[0]
    lying = {int(cell): k for k, cell in enumerate(cells) if not (regular and off[k])}
    measured = np.isin(np.arange(len(grid)), list(lying))
    if regular:
        refuse_made(int((~measured).sum()), count=len(grid))
    if len(grid) == len(positions) and measured.all():
        return values, measured
    placed = np.empty((len(grid), *values.shape[1:]), np.float32)
    for k, place in enumerate(grid):
        placed[k] = values[lying[k]] if k in lying else _between(values, positions, place)
    return placed, measured


def _between(values: np.ndarray, positions: np.ndarray, place: float) -> np.ndarray:
    above = int(np.clip(np.searchsorted(positions, place), 1, len(positions) - 1)) if len(positions) > 1 else 0
    below = max(above - 1, 0)
    span = positions[above] - positions[below]
    weight = float(np.clip((place - positions[below]) / span, 0, 1)) if span else 0.0
    return np.asarray((1 - weight) * values[below] + weight * values[above])
