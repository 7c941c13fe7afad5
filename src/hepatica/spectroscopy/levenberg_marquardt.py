"""Levenberg-Marquardt: many small least-squares problems at once, within bounds, each by its normal equations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NormalEquations = Callable[[Floats, NDArray[np.intp]], tuple[Floats, Floats, Floats]]
"""Of vectors (m, p) of the problems (m,): half of chi² (m,), gradient (m, p) and Gauss-Newton Hessian (m, p, p)."""

TOLERANCE = 1e-4
"""A problem is solved when the next step would lower half of chi² by less: a move of 0.014 standard errors (ours)."""

ITERATIONS = 100
"""Steps, taken and refused, after which a problem counts as unsolved (ours)."""

PASSES = 8
"""How often in one step parameters that would leave their bounds are put there and the rest is solved anew (ours)."""


@dataclass(frozen=True, kw_only=True, eq=False)
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
    soon as they are solved; those that are not after `iterations` say so in `converged`.
    """
    vector = np.clip(start, lower, upper)
    rows = np.arange(len(vector))
    cost, gradient, hessian = normal_equations(vector, rows)
    damping, converged, count = np.full(len(vector), 1e-3), np.zeros(len(vector), bool), np.zeros(len(vector), int)
    for _ in range(iterations):
        if not rows.size:
            break
        step = bounded_step(
            hessian[rows], gradient[rows], damping=damping[rows], low=lower - vector[rows], high=upper - vector[rows]
        )
        expected = _descent(step, gradient[rows], hessian[rows])
        tried = np.clip(vector[rows] + step, lower, upper)
        new_cost, new_gradient, new_hessian = normal_equations(tried, rows)
        gain = cost[rows] - new_cost
        taken, count[rows] = gain > 0, count[rows] + 1
        own = rows[taken]
        vector[own], cost[own] = tried[taken], new_cost[taken]
        gradient[own], hessian[own] = new_gradient[taken], new_hessian[taken]
        cut_short = (((tried == lower) | (tried == upper)) & (step != 0)).any(axis=1)
        solved = (expected >= 0) & (expected < tolerance) & (damping[rows] <= 1e-2) & ~cut_short
        damping[rows] *= np.where(
            gain > 0.75 * expected, 0.1, np.where(gain > 0.25 * expected, 0.5, np.where(taken, 2.0, 8.0))
        )
        damping[rows] = np.clip(damping[rows], 1e-15, 1e9)
        converged[rows] = solved
        rows = rows[~solved]
    return Minimum(vector=vector, half_chi2=cost, hessian=hessian, converged=converged, iterations=count)


def bounded_step(hessian: Floats, gradient: Floats, *, damping: Floats, low: Floats, high: Floats) -> Floats:
    """Damped Newton steps (m, p) between `low` and `high` (m, p), which hold 0.

    What stands at a bound and is pushed outwards stays; what a step would carry over a bound is put there, and the rest
    is solved with it there, until nothing more leaves (a few times at the most).
    """
    diagonal = np.einsum("mpp->mp", hessian)
    damped = hessian.copy()
    np.einsum("mpp->mp", damped)[:] += damping[:, None] * diagonal + 1e-15 * diagonal.max(axis=1, keepdims=True)
    fixed = ((low >= 0) & (gradient > 0)) | ((high <= 0) & (gradient < 0))
    step = np.zeros_like(gradient)
    for _ in range(PASSES):
        step = _solve_free(damped, gradient, fixed, step)
        outside = (step < low) | (step > high)
        if not (outside & ~fixed).any():
            break
        step, fixed = np.clip(step, low, high), fixed | outside
    return np.clip(step, low, high)


def _solve_free(hessian: Floats, gradient: Floats, fixed: NDArray[np.bool_], step: Floats) -> Floats:
    """The best step (m, p) of what is free, with what is fixed moved as `step` says."""
    held = np.where(fixed, step, 0)
    right = np.where(fixed, held, -gradient - (hessian @ held[..., None])[..., 0])
    free = ~fixed
    matrix = hessian * (free[:, :, None] & free[:, None, :])
    np.einsum("mpp->mp", matrix)[:] += fixed
    return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0])


def _descent(step: Floats, gradient: Floats, hessian: Floats) -> Floats:
    """(m,) by how much the quadratic model falls."""
    return np.asarray(-(step * (gradient + 0.5 * (hessian @ step[..., None])[..., 0])).sum(axis=1))
