"""Shared fit: shift, widths and phases of whole spectra whose concentrations are given, such as by a network."""

import numpy as np
from numpy.typing import NDArray

from hepatica.spectroscopy.fitting.fit import BOUNDS, Equations
from hepatica.spectroscopy.fitting.levenberg_marquardt import minimise
from hepatica.spectroscopy.fitting.penalty import Penalty
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

LEAST_GAUSS_HZ = 5.0
"""Least Gaussian width that is given back (ours): from none at all, which wrong concentrations may feign, no way leads
back, for it has no derivative there."""


def shared_fit(start: Floats, values: Complex, *, model: SignalModel, noise_sd: Floats, penalty: Penalty) -> Floats:
    """Vectors (n, p) of which the last five, SHARED, are fitted to spectra (n, w), the rest as in `start`.

    Of the penalty (p,) that of these five counts.
    """
    own = slice(model.size - len(SHARED), None)
    still, inverse = model.undamped(start), 1 / noise_sd[:, None]
    held = Penalty(mean=penalty.mean[own], precision=penalty.precision[..., own, own])

    def normal_equations(shared: Floats, rows: NDArray[np.intp]) -> Equations:
        fitted, slopes = model.shared_jacobian(shared, still[rows])
        rest = model.baseline.whiten((values[rows] - fitted) * inverse[rows])
        seen = model.baseline.whiten(slopes * inverse[rows][..., None])
        gradient = -np.einsum("npw,nw->np", seen.conj(), rest).real
        hessian = (seen.conj() @ seen.swapaxes(1, 2)).real
        return held.add(shared, rows, (0.5 * (np.abs(rest) ** 2).sum(axis=1), gradient, hessian))

    lower, upper = np.array([BOUNDS[name] for name in SHARED]).T
    lower[SHARED.index("gauss_hz")] = LEAST_GAUSS_HZ
    found = minimise(start[:, own], normal_equations=normal_equations, lower=lower, upper=upper)
    return np.concatenate([start[:, : own.start], found.vector], axis=1)
