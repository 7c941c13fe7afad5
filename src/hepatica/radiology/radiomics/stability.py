"""Stability: how far features stay what they are when a lesion is shifted, turned, outlined otherwise or noisy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, distance_transform_edt

from hepatica.cohort.errors import SpecimenError
from hepatica.evaluate import intraclass_correlation
from hepatica.radiology.radiomics.features import RadiomicsSettings, features
from hepatica.radiology.radiomics.shape import Spacing

STABLE = 0.9
"""Lower bound of the ICC from which a feature is called stable (Zwanenburg 2019)."""

Lesion = tuple[NDArray[Any], NDArray[np.bool_], Spacing]
"""Values and mask (z y x), and the spacing in mm, with a margin of some voxels around the lesion."""


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """A shift of the grid by parts of a voxel, its turn in the axial plane, growth of the outline, and added noise."""

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    degrees: float = 0.0
    grow_mm: float = 0.0
    noise: float = 0.0  # SD, in the unit of the values


PERTURBATIONS: Sequence[Perturbation] = (
    Perturbation(),
    Perturbation(shift=(0.25, 0.25, 0.25)),
    Perturbation(shift=(0.75, 0.25, 0.75)),
    Perturbation(degrees=-6),
    Perturbation(degrees=6, shift=(0.0, 0.25, 0.75)),
    Perturbation(grow_mm=-0.5),
    Perturbation(grow_mm=0.5),
    Perturbation(noise=5.0),
)
"""Ours, by the kinds of Zwanenburg 2019 (Scientific Reports 9:614, doi 10.1038/s41598-018-36938-4)."""


def perturbed(lesion: Lesion, change: Perturbation, *, rng: np.random.Generator) -> Lesion:
    """The lesion after a change; values are interpolated linearly, and so is the distance to the outline."""
    values, mask, spacing = lesion
    angle = np.deg2rad(change.degrees)
    turn = np.eye(3)
    turn[1:, 1:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    scale = np.asarray(spacing)
    matrix = turn * scale / scale[:, None]
    centre = np.argwhere(mask).mean(axis=0)
    offset = centre - matrix @ centre + change.shift
    inner, outer = (distance_transform_edt(each, sampling=spacing) for each in (mask, ~mask))
    depth = np.where(mask, inner - scale.min() / 2, scale.min() / 2 - outer)  # above 0 inside, in mm
    moved, within = (affine_transform(each, matrix, offset, order=1, mode="nearest") for each in (values, depth))
    return moved + rng.normal(0, change.noise, values.shape), within > -change.grow_mm, spacing


def stability(
    lesions: Iterable[Lesion],
    *,
    settings: RadiomicsSettings,
    perturbations: Sequence[Perturbation] = PERTURBATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """One row a feature: icc, its interval low and high, and `stable` where low is STABLE or more; the ICC is that of
    lesions over perturbations. NaN where a feature does not vary, or is not defined for each.

    A lesion of which a perturbation leaves nothing is left out; SpecimenError where fewer than two remain.
    """
    rng = np.random.default_rng(seed)
    tables = []
    for lesion in lesions:
        changed = [perturbed(lesion, each, rng=rng) for each in perturbations]
        if all(mask.any() for _, mask, _ in changed):
            tables.append(
                pd.DataFrame([features(*each[:2], spacing_mm=each[2], settings=settings) for each in changed])
            )
    if len(tables) < 2:
        raise SpecimenError(f"got {len(tables)} lesions that outlast every perturbation, wanted two or more")
    measured = np.stack([table.to_numpy(float) for table in tables])
    defined = np.isfinite(measured).all(axis=(0, 1))
    names = pd.Index(tables[0].columns[defined], name="feature")
    agreed = [intraclass_correlation(measured[..., place]) for place in np.flatnonzero(defined)]
    found = pd.DataFrame([(each.value, each.low, each.high) for each in agreed], names, ["icc", "low", "high"], float)
    return found.reindex(pd.Index(tables[0].columns, name="feature")).assign(
        stable=lambda table: table["low"] >= STABLE
    )
