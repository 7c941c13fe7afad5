"""Baseline: what is broad below the peaks, a complex cubic spline of which the bending is penalised."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.optimize import brentq

from hepatica.cohort.errors import SettingsError

Floats = NDArray[np.float64]

SPLINES = 12
"""Cubic B-splines over 0.4 to 4.2 ppm, one in 0.42 ppm (ours): as broad as the lipids of a fat liver, not broader."""

FREEDOM = 12.0
"""Effective degrees of freedom of each of the real and the imaginary baseline (ours): SPLINES, so nothing penalised."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """P-splines of Eilers and Marx (Stat Sci 1996;11:89, doi 10.1214/ss/1038425655) over rising `ppm` (w,).

    The penalty on second differences is as heavy as leaves `freedom` effective degrees of freedom to each of the real
    and the imaginary part: 2, a straight line, to `splines`, no penalty. Raises SettingsError outside of that.
    """

    ppm: Floats
    splines: int = SPLINES
    freedom: float = FREEDOM

    def __post_init__(self) -> None:
        if not (4 <= self.splines < self.ppm.size and 2 < self.freedom <= self.splines):
            raise SettingsError(
                f"got {self.splines} splines with {self.freedom} degrees of freedom for {self.ppm.size} points; wanted"
                " 4 splines or more, fewer than points, and more than 2 degrees of freedom, no more than splines"
            )

    @cached_property
    def design(self) -> Floats:
        """(w, splines) of the B-splines, knots evenly over the window."""
        return bsplines(self.ppm, splines=self.splines)

    @cached_property
    def _spectrum(self) -> tuple[Floats, Floats]:
        """Orthonormal splines (w, splines) and how much each bends (Demmler and Reinsch 1975)."""
        q, r = np.linalg.qr(self.design)
        bends = np.linalg.solve(r.T, np.diff(np.eye(self.splines), n=2, axis=0).T).T
        _, strength, turned = np.linalg.svd(bends, full_matrices=True)
        return q @ turned.T, np.append(strength**2, np.zeros(2))

    @property
    def modes(self) -> Floats:
        """(w, splines) orthonormal; the smoother is modes · diag(kept) · modesᵀ."""
        return self._spectrum[0]

    @cached_property
    def kept(self) -> Floats:
        """(splines,) share in 0..1 of each mode that the penalty leaves; their sum is `freedom`."""
        bending = self._spectrum[1]

        def excess(log_weight: float) -> float:
            return float((1 / (1 + np.exp(log_weight) * bending)).sum() - self.freedom)

        if self.freedom == self.splines:
            return np.ones(self.splines)
        scale = np.log(bending.max())
        weight = np.exp(brentq(excess, -40 - scale, 60 - scale))
        return np.asarray(1 / (1 + weight * bending))

    def smooth(self, values: NDArray[Any]) -> NDArray[Any]:
        """The best baselines (…, w) of what the peaks leave over (…, w)."""
        return np.asarray(((values @ self.modes) * self.kept) @ self.modes.T)

    def whiten(self, values: NDArray[Any]) -> NDArray[Any]:
        """(…, w) of which the square is the least that any baseline leaves, its penalty counted in."""
        lost = 1 - np.sqrt(1 - self.kept)
        return np.asarray(values - ((values @ self.modes) * lost) @ self.modes.T)


def bsplines(ppm: Floats, *, splines: int) -> Floats:
    """(w, splines) cubic B-splines of evenly spaced knots from the first to the last of rising `ppm` (w,); sum 1."""
    step = (ppm[-1] - ppm[0]) / (splines - 3)
    knots = ppm[0] + step * np.arange(-3, splines + 1)
    inside = np.clip(ppm, knots[3], np.nextafter(knots[-4], -np.inf))
    return np.asarray(BSpline.design_matrix(inside, knots, 3).toarray())
