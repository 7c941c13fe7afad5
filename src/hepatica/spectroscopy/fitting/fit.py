"""Fit: the signal model at the least chi² with a penalty, with covariance and diagnostics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import SettingsError, SpecimenError
from hepatica.spectroscopy.fitting.levenberg_marquardt import ITERATIONS, TOLERANCE, Minimum, inverse, minimise
from hepatica.spectroscopy.fitting.prior_terms import Penalty
from hepatica.spectroscopy.fitting.signal_model import SHARED, Parameters, SignalModel
from hepatica.spectroscopy.signal.spectrum import rough_noise

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
Booleans = NDArray[np.bool_]
Equations = tuple[Floats, Floats, Floats]

LEAST_NOISE = 1e-9
"""Noise over highest point below which a spectrum was not measured (ours)."""

AT_ONCE = 32
"""Spectra fitted together (ours): enough to share overhead, few enough for their derivatives to stay in the cache."""

BOUNDS = {
    "common_hz": (-60.0, 60.0), "lorentz_hz": (0.0, 80.0), "gauss_hz": (0.5, 100.0),
    "phase0": (-10.0, 10.0), "phase1": (-0.5, 0.5),
}  # fmt: skip
"""Hz, rad and rad per ppm (ours); a Gaussian width of 0 has no derivative."""

SHIFT_REACH = 4.0
"""Furthest shift of a component from that of all, in its standard deviations beforehand (ours)."""

CLEAREST = 1000.0
"""Highest peak over noise at which a spectrum is fitted at once (ours)."""

LEAST_LOG, MOST_LOG = -20.0, 50.0
"""Bounds of the logarithm of a concentration (ours): nothing, in any unit that is used, and more than there is."""

PER_SPECTRUM = ("information", "covariance", "noise_sd", "chi2", "cost", "converged", "iterations", "rival")


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A model fitted to n spectra: parameters, covariance and goodness of fit.

    `information` (n, p, p) is the Fisher information of the spectrum alone at the solution, `covariance` (n, p, p) the
    inverse of it with the penalty. `noise_sd` (n,) is of the real and of the imaginary part, `chi2` (n,) that of the
    spectrum per degree of freedom, `cost` (n,) half of chi² with the penalty, `converged` (n,) false where no minimum
    was reached in `iterations` (n,), `rival` (n, k) how far the concentrations of another minimum are away that is
    nearly as good, 0 where there is none.
    """

    model: SignalModel
    parameters: Parameters
    information: Floats
    covariance: Floats
    noise_sd: Floats
    chi2: Floats
    cost: Floats
    converged: Booleans
    iterations: NDArray[np.intp]
    rival: Floats

    @property
    def concentration(self) -> Floats:
        """(n, k)."""
        return self.parameters.concentration

    @property
    def sd(self) -> Floats:
        """(n, k) standard deviations of the concentrations, by the covariance."""
        k = len(self.model.names)
        return np.asarray(np.sqrt(np.einsum("npp->np", self.covariance)[:, :k]))

    @property
    def at_limit(self) -> list[list[str]]:
        """Of each spectrum the parameters of SHARED at a bound of BOUNDS."""
        return [
            [name for name in SHARED if not BOUNDS[name][0] < getattr(self.parameters, name)[row] < BOUNDS[name][1]]
            for row in range(len(self.chi2))
        ]

    def peaks(self) -> Complex:
        """(n, w) fitted spectra without their baselines."""
        return self.model.evaluate(self.parameters.vector)

    def baseline(self, values: Complex) -> Complex:
        """(n, w) baselines of the spectra (n, w) that were fitted."""
        return np.asarray(self.model.baseline.smooth(values - self.peaks()))


def descend(
    start: Floats,
    values: Complex,
    *,
    model: SignalModel,
    noise_sd: Floats,
    penalty: Penalty,
    logs: Booleans | None = None,
    iterations: int = ITERATIONS,
    tolerance: float = TOLERANCE,
) -> Fit:
    """Fit spectra (n, w) from vectors (n, p); concentrations of `logs` (k,) are stepped, and penalised, as logarithms.

    The others, all where `logs` is None, are kept at 0 or above.
    """
    logs = np.zeros(len(model.names), bool) if logs is None else logs

    def normal_equations(vector: Floats, rows: NDArray[np.intp]) -> Equations:
        linear = _linear(vector, logs)
        half, gradient, hessian = model.normal_equations(linear, values[rows], noise_sd=noise_sd[rows])
        slope = slope_of(linear, logs)
        return penalty.add(vector, rows, (half, gradient * slope, hessian * _outer(slope)))

    lower, upper = _bounds(penalty, model, logs)
    found = minimise(
        _logarithmic(start, logs),
        normal_equations=normal_equations,
        lower=lower,
        upper=upper,
        iterations=iterations,
        tolerance=tolerance,
    )
    return _fit_of(found, values, model=model, noise_sd=noise_sd, penalty=penalty, logs=logs)


