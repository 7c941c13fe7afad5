"""MAP fit: the least-squares fit with a Gaussian of all parameters believed beforehand: the likeliest after both."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.spectroscopy.fitting.fit import Fit, checked, in_turn, settle, with_noise_left
from hepatica.spectroscopy.fitting.gaussian_prior import Belief
from hepatica.spectroscopy.fitting.multistart import grid_of
from hepatica.spectroscopy.fitting.signal_model import SignalModel

Floats = NDArray[np.float64]


def map_fit(values: ArrayLike, *, model: SignalModel, belief: Belief, noise_sd: ArrayLike | None = None) -> Fit:
    """Fit complex spectra (n, w), the model's window of them, as `nls` does, with a `belief` of the parameters.

    `Fit.covariance` is that of the posterior there, `Fit.information` the Fisher information of the spectrum alone.
    Raises what `nls` raises, and SettingsError where belief and model have other components.
    """
    measured, noise = checked(values, model=model, noise_sd=noise_sd)
    grid, penalty = grid_of(model), belief.penalty(model)

    def fit_rows(rows: NDArray[np.intp]) -> Fit:
        start = likely(grid.start(measured[rows]), belief=belief)
        known = {"model": model, "penalty": penalty, "logs": belief.logs}
        return settle(start, measured[rows], noise_sd=noise[rows], **known)

    fit = in_turn(fit_rows, n=len(measured))
    return with_noise_left(fit) if noise_sd is None else fit


def likely(start: Floats, *, belief: Belief) -> Floats:
    """Vectors (n, p) with concentrations believed in logarithms raised to two standard deviations below their mean.

    From nothing, steps in logarithms would take long.
    """
    k = len(belief.names)
    least = np.where(
        belief.logs, np.exp(np.where(belief.logs, belief.mean - 2 * np.sqrt(np.diag(belief.covariance)), 0)), 0
    )
    raised = start.copy()
    raised[:, :k] = np.maximum(raised[:, :k], least)
    return raised
