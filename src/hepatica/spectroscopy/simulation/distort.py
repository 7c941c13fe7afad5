"""Distort: phases, baseline, residual water, spurious echo and noise of spectra, in one pass, as machine code."""

import numpy as np
from numpy.typing import NDArray

from hepatica.evaluate.compiled import compiled

Floats = NDArray[np.float64]

_REACH = 6.0


@compiled
def highest(values: NDArray[np.complex64], first: NDArray[np.int64], last: NDArray[np.int64]) -> Floats:
    """(n,) greatest real part of spectra (n, points) from point `first` to before `last` (n,)."""
    found = np.zeros(values.shape[0])
    for row in range(values.shape[0]):
        for point in range(max(first[row], 0), min(last[row], values.shape[1])):
            found[row] = max(found[row], values[row, point].real)
    return found


@compiled
def phased(values: NDArray[np.complex64], start: Floats, step: Floats) -> None:
    """Turn spectra (n, points) by `start` (n,) rad at the first point and `step` (n,) rad more at each further one."""
    for row in range(values.shape[0]):
        turn, turning = np.exp(1j * start[row]), np.exp(1j * step[row])
        for point in range(values.shape[1]):
            values[row, point] *= turn
            turn *= turning


@compiled
def add_splines(
    values: NDArray[np.complex64],
    coefficients: NDArray[np.complex128],
    table: NDArray[np.int64],
    first: NDArray[np.int64],
    weight: Floats,
) -> None:
    """Add to spectra (n, points) cubic splines of `coefficients` (n, most), already of their height.

    `table` (n,) names the row of `first` (tables, points), the first spline at a point, and of `weight` (tables,
    points, 4), what it and the next three have there.
    """
    for row in range(values.shape[0]):
        spline, share, c = first[table[row]], weight[table[row]], coefficients[row]
        for point in range(values.shape[1]):
            at = spline[point]
            values[row, point] += (
                share[point, 0] * c[at]
                + share[point, 1] * c[at + 1]
                + share[point, 2] * c[at + 2]
                + share[point, 3] * c[at + 3]
            )


@compiled
def add_lines(values: NDArray[np.complex64], height: NDArray[np.complex128], rate: NDArray[np.complex128]) -> None:
    """Add to spectra (n, points) Lorentzian lines (n, lines): transforms of decays whose first sample is halved.

    `height` is complex, of the top; `rate` the exponent a sample. Lines of no height are left out.
    """
    points = values.shape[1]
    back = np.exp(-2j * np.pi * (np.arange(points) - points // 2) / points)
    for row in range(values.shape[0]):
        for line in range(height.shape[1]):
            if height[row, line] == 0:
                continue
            size = height[row, line] * (1 - np.exp(rate[row, line].real))
            over, step = size * (1 - np.exp(rate[row, line] * points)), np.exp(rate[row, line])
            for point in range(points):
                values[row, point] += over / (1 - step * back[point]) - 0.5 * size


@compiled
def add_echoes(
    values: NDArray[np.complex64], height: NDArray[np.complex128], place: Floats, width: Floats, late: Floats
) -> None:
    """Add to spectra (n, points) a bell at point `place` (n,), of SD `width` points, turning by `late` rad a point."""
    for row in range(values.shape[0]):
        if height[row] == 0:
            continue
        first, last = int(place[row] - _REACH * width[row]), int(place[row] + _REACH * width[row])
        for point in range(max(first, 0), min(last + 1, values.shape[1])):
            away = point - place[row]
            values[row, point] += height[row] * np.exp(-0.5 * (away / width[row]) ** 2 - 1j * late[row] * away)


@compiled
def add_noise(values: NDArray[np.complex64], sd: Floats, normal: NDArray[np.float32]) -> None:
    """Add to spectra (n, points) noise of `sd` (n,) in both parts, from standard normal numbers (n, 2 points)."""
    for row in range(values.shape[0]):
        scale = np.float32(sd[row])
        for point in range(values.shape[1]):
            values[row, point] += scale * complex(normal[row, 2 * point], normal[row, 2 * point + 1])
