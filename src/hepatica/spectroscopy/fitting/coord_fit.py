"""COORD fit: lipid and choline lines below a phased real spectrum on a ppm axis, where that is all there is.

Such is what LCModel prints (COORD). The lines are those of LCModel's liver types, one line shape for all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import wofz

from hepatica.cohort.errors import SpecimenError
from hepatica.spectroscopy.fitting.baseline import Baseline
from hepatica.spectroscopy.fitting.fit import NEARLY
from hepatica.spectroscopy.fitting.levenberg_marquardt import Minimum, inverse, minimise
from hepatica.spectroscopy.fitting.quantities import Quantities, two_fits

Floats = NDArray[np.float64]

LIVER_LINES: Mapping[str, tuple[float, ...]] = {
    "Lip09": (0.87,), "Lip13": (1.28,), "Lip16": (1.58,), "Lip21": (2.02,), "Lip23": (2.23,), "Lip28": (2.75,),
    "Cho": (3.2,), "Glycg": (3.89, 3.82, 3.75, 3.68, 3.61, 3.54, 3.47),
}  # fmt: skip
"""ppm of the lines of SPTYPE liver-11 (source/liver-1.inc of LCModel 6.3-1, BSD-3-Clause); several are as high."""

SPLINES, FREEDOM = 8, 4.0
"""Baseline (ours): next to straight, as LCModel's is of a liver."""

STARTS_PPM = (
    (0.0, 0.05, 0.05), (0.0, 0.15, 0.15), (0.0, 0.3, 0.2), (-0.06, 0.05, 0.05), (0.06, 0.05, 0.05),
)  # fmt: skip
"""Shift, Lorentzian and Gaussian width to begin with (ours); the best end counts."""

LEAST_PPM, MOST_PPM, MOST_SHIFT_PPM = 0.003, 1.0, 0.1
"""Bounds of widths and of the shift of all lines (ours)."""

MOST_LEFT, CLEAR = 0.2, 8.0
"""Height of a line that is not fitted, in that of the tallest fitted one and in the noise, which is noted (ours)."""

FEWEST = 100
"""Points (ours): fewer do not separate the lines."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RealPartFit:
    """Areas (k,) of lines in the data's unit times ppm, their covariance (k, k), and the curves (…, w) they make."""

    names: tuple[str, ...]
    ppm: Floats
    area: Floats
    covariance: Floats
    shift_ppm: float
    lorentz_ppm: float
    gauss_ppm: float
    noise_sd: float
    components: Floats
    baseline: Floats
    converged: bool
    flags: tuple[str, ...] = ()

    @property
    def quantities(self) -> Quantities:
        """The areas as institutional units."""
        flags = self.flags if self.converged else (*self.flags, "not converged")
        covariance = self.covariance[None]
        return Quantities(
            names=self.names,
            method="nls",
            unit="institutional units",
            concentration=self.area[None],
            covariance=covariance,
            bound=covariance,
            flags=(flags,),
        )


def real_part_fit(
    values: ArrayLike, *, ppm: ArrayLike, lines: Mapping[str, tuple[float, ...]] = LIVER_LINES
) -> RealPartFit:
    """Fit lines to real values (w,) at rising ppm (w,); areas are 0 or more, shift and two widths are those of all.

    The noise is what the fit leaves. Raises SpecimenError on values that are not numbers, that do not pair with rising
    ppm, or that are too few.
    """
    measured, axis = _checked(values, ppm)
    shown = {name: places for name, places in lines.items() if axis[0] < min(places) and max(places) < axis[-1]}
    problem = _Problem(
        lines=tuple(shown.values()),
        ppm=axis,
        baseline=Baseline(ppm=axis, splines=SPLINES, freedom=FREEDOM),
        values=measured,
        noise_sd=max(float(np.std(np.diff(measured))) / np.sqrt(2), np.finfo(float).tiny ** 0.25),
    )
    found = problem.solve()
    best = int(found.half_chi2.argmin())
    fit = _fit_of(problem, tuple(shown), found.vector[best], found.hessian[best], bool(found.converged[best]))
    worse = (found.half_chi2 - found.half_chi2[best]) * problem.noise_sd**2
    near = worse < NEARLY * fit.noise_sd**2
    return _beside(fit, found.vector[near, : len(shown)])


def _beside(fit: RealPartFit, others: Floats) -> RealPartFit:
    """The fit, its covariance so large that intervals hold the furthest of other areas (m, k) as likely."""
    sd = np.sqrt(np.diag(fit.covariance))
    if not (np.abs(others - fit.area) > sd).any():
        return fit
    apart = np.abs(others - fit.area) / sd
    away = (others - fit.area)[apart.max(axis=1).argmax()]
    flags = (*fit.flags, two_fits(fit.names, apart.max(axis=0)))
    return replace(fit, covariance=fit.covariance + np.outer(away, away), flags=flags)


