"""Deformation: the smooth field that brings one image onto another of different contrast, and their mutual information.

Free-form deformation by cubic B-splines (Rueckert 1999, doi 10.1109/42.796284) that maximises mutual information
(Mattes 2003, doi 10.1109/TMI.2003.809072) less the energy of bending. SimpleITK's has no such energy: at the distance
of knots that suits it best it takes about four times as long and leaves 1.6 mm where this leaves 1.2
(benchmarks/registration.py). Each number is ours.
"""

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

import numpy as np
from scipy import ndimage, sparse
from scipy.interpolate import BSpline
from scipy.optimize import minimize

KNOT_MM = 40.0
"""Distance between knots: the field follows the liver, and neither noise nor a lesion that washes out."""

BINS = 32
"""Of the joint histogram, a side."""

_BENDING, _STRETCHING = 1e-3, 3e-5  # nats for each mm2 of the mean second, and first, difference of coefficients
_PLACES = 20_000  # where the images are compared, drawn once
_ROUNDS = ((6.0, 30), (2.0, 60))  # mm by which both images are smoothed, and steps at most
_EDGE = 1.5  # bins kept free at either end, for the width of a spline
_SEED = 1
_ALONG = "zi,yj,xk,ijkc->zyxc"  # a matrix along each axis


def mutual_information(one: np.ndarray, other: np.ndarray) -> tuple[float, np.ndarray]:
    """Mutual information (nats) of paired values (n), each 0 to 1, and its slope in each value of `other` (n).

    The joint histogram has BINS a side; `other` falls into it by cubic B-splines, so that it has a slope (Mattes 2003).
    """
    rows = np.rint(one * (BINS - 2 * _EDGE - 1) + _EDGE).astype(int)
    at = other * (BINS - 2 * _EDGE - 1) + _EDGE
    cells = rows[:, None] * BINS + np.floor(at).astype(int)[:, None] + np.arange(-1, 3)
    u = at % 1
    share = np.stack([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3], axis=1) / 6
    slope = np.stack([-((1 - u) ** 2), 3 * u**2 - 4 * u, -3 * u**2 + 2 * u + 1, u**2], axis=1) / 2
    joint = np.bincount(cells.ravel(), share.ravel(), BINS**2).reshape(BINS, BINS) / len(one) + 1e-12
    gain = np.log(joint / joint.sum(axis=0))
    total = float((joint * (gain - np.log(joint.sum(axis=1, keepdims=True)))).sum())
    return total, (gain.ravel()[cells] * slope).sum(axis=1) * (BINS - 2 * _EDGE - 1) / len(one)


def likelihood(one: np.ndarray, other: np.ndarray) -> tuple[float, np.ndarray]:
    """Log-likelihood (nats) a value of `other` (n) as `one` (n) and normal noise, of the variance that makes it most;
    without its constant. And its slope in each value of `other`. For images of the same contrast.
    """
    apart = one - other
    square = float((apart**2).mean()) + 1e-12
    return -np.log(square) / 2, apart / (len(one) * square)


def deformation(
    fixed: np.ndarray, moving: np.ndarray, *, where: np.ndarray, spacing: Sequence[float],
    alike: Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]] = mutual_information,
    start: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Displacements (z y x 3) in mm along z, y and x, from each voxel to where `moving` shows the same.

    Both images (z y x) have values of 0 to 1 on one grid of `spacing` (z y x) mm; `moving` is NaN where it is not
    known. They are compared `where` (z y x) bool, by `alike`; away from there the field fades out smoothly. It is
    sought from the one nearest to `start` (z y x 3), by default from 0.
    """
    places = np.argwhere(where)
    places = places[np.sort(np.random.default_rng(_SEED).permutation(len(places))[:_PLACES])]
    meshes = [max(1, round(side * mm / KNOT_MM)) for side, mm in zip(where.shape, spacing, strict=True)]
    bases = [_basis(side, mesh) for side, mesh in zip(where.shape, meshes, strict=True)]
    weights = _weights([base[at] for base, at in zip(bases, places.T, strict=True)])
    stiffness = _stiffness([mesh + 3 for mesh in meshes])
    spread = [base.toarray() for base in bases]
    found = np.zeros((*(mesh + 3 for mesh in meshes), 3))
    if start is not None:
        found = np.einsum(_ALONG, *(np.linalg.pinv(base) for base in spread), start, optimize=True)
    for smooth, steps in _ROUNDS:
        cost = _cost(fixed, moving, places, weights, stiffness, spacing=np.array(spacing), smooth=smooth, alike=alike)
        found = minimize(cost, found.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": steps}).x
    return np.asarray(np.einsum(_ALONG, *spread, found.reshape(*(mesh + 3 for mesh in meshes), 3), optimize=True))


def _basis(side: int, mesh: int) -> sparse.csr_array:
    """(side, mesh + 3): weight of each knot of an axis at each of its voxels."""
    return sparse.csr_array(BSpline.design_matrix(np.arange(side), side / mesh * np.arange(-3, mesh + 4), 3))


def _weights(axes: Sequence[sparse.csr_array]) -> sparse.csr_array:
    """(place, knot): products of the weights (place, knot) along the three axes, four of them not 0 in each."""
    sides = [axis.shape[1] for axis in axes]
    z, y, x = (axis.data.reshape(-1, 4) for axis in axes)
    i, j, k = (axis.indices.reshape(-1, 4) for axis in axes)
    values = np.einsum("ni,nj,nk->nijk", z, y, x).ravel()
    columns = (i[:, :, None, None] * sides[1] + j[:, None, :, None]) * sides[2] + k[:, None, None, :]
    return sparse.csr_array((values, columns.ravel(), 64 * np.arange(len(z) + 1)), shape=(len(z), prod(sides)))


def _stiffness(sides: Sequence[int]) -> sparse.csr_array:
    """(knot knot): its product with the coefficients of an axis on both sides is their energy."""
    total = sparse.csr_array((prod(sides), prod(sides)))
    for orders in product(range(3), repeat=3):
        if sum(orders) in (1, 2):
            z, y, x = (np.diff(np.eye(side), order, axis=0) for side, order in zip(sides, orders, strict=True))
            differences = sparse.kron(sparse.kron(z, y), x)
            weight = _STRETCHING if sum(orders) == 1 else _BENDING * (1 if 2 in orders else 2)
            total = total + weight / prod(sides) * (differences.T @ differences)
    return sparse.csr_array(total)


def _cost(
    fixed: np.ndarray, moving: np.ndarray, places: np.ndarray, weights: sparse.csr_array, stiffness: sparse.csr_array,
    *, spacing: np.ndarray, smooth: float, alike: Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]],
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:  # fmt: skip
    """Energy less mutual information, and its slope, of the coefficients (knot x 3) of the field."""
    moved = ndimage.gaussian_filter(np.nan_to_num(moving), smooth / spacing)
    images = [moved, *np.gradient(moved, *spacing), np.isfinite(moving).astype(np.float32)]
    values = ndimage.gaussian_filter(fixed, smooth / spacing)[tuple(places.T)]

    def cost(knots: np.ndarray) -> tuple[float, np.ndarray]:
        knots = knots.reshape(-1, 3)
        at = (places + weights @ knots / spacing).T
        shown, *slopes, known = (ndimage.map_coordinates(each, at, order=1) for each in images)
        seen = known > 0.99
        information, rise = alike(values[seen], shown[seen])
        climb = weights[seen].T @ (rise[:, None] * np.stack(slopes, axis=1)[seen])
        energy = stiffness @ knots
        return float((knots * energy).sum()) - information, (2 * energy - climb).ravel()

    return cost
