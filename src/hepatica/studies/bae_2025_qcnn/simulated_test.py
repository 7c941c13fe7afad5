"""Simulated test: the same simulated spectra quantified by every method, beside their truth and the bounds on it."""

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from hepatica.spectroscopy.fitting.bounds import bayesian_bound, crlb
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.fitting.quantities import Method
from hepatica.spectroscopy.networks.qcnn_training import parameters_of
from hepatica.spectroscopy.priors.priors import Priors
from hepatica.spectroscopy.quantify import Quantifier
from hepatica.spectroscopy.simulation.simulated_samples import Drawn

METHODS: tuple[Method, ...] = ("nls", "map", "qcnn", "qcnn+gn")

COLUMNS = ("spectrum", "target", "method", "truth", "estimate", "sd", "crlb", "bayesian", "seconds")


def quantified(
    drawn: Drawn, *, quantifier: Quantifier, priors: Priors, methods: Sequence[Method] = METHODS
) -> pd.DataFrame:
    """A row a spectrum, target and method (COLUMNS, mM); `seconds` is what the method took for one spectrum.

    `crlb` and `bayesian` are the least standard deviations at the truth: of unbiased estimates, and of those that know
    the prior. Estimates are kept as they are, quantifiable or not: errors of what would not be printed count too.
    """
    model, k = quantifier.model, len(quantifier.model.names)
    truth, vector, noise_sd = drawn.truth[:, :k], parameters_of(drawn.truth), drawn.noise_sd
    prior = gaussian_prior_of(priors, names=model.names)
    bounds = {
        "crlb": crlb(vector, model=model, noise_sd=noise_sd).sd,
        "bayesian": bayesian_bound(vector, model=model, noise_sd=noise_sd, prior=prior).sd,
    }
    parts: list[pd.DataFrame] = []
    for method in methods:
        begun = time.perf_counter()
        found = quantifier.quantify(drawn.values, method=method, noise_sd=noise_sd)
        seconds = (time.perf_counter() - begun) / len(truth)
        columns = {"truth": truth, "estimate": found.concentration, "sd": found.sd, **bounds}
        parts.append(_long(columns, names=model.names).assign(method=method, seconds=seconds)[list(COLUMNS)])
    return pd.concat(parts, ignore_index=True)


def _long(columns: dict[str, np.ndarray], *, names: tuple[str, ...]) -> pd.DataFrame:
    n, k = columns["truth"].shape
    index = {"spectrum": np.repeat(np.arange(n), k), "target": np.tile(names, n)}
    return pd.DataFrame(index | {name: values.ravel() for name, values in columns.items()})
