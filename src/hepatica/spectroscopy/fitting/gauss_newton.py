"""Refine: a few Gauss-Newton steps of the MAP fit from where a network points."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.fitting.fit import Fit, checked, descend, in_turn
from hepatica.spectroscopy.fitting.gaussian_prior import Belief
from hepatica.spectroscopy.fitting.map_fit import likely
from hepatica.spectroscopy.fitting.multistart import grid_of
from hepatica.spectroscopy.fitting.shared_fit import shared_fit
from hepatica.spectroscopy.fitting.signal_model import SignalModel

STEPS = 8
"""Gauss-Newton steps at the most (ours); a network's start wants four on the average."""

NEAR = 0.01
"""A spectrum is done when its next step would lower half of chi² by less: a move of 0.14 standard errors (ours)."""


def refine(
    start: ArrayLike,
    *,
    values: ArrayLike,
    model: SignalModel,
    belief: Belief,
    noise_sd: ArrayLike,
    steps: int = STEPS,
) -> Fit:
    """Take up to `steps` steps towards the MAP fit of spectra (n, w) from `start`.

    `start` is a network's concentrations (n, k), for which shift, widths and phases are fitted first, or vectors
    (n, p) of all parameters. `Fit.converged` says whether a further step would change next to nothing (NEAR). Raises
    what `map_fit` raises, and SettingsError on a start of another shape, negative or no numbers.
    """
    measured, noise = checked(values, model=model, noise_sd=noise_sd)
    given, k = np.asarray(start, float), len(model.names)
    if given.shape not in ((len(measured), k), (len(measured), model.size)):
        raise SettingsError(f"got a start of {given.shape}, wanted ({len(measured)}, {k}) or (…, {model.size})")
    if not (np.isfinite(given).all() and (given[:, :k] >= 0).all()):
        raise SettingsError("got a start that is negative or no number; wanted concentrations of 0 or more")
    grid, penalty = grid_of(model), belief.penalty(model)

    def fit_rows(rows: NDArray[np.intp]) -> Fit:
        known: dict[str, Any] = {"model": model, "noise_sd": noise[rows], "penalty": penalty}
        own = given[rows]
        if given.shape[1] == k:
            own = shared_fit(grid.start_at(own, values=measured[rows]), measured[rows], **known)
        return descend(
            likely(own, belief=belief), measured[rows], logs=belief.logs, iterations=steps, tolerance=NEAR, **known
        )

    return in_turn(fit_rows, n=len(measured))
