"""Least squares: the non-linear (NLS) and maximum a posteriori (MAP) fits of the model, and steps towards MAP."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.fitting.fit import (
    BOUNDS,
    Equations,
    Fit,
    against,
    checked,
    descend,
    in_turn,
    settle,
    with_noise_left,
)
from hepatica.spectroscopy.fitting.levenberg_marquardt import minimise
from hepatica.spectroscopy.fitting.multistart import grid_of
from hepatica.spectroscopy.fitting.prior_terms import GaussianPrior, Penalty, SoftConstraints
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Complex = NDArray[np.complex128]

FREE = SoftConstraints()
"""No constraints of concentrations (ours)."""

PASSES = 3
"""Fits in turn where ratios are constrained, each with the concentrations of the last for their scale (ours)."""


def nls(
    values: ArrayLike, *, model: SignalModel, noise_sd: ArrayLike | None = None, constraints: SoftConstraints = FREE
) -> Fit:
    """Fit complex spectra (n, w), the model's window of them, each from the best points of a grid (multistart).

    `noise_sd`, one number or one a spectrum, is the standard deviation of the noise of the real part; without it, it is
    what the fit leaves. `constraints` are soft constraints of shifts, widths, phases and ratios of concentrations. The
    covariance of the fit has the Cramér-Rao bounds at the solution. `Fit.converged` is false where no minimum was
    reached. Raises SpecimenError on values that do not fit the model or are no numbers,
    SettingsError on noise that is not above 0.
    """
    measured, noise = checked(values, model=model, noise_sd=noise_sd)
    grid, k = grid_of(model), len(model.names)

    def scaled(fit: Fit) -> Fit:
        return with_noise_left(fit) if noise_sd is None else fit

    def fit_rows(rows: Places) -> Fit:
        n, values = len(rows), measured[rows]

        def fit_from(start: Floats, own: Places, sd: Floats = noise[rows], **how: Any) -> Fit:
            penalty = constraints.penalty(model, start[:, :k])
            return settle(start, values[own], model=model, noise_sd=sd[own], penalty=penalty, **how)

        owner, start = grid.starts(values)
        fit = scaled(against(fit_from(start[:n], owner[:n]), start[n:], owner=owner[n:], fit_from=fit_from))
        for _ in range(PASSES - 1 if constraints.ratios else 0):
            fit = scaled(replace(fit_from(fit.parameters.vector, owner[:n], fit.noise_sd), rival=fit.rival))
        return fit

    return in_turn(fit_rows, n=len(measured))


def map_fit(values: ArrayLike, *, model: SignalModel, prior: GaussianPrior, noise_sd: ArrayLike | None = None) -> Fit:
    """Fit complex spectra (n, w), the model's window of them, as `nls` does, with a Gaussian `prior` of the parameters.

    `Fit.covariance` is that of the posterior there, `Fit.information` the Fisher information of the spectrum alone.
    Raises what `nls` raises, and SettingsError where prior and model have other components.
    """
    measured, noise = checked(values, model=model, noise_sd=noise_sd)
    prior.penalty(model)  # refuses other components
    grid = grid_of(model)

    def fit_rows(rows: Places) -> Fit:
        fit_from = partial(_map_from, values=measured[rows], noise_sd=noise[rows], model=model, prior=prior)
        n, (owner, start) = len(rows), grid.starts(measured[rows])
        return against(fit_from(start[:n], owner[:n]), start[n:], owner=owner[n:], fit_from=fit_from)

    fit = in_turn(fit_rows, n=len(measured))
    return with_noise_left(fit) if noise_sd is None else fit


def _map_from(
    start: Floats, rows: Places, *, values: Complex, noise_sd: Floats, prior: GaussianPrior, **how: Any
) -> Fit:
    known = {"penalty": prior.penalty(how["model"]), "logs": prior.logs, **how}
    return settle(likely(start, prior=prior), values[rows], noise_sd=noise_sd[rows], **known)


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


LEAST_GAUSS_HZ = 5.0
"""Least Gaussian width that is given back (ours): from none at all, which wrong concentrations may feign, no way leads
back, for it has no derivative there."""


def shared_fit(start: Floats, values: Complex, *, model: SignalModel, noise_sd: Floats, penalty: Penalty) -> Floats:
    """Vectors (n, p) of which the last five, SHARED, are fitted to spectra (n, w), the rest as in `start`.

    Of the penalty (p,) that of these five counts.
    """
    own = slice(model.size - len(SHARED), None)
    still, inverse = model.undamped(start), 1 / noise_sd[:, None]
    shared_penalty = Penalty(mean=penalty.mean[own], precision=penalty.precision[..., own, own])

    def normal_equations(shared: Floats, rows: Places) -> Equations:
        fitted, slopes = model.shared_jacobian(shared, still[rows])
        rest = model.baseline.whiten((values[rows] - fitted) * inverse[rows])
        seen = model.baseline.whiten(slopes * inverse[rows][..., None])
        gradient = -np.einsum("npw,nw->np", seen.conj(), rest).real
        hessian = (seen.conj() @ seen.swapaxes(1, 2)).real
        return shared_penalty.add(shared, rows, (0.5 * (np.abs(rest) ** 2).sum(axis=1), gradient, hessian))

    lower, upper = np.array([BOUNDS[name] for name in SHARED]).T
    lower[SHARED.index("gauss_hz")] = LEAST_GAUSS_HZ
    found = minimise(start[:, own], normal_equations=normal_equations, lower=lower, upper=upper)
    return np.concatenate([start[:, : own.start], found.vector], axis=1)


STEPS = 8
"""Gauss-Newton steps at the most (ours); a network's start needs four on average."""