def _fit_of(
    found: Minimum, values: Complex, *, model: SignalModel, noise_sd: Floats, penalty: Penalty, logs: Booleans
) -> Fit:
    linear = _linear(found.vector, logs)
    half, _, information = model.normal_equations(linear, values, noise_sd=noise_sd)
    covariance = inverse(found.hessian)
    used = model.size - (covariance * penalty.precision).sum(axis=(1, 2))
    return Fit(
        model=model,
        parameters=Parameters.of(linear),
        information=information,
        covariance=covariance * _outer(slope_of(linear, logs)),
        noise_sd=noise_sd,
        chi2=2 * half / (2 * (model.ppm.size - model.freedom) - used),
        cost=found.half_chi2,
        converged=found.converged,
        iterations=found.iterations,
        rival=np.zeros((len(values), len(model.names))),
    )


def settle(start: Floats, values: Complex, *, noise_sd: Floats, **known: Any) -> Fit:
    """`descend`, a clear spectrum first as if it were noisier.

    The constraints of shifts then still count, and a small line beside a tall one does not settle on its wrong side.
    """
    rough = np.maximum(noise_sd, np.abs(values).max(axis=1) / CLEAREST)
    first = descend(start, values, noise_sd=rough, **known)
    if (rough == noise_sd).all():
        return first
    fit = descend(first.parameters.vector, values, noise_sd=noise_sd, **known)
    return replace(fit, iterations=first.iterations + fit.iterations)


NEARLY = 1.92
"""Half of chi² (in units of chi² per degree of freedom, where above 1) by which a minimum may be worse than the least
and still be in a 95 % interval by the ratio of likelihoods."""

ELSEWHERE_HZ, ELSEWHERE_RAD = 6.0, 0.8
"""Shift or phase from a fit beyond which another counts (ours): one and a half steps of the grid."""

SCOUTS, FAR = 5, 100.0
"""Steps after which a further start is given up, and by how much more than NEARLY it is worse then (ours)."""


def against(fit: Fit, start: Floats, *, owner: NDArray[np.intp], fit_from: Callable[..., Fit]) -> Fit:
    """The fit of n spectra, or that from a further start (m, p) of one, its `owner` (m,), where that is better.

    `fit_from` fits from starts the spectra of these places, in so many `iterations`. Starts and ends count only where
    they are elsewhere than the fit: a step that it did not take is not another minimum.
    """
    further = _elsewhere(fit, start, owner)
    start, owner = start[further], owner[further]
    if not owner.size:
        return fit
    begun = fit_from(start, owner, iterations=SCOUTS)
    near = begun.cost - fit.cost[owner] < FAR * np.maximum(1, fit.chi2[owner])
    near &= _elsewhere(fit, begun.parameters.vector, owner)
    if not near.any():
        return fit
    others = fit_from(begun.parameters.vector[near], owner[near])
    apart = _elsewhere(fit, others.parameters.vector, owner[near])
    places = np.append(np.arange(len(fit.cost)), owner[near][apart])
    return best_of(joined([fit, _rows_of(others, apart)]), owner=places)


def _elsewhere(fit: Fit, vector: Floats, owner: NDArray[np.intp]) -> Booleans:
    """Whether vectors (m, p) have another shift or phase of the whole than the fits of their owners (m,)."""
    away = (vector - fit.parameters.vector[owner])[:, -len(SHARED) :].T
    turned = np.angle(np.exp(1j * away[SHARED.index("phase0")]))
    return np.asarray((np.abs(away[SHARED.index("common_hz")]) > ELSEWHERE_HZ) | (np.abs(turned) > ELSEWHERE_RAD))


def best_of(fits: Fit, *, owner: NDArray[np.intp]) -> Fit:
    """Of several fits of each spectrum, `owner` (m,) its place, that of the least cost, and its furthest rival."""
    order = np.lexsort((fits.cost, owner))
    best = order[np.unique(owner[order], return_index=True)[1]]
    away = fits.concentration - fits.concentration[best][owner]
    worse = (fits.cost - fits.cost[best][owner]) / np.maximum(1, fits.chi2[best][owner])
    apart = np.where(worse < NEARLY, np.abs(away / fits.sd[best][owner]).max(axis=1), 0)
    order = np.lexsort((-apart, owner))
    furthest = order[np.unique(owner[order], return_index=True)[1]]
    return replace(_rows_of(fits, best), rival=np.where(apart[furthest, None] > 0, away[furthest], 0))


