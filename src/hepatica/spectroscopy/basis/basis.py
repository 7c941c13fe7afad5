"""Basis: the signal of 1 mM of each metabolite and lipid in one acquisition."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.signal.acquisition import Acquisition


@dataclass(frozen=True, kw_only=True, eq=False)
class Basis:
    """Free induction decays (k, points) of 1 mM of each component, undamped but for a component's own line shape.

    At an echo time of 0 the first sample of a component is the number of its protons. Raises SettingsError where names
    and decays do not pair or a name occurs twice.
    """

    names: tuple[str, ...]
    fids: NDArray[np.complex128]
    acquisition: Acquisition

    def __post_init__(self) -> None:
        if self.fids.shape != (len(self.names), self.acquisition.points):
            raise SettingsError(
                f"got decays of shape {self.fids.shape} for {len(self.names)} names of"
                f" {self.acquisition.points} points; wanted one row per name"
            )
        if len(set(self.names)) < len(self.names):
            raise SettingsError(f"got a component twice in a basis: {', '.join(self.names)}; leave one out")

    def shortened(self, points: int) -> "Basis":
        """The first points of every decay, all where there are no more."""
        acquisition = replace(self.acquisition, points=min(points, self.acquisition.points))
        return replace(self, fids=self.fids[:, :points], acquisition=acquisition)

    def select(self, names: Sequence[str]) -> "Basis":
        """These components only, in this order; SettingsError names those that are missing."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise SettingsError(f"the basis has no {', '.join(missing)}; it has {', '.join(self.names)}")
        rows = [self.names.index(name) for name in names]
        return replace(self, names=tuple(names), fids=self.fids[rows])
