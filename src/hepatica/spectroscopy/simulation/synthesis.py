"""Synthesis: damped components summed to decays, and spectra distorted, as machine code.

A turn e^(z t) of each component is a table of 32 samples times another of steps of 32, so that no sample needs an
exponential; the sum ends where the common damping has left less than 1e-9.
"""

import numpy as np
from numpy.typing import NDArray

from hepatica.evaluate.compiled import compiled

STEP = 32
"""Samples of a table; components come padded to a multiple of it."""

_NODE = 16
_NEGLIGIBLE = 1e-9

Floats = NDArray[np.float64]


@compiled
def damped_sums(
    out: NDArray[np.complex64],
    real: NDArray[np.float32],
    imaginary: NDArray[np.float32],
    amplitude: Floats,
    rate: NDArray[np.complex128],
    common: NDArray[np.complex128],
    gauss: Floats,
    offsets: Floats,
    transients: NDArray[np.int64],
    eddy: Floats,
    cut: NDArray[np.int64],
) -> None:
    """Fill `out` (n, points) with decays, their first sample halved.

    Components (k, padded); `amplitude`, `rate` (n, k): sizes, exponents a sample; `common`, `gauss` (n,): exponents of
    all a sample and its square; `offsets` (n, most): rad a sample, the first `transients` (n,) averaged; `eddy` (n, 2):
    rad a sample at first, samples of its decay; `cut` (n,): samples kept.
    """
    out[:], shared = 0, np.empty(out.shape[1], np.complex128)
    sum_real, sum_imaginary = np.empty_like(real[0]), np.empty_like(real[0])
    for row in range(out.shape[0]):
        count = _damping(shared, common[row], gauss[row], min(cut[row], shared.size))
        _envelope(shared[:count], offsets[row, : transients[row]], eddy[row, 0], eddy[row, 1])
        sum_real[:], sum_imaginary[:] = 0, 0
        for k in range(real.shape[0]):
            _add(sum_real, sum_imaginary, real[k], imaginary[k], amplitude[row, k], rate[row, k], count)
        for sample in range(count):
            out[row, sample] = shared[sample] * complex(sum_real[sample], sum_imaginary[sample])
        out[row, 0] *= np.float32(0.5)


@compiled
def _damping(shared: NDArray[np.complex128], common: complex, gauss: float, most: int) -> int:
    """Exp(common t + gauss t²) of samples t by multiplication; how many are not negligible."""
    value, step, bend = complex(1.0), np.exp(common + gauss), np.exp(2 * gauss)
    for sample in range(most):
        shared[sample] = value
        value *= step
        step *= bend
        if abs(value.real) + abs(value.imag) < _NEGLIGIBLE:
            return sample + 1
    return most


@compiled
def _envelope(shared: NDArray[np.complex128], offsets: Floats, eddy: float, decay: float) -> None:
    """Multiply in the mean turn of the transients and that of eddy currents: slow, so cubic between every 16th."""
    if eddy == 0 and not offsets.any():
        return
    nodes = np.empty(shared.size // _NODE + 4, np.complex128)
    turning, turns = np.exp(-1j * _NODE * offsets), np.exp(1j * _NODE * offsets)
    for node in range(nodes.size):
        time = _NODE * (node - 1.0)
        mean = 0j
        for each in range(offsets.size):
            mean += turning[each]
            turning[each] *= turns[each]
        nodes[node] = mean / offsets.size * np.exp(1j * eddy * decay * (1 - np.exp(-time / decay)))
    for sample in range(shared.size):
        node, x = sample // _NODE, (sample % _NODE) / _NODE
        a, b, c, d = nodes[node], nodes[node + 1], nodes[node + 2], nodes[node + 3]
        shared[sample] *= (
            -x * (x - 1) * (x - 2) * a / 6
            + (x + 1) * (x - 1) * (x - 2) * b / 2
            - (x + 1) * x * (x - 2) * c / 2
            + (x + 1) * x * (x - 1) * d / 6
        )


@compiled
def _add(
    sum_real: NDArray[np.float32],
    sum_imaginary: NDArray[np.float32],
    real: NDArray[np.float32],
    imaginary: NDArray[np.float32],
    amplitude: float,
    rate: complex,
    count: int,
) -> None:
    fine_real, fine_imaginary = np.empty(STEP, np.float32), np.empty(STEP, np.float32)
    turn, step = complex(1.0), np.exp(rate)
    for place in range(STEP):
        fine_real[place], fine_imaginary[place] = turn.real, turn.imag
        turn *= step
    coarse = complex(amplitude)
    for first in range(0, count, STEP):
        scale_real, scale_imaginary = np.float32(coarse.real), np.float32(coarse.imag)
        for place in range(STEP):
            at = first + place
            a = scale_real * fine_real[place] - scale_imaginary * fine_imaginary[place]
            b = scale_real * fine_imaginary[place] + scale_imaginary * fine_real[place]
            sum_real[at] += real[at] * a - imaginary[at] * b
            sum_imaginary[at] += real[at] * b + imaginary[at] * a
        coarse *= turn


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
