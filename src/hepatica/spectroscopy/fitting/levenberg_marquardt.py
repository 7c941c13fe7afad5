"""Levenberg-Marquardt: many small least-squares problems at once, within bounds, each by its normal equations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NormalEquations = Callable[[Floats, NDArray[np.intp]], tuple[Floats, Floats, Floats]]
"""Of vectors (m, p) of the problems (m,): half of chi² (m,), gradient (m, p) and Gauss-Newton Hessian (m, p, p)."""

TOLERANCE = 1e-8
"""A problem is solved when the next step would lower half of chi² by less: a move of 1.4e-4 standard errors (ours)."""

ITERATIONS = 100
"""Steps, taken and refused, after which a problem counts as unsolved (ours)."""

UNDAMPED = 1e-2
"""Damping above which a short step is no sign of a minimum (ours)."""

LEAST_DAMPING = 1e-15
"""Damping at the least (ours): two parameters that do the same would have no step."""

AT_ONCE, PASSES = 8, 100
"""How often in one step all parameters on the wrong side of a bound change it at once (ours), which may go in circles;
after that one does at a time, which does not."""


@dataclass(kw_only=True, eq=False)
class Minimum:
    """Of n problems: vectors (n, p), half of chi² (n,), Hessians (n, p, p), which are solved (n,) and steps (n,)."""

    vector: Floats
    half_chi2: Floats
    hessian: Floats
    converged: NDArray[np.bool_]
    iterations: NDArray[np.intp]


def minimise(
    start: Floats,
    *,
    normal_equations: NormalEquations,
    lower: Floats,
    upper: Floats,
    iterations: int = ITERATIONS,
    tolerance: float = TOLERANCE,
) -> Minimum:
    """Descend from `start` (n, p) within `lower` and `upper` (p,), damped as Marquardt 1963 (doi 10.1137/0111030).

    Steps that do not lower chi² are refused and tried shorter, so no result is worse than its start. Problems leave as
    soon as they are solved; `converged` is false for those that are not after `iterations`.
    """
    descent = _Descent.begin(np.clip(start, lower, upper), normal_equations)
    rows = np.arange(len(start))
    for _ in range(iterations):
        if not rows.size:
            break
        rows = rows[~descent.step(rows, normal_equations, lower, upper, tolerance)]
    return descent


@dataclass(kw_only=True, eq=False)
class _Descent(Minimum):
    """The state of each of n problems, and how strongly its steps are damped."""

    gradient: Floats
    damping: Floats

    @classmethod
    def begin(cls, vector: Floats, normal_equations: NormalEquations) -> "_Descent":
        n = len(vector)
        half, gradient, hessian = normal_equations(vector, np.arange(n))
        return cls(
            vector=vector,
            half_chi2=half,
            gradient=gradient,
            hessian=hessian,
            damping=np.full(n, 1e-3),
            converged=np.zeros(n, bool),
            iterations=np.zeros(n, int),
        )

    def step(
        self, rows: NDArray[np.intp], normal_equations: NormalEquations, lower: Floats, upper: Floats, tolerance: float
    ) -> NDArray[np.bool_]:
        """Try a step of the problems `rows`; which of them are solved."""
        before, hessian, gradient = self.vector[rows], self.hessian[rows], self.gradient[rows]
        step = bounded_step(hessian, gradient, damping=self.damping[rows], low=lower - before, high=upper - before)
        expected = -(step * (gradient + 0.5 * (hessian @ step[..., None])[..., 0])).sum(axis=1)
        tried = np.clip(before + step, lower, upper)
        gain = self._take(tried, rows, normal_equations(tried, rows))
        solved = (expected < tolerance) & (self.damping[rows] <= UNDAMPED)
        good, fair = gain > 0.75 * expected, gain > 0.25 * expected
        factor = np.where(good, 0.1, np.where(fair, 0.5, np.where(gain > 0, 2.0, 8.0)))
        self.damping[rows] = np.clip(self.damping[rows] * factor, LEAST_DAMPING, 1e9)
        self.converged[rows] = solved
        self.iterations[rows] += 1
        return np.asarray(solved)

    def _take(self, tried: Floats, rows: NDArray[np.intp], found: tuple[Floats, Floats, Floats]) -> Floats:
        """Go to where half of chi² is lower; by how much it would be lower, all of them."""
        gain = self.half_chi2[rows] - found[0]
        taken = gain > 0
        own = rows[taken]
        self.vector[own] = tried[taken]
        self.half_chi2[own], self.gradient[own], self.hessian[own] = (each[taken] for each in found)
        return np.asarray(gain)


def bounded_step(hessian: Floats, gradient: Floats, *, damping: Floats, low: Floats, high: Floats) -> Floats:
    """The best damped Newton steps (m, p) between `low` and `high` (m, p), which include 0.

    By block principal pivoting (Júdice and Pires, Comput Oper Res 1994;21:587, doi 10.1016/0305-0548(94)90106-6): what
    a step would carry over a bound is put there, what is pulled away from its bound is freed, until neither is left.
    """
    unit = unit_of(hessian)
    scaled = hessian / (unit[:, :, None] * unit[:, None, :])
    np.einsum("mpp->mp", scaled)[:] += damping[:, None] + LEAST_DAMPING
    slope, least, most = gradient / unit, low * unit, high * unit
    fixed = ((low >= 0) & (gradient > 0)) | ((high <= 0) & (gradient < 0))
    step, rows = np.zeros_like(gradient), np.arange(len(gradient))
    for number in range(PASSES):
        found = _solve_free(scaled[rows], slope[rows], fixed[rows], step[rows])
        step[rows] = np.clip(found, least[rows], most[rows])
        pull = slope[rows] + (scaled[rows] @ found[..., None])[..., 0]
        inwards = np.where(found <= least[rows], pull < 0, pull > 0)
        wrong = np.where(fixed[rows], inwards, found != step[rows])
        if number >= AT_ONCE:
            wrong &= wrong.cumsum(axis=1) == 1
        fixed[rows] ^= wrong
        rows = rows[wrong.any(axis=1)]
        if not rows.size:
            break
    return np.clip(step / unit, low, high)


def inverse(hessian: Floats) -> Floats:
    """Inverses (m, p, p), whatever the units of the parameters; one that nothing depends on is left out, a 1 there."""
    unit = unit_of(hessian)
    outer = unit[:, :, None] * unit[:, None, :]
    scaled = hessian / outer
    np.einsum("mpp->mp", scaled)[:] = 1
    return np.asarray(np.linalg.inv(scaled) / outer)


def unit_of(hessian: Floats) -> Floats:
    """(m, p) by which parameters are multiplied to have a second derivative of 1; 1 where nothing depends on one."""
    diagonal = np.einsum("mpp->mp", hessian)
    return np.asarray(np.sqrt(np.where(diagonal > 0, diagonal, 1)))


def _solve_free(hessian: Floats, gradient: Floats, fixed: NDArray[np.bool_], step: Floats) -> Floats:
    """The best step (m, p) of what is free, with what is fixed moved by `step`."""
    moved = np.where(fixed, step, 0)
    right = np.where(fixed, moved, -gradient - (hessian @ moved[..., None])[..., 0])
    free = ~fixed
    matrix = hessian * (free[:, :, None] & free[:, None, :])
    np.einsum("mpp->mp", matrix)[:] += fixed
    return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0])
