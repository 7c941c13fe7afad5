"""Least squares: the non-linear least-squares fit (NLS) and the maximum a posteriori (MAP) fit of the signal model."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.spectroscopy.fitting.fit import Fit, checked, in_turn, settle, with_noise_left
from hepatica.spectroscopy.fitting.multistart import grid_of
from hepatica.spectroscopy.fitting.prior_terms import GaussianPrior, SoftConstraints
from hepatica.spectroscopy.fitting.signal_model import SignalModel

Floats = NDArray[np.float64]

FREE = SoftConstraints()
"""No constraints of concentrations (ours)."""

PASSES = 3
"""Fits in turn where ratios are constrained, each with the concentrations of the last for their scale (ours)."""


def nls(
    values: ArrayLike, *, model: SignalModel, noise_sd: ArrayLike | None = None, constraints: SoftConstraints = FREE
) -> Fit:
    """Fit complex spectra (n, w), the model's window of them, each from the best point of a grid (multistart).

    `noise_sd`, one number or one a spectrum, is the standard deviation of the noise of the real part; without it, it is
    what the fit leaves. `constraints` are soft constraints of shifts, widths, phases and ratios of concentrations. The
    covariance of the fit has the Cramér-Rao bounds at the solution. `Fit.converged` is false where no minimum was
    reached. Raises SpecimenError on values that do not fit the model or are no numbers,
    SettingsError on noise that is not above 0.
    """
    measured, noise = checked(values, model=model, noise_sd=noise_sd)
    grid, k = grid_of(model), len(model.names)

    def settled(start: Floats, sd: Floats, rows: NDArray[np.intp]) -> Fit:
        penalty = constraints.penalty(model, start[:, :k])
        fit = settle(start, measured[rows], model=model, noise_sd=sd, penalty=penalty)
        return with_noise_left(fit) if noise_sd is None else fit

    def fit_rows(rows: NDArray[np.intp]) -> Fit:
        fit = settled(grid.start(measured[rows]), noise[rows], rows)
        for _ in range(PASSES - 1 if constraints.ratios else 0):
            fit = settled(fit.parameters.vector, fit.noise_sd, rows)
        return fit

    return in_turn(fit_rows, n=len(measured))


def map_fit(values: ArrayLike, *, model: SignalModel, prior: GaussianPrior, noise_sd: ArrayLike | None = None) -> Fit:
    """Fit complex spectra (n, w), the model's window of them, as `nls` does, with a Gaussian `prior` of the parameters.

    `Fit.covariance` is that of the posterior there, `Fit.information` the Fisher information of the spectrum alone.
    Raises what `nls` raises, and SettingsError where prior and model have other components.
    """
    measured, noise = checked(values, model=model, noise_sd=noise_sd)
    grid, penalty = grid_of(model), prior.penalty(model)

    def fit_rows(rows: NDArray[np.intp]) -> Fit:
        start = likely(grid.start(measured[rows]), prior=prior)
        known = {"model": model, "penalty": penalty, "logs": prior.logs}
        return settle(start, measured[rows], noise_sd=noise[rows], **known)

    fit = in_turn(fit_rows, n=len(measured))
    return with_noise_left(fit) if noise_sd is None else fit


def likely(start: Floats, *, prior: GaussianPrior) -> Floats:
    """Vectors (n, p) with concentrations of a log-normal prior raised to two standard deviations below their mean.

    From nothing, steps in logarithms would take long.
    """
    k = len(prior.names)
    least = np.where(
        prior.logs, np.exp(np.where(prior.logs, prior.mean - 2 * np.sqrt(np.diag(prior.covariance)), 0)), 0
    )
    raised = start.copy()
    raised[:, :k] = np.maximum(raised[:, :k], least)
    return raised
