"""Bounds: the least variance of concentrations, of any unbiased estimate (Cramér-Rao) and with a prior (Bayesian)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.spectroscopy.fitting.fit import slope_of
from hepatica.spectroscopy.fitting.least_squares import FREE
from hepatica.spectroscopy.fitting.levenberg_marquardt import inverse
from hepatica.spectroscopy.fitting.prior_terms import GaussianPrior, Penalty, SoftConstraints
from hepatica.spectroscopy.fitting.signal_model import SignalModel

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Bound:
    """Least covariance (n, k, k) of the k concentrations of n spectra."""

    covariance: Floats

    @property
    def sd(self) -> Floats:
        """(n, k) least standard deviations."""
        return np.asarray(np.sqrt(np.einsum("nkk->nk", self.covariance)))


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
    return Bound(covariance=np.asarray(covariance, np.float64))


def bayesian_bound(vector: Floats, *, model: SignalModel, noise_sd: ArrayLike, prior: GaussianPrior) -> Bound:
    """Bounds with spectrum and prior together at each of these parameters (n, p).

    The information of both is added, on the prior's scales; never above the Cramér-Rao bound, nor above the
    prior's deviation. It is the standard deviation of the posterior to first order.
    """
    slope = slope_of(vector, prior.logs)[..., None]
    both = slope * information(vector, model=model, noise_sd=noise_sd) * slope.swapaxes(1, 2)
    covariance = slope * inverse(both + prior.penalty(model).precision) * slope.swapaxes(1, 2)
    return Bound(covariance=np.asarray(covariance[:, : len(model.names), : len(model.names)], np.float64))