def _rows_of(fit: Fit, rows: NDArray[np.intp] | Booleans) -> Fit:
    own = {name: getattr(fit, name)[rows] for name in PER_SPECTRUM}
    return Fit(model=fit.model, parameters=Parameters.of(fit.parameters.vector[rows]), **own)


def joined(parts: Sequence[Fit]) -> Fit:
    """One fit of the spectra of several."""
    own = {name: np.concatenate([getattr(part, name) for part in parts]) for name in PER_SPECTRUM}
    vector = np.concatenate([part.parameters.vector for part in parts])
    return Fit(model=parts[0].model, parameters=Parameters.of(vector), **own)


def in_turn(fit_rows: Callable[[NDArray[np.intp]], Fit], *, n: int) -> Fit:
    """One fit of n spectra made of fits of AT_ONCE rows each."""
    return joined([fit_rows(rows) for rows in np.array_split(np.arange(n), max(1, -(-n // AT_ONCE)))])


def with_noise_left(fit: Fit) -> Fit:
    """The fit with the noise taken to be what it left: chi² is then 1, and the covariance follows."""
    scale = np.sqrt(fit.chi2)
    squared = fit.chi2[:, None, None]
    return replace(
        fit,
        noise_sd=fit.noise_sd * scale,
        information=fit.information / squared,
        covariance=fit.covariance * squared,
        chi2=np.ones_like(fit.chi2),
    )


def checked(values: ArrayLike, *, model: SignalModel, noise_sd: ArrayLike | None) -> tuple[Complex, Floats]:
    """Spectra (n, w) and the noise (n,) of each, guessed from neighbouring points where it is not given.

    Raises SpecimenError on values that do not fit the model or are no numbers, SettingsError on noise that is not
    above 0.
    """
    measured = np.asarray(values, complex)
    if measured.ndim != 2 or measured.shape[1] != model.ppm.size or not len(measured):
        raise SpecimenError(
            f"got spectra of shape {measured.shape}, wanted (n, {model.ppm.size}), n of 1 or more: take `model.window`"
            " of whole ones"
        )
    if not np.isfinite(measured).all():
        raise SpecimenError(f"got {(~np.isfinite(measured)).sum()} points of spectra that are not numbers")
    noise = _found_noise(measured) if noise_sd is None else np.broadcast_to(np.asarray(noise_sd, float), len(measured))
    if not (np.isfinite(noise) & (noise > 0)).all():
        raise SettingsError("got noise that is not above 0, wanted its standard deviation in the spectrum's own unit")
    return measured, np.array(noise)


def _found_noise(measured: Complex) -> Floats:
    noise = rough_noise(measured)
    silent = noise <= LEAST_NOISE * np.abs(measured).max(axis=1)
    if silent.any():
        raise SpecimenError(
            f"got {silent.sum()} spectra without noise, such as of nothing but zeros: export them again, or give the"
            " noise of simulated ones"
        )
    return noise


def _bounds(penalty: Penalty, model: SignalModel, logs: Booleans) -> tuple[Floats, Floats]:
    k = len(model.names)
    low, high = zip(*(BOUNDS[name] for name in SHARED), strict=True)
    diagonal = np.atleast_2d(np.einsum("...pp->...p", penalty.precision))[0]
    middle, reach = penalty.mean[k : 2 * k], SHIFT_REACH / np.sqrt(diagonal[k : 2 * k])
    lower = np.concatenate([np.where(logs, LEAST_LOG, 0.0), middle - reach, low])
    return lower, np.concatenate([np.where(logs, MOST_LOG, np.inf), middle + reach, high])


def _logarithmic(linear: Floats, logs: Booleans) -> Floats:
    vector = linear.copy()
    vector[:, : logs.size][:, logs] = np.log(np.maximum(linear[:, : logs.size][:, logs], np.exp(LEAST_LOG)))
    return vector


def _linear(vector: Floats, logs: Booleans) -> Floats:
    linear = vector.copy()
    linear[:, : logs.size][:, logs] = np.exp(vector[:, : logs.size][:, logs])
    return linear


def slope_of(linear: Floats, logs: Booleans) -> Floats:
    """(n, p) derivatives of parameters (n, p) by what is stepped in their place: 1, or c where that is log c."""
    slope = np.ones_like(linear)
    slope[:, : logs.size][:, logs] = linear[:, : logs.size][:, logs]
    return slope


def _outer(slope: Floats) -> Floats:
    return np.asarray(slope[:, :, None] * slope[:, None, :])
