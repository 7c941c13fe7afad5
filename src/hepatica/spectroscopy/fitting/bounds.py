"""Bounds: the least variance of concentrations, of any unbiased estimate (Cramér-Rao) and with a prior (Bayesian)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.fitting.fit import slope_of
from hepatica.spectroscopy.fitting.least_squares import FREE
from hepatica.spectroscopy.fitting.levenberg_marquardt import inverse
from hepatica.spectroscopy.fitting.prior_terms import GaussianPrior, Penalty, SoftConstraints
from hepatica.spectroscopy.fitting.signal_model import SignalModel

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Bound:
    """Least covariance (n, k, k) of the concentrations of n spectra, of the components `names` (k,)."""

    names: tuple[str, ...]
    covariance: Floats

    @property
    def sd(self) -> Floats:
        """(n, k) least standard deviations."""
        return np.asarray(np.sqrt(np.einsum("nkk->nk", self.covariance)))

    def sd_of_sum(self, names: Sequence[str]) -> Floats:
        """(n,) least standard deviation of the sum of these components; SettingsError where one is missing."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise SettingsError(f"there is no {', '.join(missing)} among {', '.join(self.names)}")
        rows = [self.names.index(name) for name in names]
        return np.asarray(np.sqrt(self.covariance[:, rows][:, :, rows].sum(axis=(1, 2))))


def crlb(vector: Floats, *, model: SignalModel, noise_sd: ArrayLike, constraints: SoftConstraints = FREE) -> Bound:
    """Cramér-Rao bounds of the concentrations of spectra with these parameters (n, p).

    Shifts, widths, phases and the baseline are unknown too and raise the bound; `constraints`, by default the shifts
    of components about that of all, count as in `nls` (a hybrid bound; a component at 0 mM with a free shift would
    have none). `noise_sd`, one number or one a spectrum, is that of the real part.
    """
    fisher = information(vector, model=model, noise_sd=noise_sd)
    return of_information(fisher, model=model, penalty=constraints.penalty(model, vector[:, : len(model.names)]))


def information(vector: Floats, *, model: SignalModel, noise_sd: ArrayLike) -> Floats:
    """Fisher information (n, p, p) of spectra with these parameters (n, p), the baseline unknown."""
    noise = np.broadcast_to(np.asarray(noise_sd, float), len(vector))
    nothing = np.zeros((len(vector), model.ppm.size), complex)
    parts = [
        model.normal_equations(vector[rows], nothing[rows], noise_sd=noise[rows])[2]
        for rows in np.array_split(np.arange(len(vector)), max(1, len(vector) // 32))
    ]
    return np.concatenate(parts)


def of_information(fisher: Floats, *, model: SignalModel, penalty: Penalty) -> Bound:
    """The bound that Fisher information (n, p, p) and a penalty on the parameters leave to the concentrations."""
    k = len(model.names)
    covariance = inverse(fisher + penalty.precision)[:, :k, :k]
    return Bound(names=model.names, covariance=np.asarray(covariance, np.float64))


def bayesian_bound(vector: Floats, *, model: SignalModel, noise_sd: ArrayLike, prior: GaussianPrior) -> Bound:
    """Bounds with spectrum and prior together at each of these parameters (n, p).

    The information of both is added, on the prior's scales; never above the Cramér-Rao bound, nor above the
    prior's deviation. It is the standard deviation of the posterior to first order.
    """
    slope = slope_of(vector, prior.logs)[..., None]
    both = slope * information(vector, model=model, noise_sd=noise_sd) * slope.swapaxes(1, 2)
    return _scaled(both + prior.penalty(model).precision, slope, model)


def van_trees(vector: Floats, *, model: SignalModel, noise_sd: ArrayLike, prior: GaussianPrior) -> Bound:
    """The bound of the mean squared error of any estimate, over parameters (n, p) drawn from the prior; n is 1 in it.

    The global bound of Van Trees (Detection, estimation, and modulation theory, part I, 1968, 2.4.2): the mean of the
    spectra's information and that of the prior, and the mean of the derivatives.
    """
    slope = slope_of(vector, prior.logs)[..., None]
    mean = (slope * information(vector, model=model, noise_sd=noise_sd) * slope.swapaxes(1, 2)).mean(axis=0)
    return _scaled((mean + prior.penalty(model).precision)[None], slope.mean(axis=0)[None], model)


def _scaled(both: Floats, slope: Floats, model: SignalModel) -> Bound:
    k = len(model.names)
    covariance = slope * inverse(both) * slope.swapaxes(1, 2)
    return Bound(names=model.names, covariance=np.asarray(covariance[:, :k, :k], np.float64))
