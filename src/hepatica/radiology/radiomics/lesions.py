"""Lesions: radiomics of the lesions of a store and of the rim around them, in each phase, as rows for a model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hepatica.radiology.lesions.crops import LESION, RIM
from hepatica.radiology.lesions.store import LesionStore
from hepatica.radiology.radiomics.features import RadiomicsSettings, features
from hepatica.radiology.radiomics.shape import Spacing
from hepatica.radiology.radiomics.stability import Lesion, stability

PARTS = {"lesion": LESION, "rim": RIM}


@dataclass(frozen=True, kw_only=True, eq=False)
class LesionFeatures:
    """`values` (crops, features) float32 of the crops of `index`, NaN where one is not defined; `names` of the columns,
    such as "arterial rim cm_contrast_ACUI".
    """

    index: pd.DataFrame
    names: tuple[str, ...]
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Rows."""
        return np.asarray(self.values[indices])


def feature_names(phases: Sequence[str], settings: RadiomicsSettings) -> tuple[str, ...]:
    """Of each part in each phase; the shape of a part is that of the first."""
    ball = np.ones((2, 2, 2))
    named = [features(ball, ball > 0, spacing_mm=(1, 1, 1), settings=each) for each in _by_phase(phases, settings)]
    return tuple(
        f"{phase} {part} {name}" for part in PARTS for phase, found in zip(phases, named, strict=True) for name in found
    )


def lesion_features(
    store: LesionStore, *, phases: Sequence[str], spacing_mm: Spacing, settings: RadiomicsSettings
) -> LesionFeatures:
    """Features of every crop, whose `phases` and voxels are those it was cut with; a part without a voxel, and a phase
    that is absent, has none.
    """
    names = feature_names(phases, settings)
    rows = np.full((len(store), len(names)), np.nan, np.float32)
    for row in range(len(store)):
        values, mask = store.stored(np.array([row]))[0], store.masks(np.array([row]))[0]
        found: dict[str, float] = {}
        for part, label in PARTS.items():
            inside = mask == label
            for phase, of_phase, each in zip(phases, values, _by_phase(phases, settings), strict=True):
                if inside.any() and np.isfinite(of_phase).all():
                    own = features(of_phase, inside, spacing_mm=spacing_mm, settings=each)
                    found |= {f"{phase} {part} {name}": value for name, value in own.items()}
        rows[row] = [found.get(name, np.nan) for name in names]
    return LesionFeatures(index=store.index, names=names, values=rows)


def stable_features(
    store: LesionStore, *, phases: Sequence[str], spacing_mm: Spacing, settings: RadiomicsSettings, **how: Any
) -> np.ndarray:
    """Whether each of `feature_names` is stable (features,) over perturbations of these crops' lesions and rims."""
    found: dict[str, bool] = {}
    crops = [(store.stored(np.array([row]))[0], store.masks(np.array([row]))[0]) for row in range(len(store))]
    for part, label in PARTS.items():
        for place, (phase, each) in enumerate(zip(phases, _by_phase(phases, settings), strict=True)):
            lesions: list[Lesion] = [(values[place], mask == label, spacing_mm) for values, mask in crops]
            table = stability([each for each in lesions if each[1].any()], settings=each, **how)
            found |= {f"{phase} {part} {name}": bool(stable) for name, stable in table["stable"].items()}
    return np.array([found[name] for name in feature_names(phases, settings)])


def _by_phase(phases: Sequence[str], settings: RadiomicsSettings) -> list[RadiomicsSettings]:
    """The settings of each phase: without shape beyond the first, which would be the same."""
    without = replace(settings, families=tuple(each for each in settings.families if each != "shape"))
    return [settings, *(without for _ in phases[1:])]