def _fit_of(
    problem: "_Problem", names: tuple[str, ...], vector: Floats, hessian: Floats, converged: bool
) -> RealPartFit:
    k = len(names)
    components = problem.shapes(vector[None])[0][0] * vector[:k, None]
    left_over = problem.values - components.sum(axis=0)
    baseline = problem.baseline.smooth(left_over)
    rest = problem.baseline.whiten(left_over) / problem.noise_sd
    left = float((rest**2).sum()) / (problem.values.size - FREEDOM - vector.size)
    return RealPartFit(
        names=names,
        ppm=problem.ppm,
        area=vector[:k],
        covariance=inverse(hessian[None])[0, :k, :k] * left,
        shift_ppm=float(vector[k]),
        lorentz_ppm=float(vector[k + 1]),
        gauss_ppm=float(vector[k + 2]),
        noise_sd=problem.noise_sd * float(np.sqrt(left)),
        components=components,
        baseline=baseline,
        converged=converged,
        flags=_misfit(left_over - baseline, problem, tallest=float(components.sum(axis=0).max())),
    )


def _misfit(residual: Floats, problem: "_Problem", *, tallest: float) -> tuple[str, ...]:
    """A line that is none of those fitted, such as creatine's."""
    height = float(residual.max())
    if height <= MOST_LEFT * tallest or height <= CLEAR * problem.noise_sd:
        return ()
    place = problem.ppm[residual.argmax()]
    return (f"the model does not describe a line at {place:.2f} ppm: inspect the image, and whether it is a liver",)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """Vectors (n, k + 3) are areas, shift, Lorentzian and Gaussian width in ppm; chi² is in units of `noise_sd`²."""

    lines: tuple[tuple[float, ...], ...]
    ppm: Floats
    baseline: Baseline
    values: Floats
    noise_sd: float

    def solve(self) -> Minimum:
        """From each of STARTS_PPM."""
        k = len(self.lines)
        starts = np.array([[*np.zeros(k), *start] for start in STARTS_PPM])
        lower = np.array([*np.zeros(k), -MOST_SHIFT_PPM, 0.0, LEAST_PPM])
        upper = np.array([*np.full(k, np.inf), MOST_SHIFT_PPM, MOST_PPM, MOST_PPM])
        return minimise(starts, normal_equations=self._normal_equations, lower=lower, upper=upper)

    def _normal_equations(self, vector: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
        k = len(self.lines)
        shapes, by_place, by_lorentz, by_gauss = self.shapes(vector)
        area = vector[:, :k, None]
        shared = [(area * each).sum(axis=1, keepdims=True) for each in (-by_place, by_lorentz, by_gauss)]
        slopes = self.baseline.whiten(np.concatenate([shapes, *shared], axis=1)) / self.noise_sd
        rest = self.baseline.whiten(self.values - (area * shapes).sum(axis=1)) / self.noise_sd
        hessian = slopes @ slopes.swapaxes(1, 2)
        return 0.5 * (rest**2).sum(axis=1), -(slopes @ rest[..., None])[..., 0], hessian

    def shapes(self, vector: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Lines (n, k, w) of area 1, and their derivatives by ppm and by the two widths."""
        k = len(self.lines)
        lorentz, gauss = vector[:, k + 1, None], vector[:, k + 2, None]
        parts = [
            np.mean([voigt(self.ppm - place - vector[:, k, None], lorentz=lorentz, gauss=gauss) for place in places], 0)
            for places in self.lines
        ]
        shapes, by_place, by_lorentz, by_gauss = np.stack(parts, axis=2)
        return shapes, by_place, by_lorentz, by_gauss


def voigt(x: Floats, *, lorentz: Floats, gauss: Floats) -> Floats:
    """(4, …) Voigt profile of area 1 and full widths at half maximum, and its derivatives by x and by both widths.

    Of the Faddeeva function w at z = (x + i γ) / (σ √2): w' = -2 z w + 2 i / √π (DLMF 7.10.2).
    """
    sigma = gauss / np.sqrt(8 * np.log(2))
    z = (x + 0.5j * lorentz) / (sigma * np.sqrt(2))
    w, scale = wofz(z), 1 / (sigma * np.sqrt(2 * np.pi))
    slope = (-2 * z * w + 2j / np.sqrt(np.pi)) / (sigma * np.sqrt(2))
    by_sigma = (-w / sigma - slope * np.sqrt(2) * z).real
    return np.stack(
        [scale * w.real, scale * slope.real, scale * (0.5j * slope).real, scale * by_sigma / np.sqrt(8 * np.log(2))]
    )


def _checked(values: ArrayLike, ppm: ArrayLike) -> tuple[Floats, Floats]:
    measured, axis = np.asarray(values, float), np.asarray(ppm, float)
    if measured.ndim != 1 or measured.shape != axis.shape or not (np.diff(axis) > 0).all():
        raise SpecimenError(f"got values {measured.shape} at ppm {axis.shape}, wanted one value at each of rising ppm")
    if measured.size < FEWEST or not np.isfinite(measured).all():
        raise SpecimenError(
            f"got {measured.size} values, {(~np.isfinite(measured)).sum()} of them not numbers, wanted {FEWEST} or more"
        )
    return measured, axis
