"""Model error: how far concentrations may be off because lines and baseline of a voxel are not those of the model."""

import numpy as np
from numpy.typing import NDArray

from hepatica.spectroscopy.fitting.fit import Fit
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

OWN_WIDTH_HZ = 1.2
"""SD of the Lorentzian width that a component has beyond that of all, by its own relaxation (ours)."""

SATELLITE_SHARE, SATELLITE_HZ = 0.06, 8.0
"""SD of the share of the voxel whose field is so far off, on either side: the line is then no Voigt line (ours)."""

HUMP_PPM, HUMP_HEIGHT = 0.3, 0.08
"""Full width of humps that the baseline does not follow, and the SD of their height, in that of tCho (ours)."""


def model_error(fit: Fit) -> Floats:
    """Covariance (n, k, k) of concentrations beyond the noise: what each departure from the model moves them by.

    To first order, departures independent of each other: C Jᵀ d / sd², with the covariance C and the derivatives J of
    the fit, of a departure d of one standard deviation.
    """
    k = len(fit.model.names)
    parts = []
    for row in range(len(fit.chi2)):
        vector, model = fit.parameters.vector[row : row + 1], fit.model
        slopes = model.jacobian(vector)[1][0]
        seen = _whitened(model, slopes, fit.noise_sd[row])
        away = _whitened(model, departures(model, vector, slopes), fit.noise_sd[row])
        moved = (fit.covariance[row] @ (seen @ away.T))[:k]
        parts.append(moved @ moved.T)
    return np.array(parts)


def departures(model: SignalModel, vector: Floats, slopes: Complex) -> Complex:
    """Spectra (m, w) of departures of one SD each from one spectrum (1, p), whose derivatives are `slopes` (p, w)."""
    k = len(model.names)
    widths = 0.5j * OWN_WIDTH_HZ * slopes[k : 2 * k]
    sides = []
    for hz in (-SATELLITE_HZ, SATELLITE_HZ):
        beside = vector.copy()
        beside[:, 2 * k + SHARED.index("common_hz")] += hz
        sides.append(SATELLITE_SHARE * (model.evaluate(beside) - model.evaluate(vector))[0])
    return np.concatenate([widths, sides, _humps(model, vector)])


def _humps(model: SignalModel, vector: Floats) -> Complex:
    """(m, w) every half width across the window, in the spectrum's phase."""
    centres = np.arange(model.ppm[0], model.ppm[-1], HUMP_PPM / 2)
    shape = np.exp(-4 * np.log(2) * ((model.ppm - centres[:, None]) / HUMP_PPM) ** 2)
    choline = [model.names.index(name) for name in ("Cho", "GPC", "PCh") if name in model.names]
    height = np.abs(model.components(vector)[0, choline].sum(axis=0)).max()
    turned = np.exp(1j * vector[0, -2])
    return np.asarray(HUMP_HEIGHT * height * turned * shape)


def _whitened(model: SignalModel, values: Complex, noise_sd: float) -> Floats:
    return np.ascontiguousarray(model.baseline.whiten(values / noise_sd)).view(np.float64)
