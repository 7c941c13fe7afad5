"""Penalty: what is known of a spectrum's parameters beforehand, as a quadratic added to half of chi²."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Penalty:
    """Half of (vector - mean)ᵀ precision (vector - mean): mean (p,), precision (p, p) or one a spectrum (n, p, p)."""

    mean: Floats
    precision: Floats

    def add(
        self, vector: Floats, rows: NDArray[np.intp], equations: tuple[Floats, Floats, Floats]
    ) -> tuple[Floats, Floats, Floats]:
        """Normal equations of the spectra `rows` at their vectors (m, p), the penalty added."""
        half, gradient, hessian = equations
        precision = self.precision if self.precision.ndim == 2 else self.precision[rows]
        away = vector - self.mean
        pull = (precision @ away[..., None])[..., 0]
        return half + 0.5 * (away * pull).sum(axis=1), gradient + pull, hessian + precision