NEAR = 0.01
"""A spectrum is done when its next step would lower half of chi² by less: a move of 0.14 standard errors (ours)."""


def refine(
    start: ArrayLike,
    *,
    values: ArrayLike,
    model: SignalModel,
    prior: GaussianPrior,
    noise_sd: ArrayLike,
    steps: int = STEPS,
) -> Fit:
    """Take up to `steps` steps towards the MAP fit of spectra (n, w) from `start`.

    `start` is a network's concentrations (n, k), for which shift, widths and phases are fitted first, or vectors
    (n, p) of all parameters. `Fit.converged` says whether a further step would change next to nothing (NEAR). Where the
    grid shows several basins, fits from there compete as in `map_fit`. Raises what `map_fit` raises, and SettingsError
    on a start of another shape, negative or not numbers.
    """
    measured, noise = checked(values, model=model, noise_sd=noise_sd)
    given, k = np.asarray(start, float), len(model.names)
    if given.shape not in ((len(measured), k), (len(measured), model.size)):
        raise SettingsError(f"got a start of {given.shape}, wanted ({len(measured)}, {k}) or (…, {model.size})")
    if not (np.isfinite(given).all() and (given[:, :k] >= 0).all()):
        raise SettingsError("got a start that is negative or not a number; wanted concentrations of 0 or more")
    grid, penalty = grid_of(model), prior.penalty(model)

    def fit_rows(rows: Places) -> Fit:
        known: dict[str, Any] = {"model": model, "noise_sd": noise[rows], "penalty": penalty}
        own = given[rows]
        if given.shape[1] == k:
            own = shared_fit(grid.start_at(own, values=measured[rows]), measured[rows], **known)
        refined = descend(
            likely(own, prior=prior), measured[rows], logs=prior.logs, iterations=steps, tolerance=NEAR, **known
        )
        owner, other = grid.starts(measured[rows])
        several = np.isin(owner, owner[len(rows) :])
        fit_from = partial(_map_from, values=measured[rows], noise_sd=noise[rows], model=model, prior=prior)
        return against(refined, other[several], owner=owner[several], fit_from=fit_from)

    return in_turn(fit_rows, n=len(measured))
