"""Quantify: concentrations of spectra by any of the methods, behind one interface."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.fitting.least_squares import map_fit, nls
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.fitting.quantities import Method, Quantities, Unit, quantities_of
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.networks.qcnn import Qcnn
from hepatica.spectroscopy.networks.qcnn_quantify import qcnn, qcnn_gn
from hepatica.spectroscopy.priors.priors import Priors

METHODS: tuple[Method, ...] = get_args(Method)
"""nls: least squares without priors; map: with the priors; qcnn: networks; qcnn+gn: networks, then
Gauss-Newton steps of the map fit."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantifier:
    """What the methods share: the signal model, the priors (all but nls), trained networks (qcnn and qcnn+gn)."""

    model: SignalModel
    priors: Priors | None = None
    network: Qcnn | None = None

    def quantify(
        self, values: NDArray[np.complexfloating], *, method: Method, noise_sd: ArrayLike | None, unit: Unit = "mM"
    ) -> Quantities:
        """Concentrations of complex spectra (n, w), the model's window, whose noise's real part has SD `noise_sd`.

        Fits take the noise from their residuals where it is None, as LCModel does; networks need it. Raises
        SettingsError on an unknown method, and where needed priors or networks are missing, or `values` are not in mM.
        """
        if method not in METHODS:
            raise SettingsError(f"got the unknown method {method!r}, wanted one of {', '.join(METHODS)}")
        if method == "nls":
            fit = nls(values, model=self.model, noise_sd=noise_sd)
            return quantities_of(fit, method=method, unit=unit)
        if unit != "mM":
            raise SettingsError(f"{method} has priors in mM, got {unit}: give a water reference, or use nls")
        priors = self._priors(method)
        if method == "map":
            prior = gaussian_prior_of(priors, names=self.model.names)
            fit = map_fit(values, model=self.model, prior=prior, noise_sd=noise_sd)
            return quantities_of(fit, method=method, unit=unit, prior=prior)
        if noise_sd is None:
            raise SettingsError(f"{method} needs the noise of the spectra, got none: measure it, or use nls or map")
        by = qcnn if method == "qcnn" else qcnn_gn
        return by(values, network=self._network(method), model=self.model, priors=priors, noise_sd=noise_sd)

    def _priors(self, method: Method) -> Priors:
        if self.priors is None:
            raise SettingsError(f"{method} needs priors: read some with `read_priors`, or use nls")
        return self.priors

    def _network(self, method: Method) -> Qcnn:
        if self.network is None:
            raise SettingsError(f"{method} needs trained networks: give the run of bae_2025_qcnn, or use nls or map")
        return self.network
