"""NLS: the least-squares fit of the signal model, concentrations 0 or more, with nothing known of them beforehand."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.spectroscopy.fit import Fit, checked, in_turn, settle, with_noise_left
from hepatica.spectroscopy.multistart import Grid
from hepatica.spectroscopy.penalty import SHIFT_SD_HZ, holding_ratios, loose
from hepatica.spectroscopy.signal_model import SignalModel


def nls(
    values: ArrayLike,
    *,
    model: SignalModel,
    noise_sd: ArrayLike | None = None,
    shift_sd_hz: float = SHIFT_SD_HZ,
    lipid_ratios: Mapping[str, float] | None = None,
) -> Fit:
    """Fit complex spectra (n, w), the model's window of them, each from the best point of a grid (multistart).

    `noise_sd`, one number or one a spectrum, is the standard deviation of the noise of the real part; without it, it is
    what the fit leaves. `shift_sd_hz` holds the shift of each component about that of all; `lipid_ratios` by name, to
    the first of them, hold those concentrations loosely (LIPID_RATIO_SD). The covariance of the fit holds the
    Cramér-Rao bounds at the solution. A fit that did not end in a minimum is told by `Fit.converged`, never hidden.
    Raises SpecimenError on values that do not fit the model or are no numbers, SettingsError on noise, ratios or
    spreads that are not above 0.
    """
    measured, noise = checked(values, model=model, noise_sd=noise_sd)
    grid, free = Grid(model=model), loose(model, shift_sd_hz=shift_sd_hz)

    def fit_rows(rows: NDArray[np.intp]) -> Fit:
        start = grid.start(measured[rows])
        concentration = start[:, : len(model.names)]
        penalty = holding_ratios(free, lipid_ratios, model=model, concentration=concentration) if lipid_ratios else free
        return settle(start, measured[rows], model=model, noise_sd=noise[rows], penalty=penalty)

    fit = in_turn(fit_rows, n=len(measured))
    return with_noise_left(fit) if noise_sd is None else fit
