"""NLS: the least-squares fit of the signal model, concentrations 0 or more, next to nothing known beforehand."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.spectroscopy.fitting.fit import Fit, checked, in_turn, settle, with_noise_left
from hepatica.spectroscopy.fitting.multistart import grid_of
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.fitting.soft_constraints import Held

Floats = NDArray[np.float64]

FREE = Held()
"""Nothing held of concentrations (ours)."""

PASSES = 3
"""Fits in turn where ratios are held, each with the concentrations of the last for their scale (ours)."""


def nls(values: ArrayLike, *, model: SignalModel, noise_sd: ArrayLike | None = None, held: Held = FREE) -> Fit:
    """Fit complex spectra (n, w), the model's window of them, each from the best point of a grid (multistart).

    `noise_sd`, one number or one a spectrum, is the standard deviation of the noise of the real part; without it, it is
    what the fit leaves. `held` are shifts, widths, phases and ratios of concentrations that are held loosely. The
    covariance of the fit holds the Cramér-Rao bounds at the solution. A fit that did not end in a minimum is told by
    `Fit.converged`, never hidden. Raises SpecimenError on values that do not fit the model or are no numbers,
    SettingsError on noise that is not above 0.
    """
    measured, noise = checked(values, model=model, noise_sd=noise_sd)
    grid, k = grid_of(model), len(model.names)

    def settled(start: Floats, sd: Floats, rows: NDArray[np.intp]) -> Fit:
        penalty = held.penalty(model, start[:, :k])
        fit = settle(start, measured[rows], model=model, noise_sd=sd, penalty=penalty)
        return with_noise_left(fit) if noise_sd is None else fit

    def fit_rows(rows: NDArray[np.intp]) -> Fit:
        fit = settled(grid.start(measured[rows]), noise[rows], rows)
        for _ in range(PASSES - 1 if held.ratios else 0):
            fit = settled(fit.parameters.vector, fit.noise_sd, rows)
        return fit

    return in_turn(fit_rows, n=len(measured))
