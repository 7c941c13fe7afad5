"""Simulated test: simulated spectra quantified by every method, as trained and otherwise, beside their truth."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.basis.pulse_sequence import sinc_pulse
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.bounds import bayesian_bound, crlb
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.fitting.quantities import Method
from hepatica.spectroscopy.networks.qcnn_training import parameters_of
from hepatica.spectroscopy.priors.priors import Priors
from hepatica.spectroscopy.quantify import Quantifier
from hepatica.spectroscopy.simulation.nuisance import Family
from hepatica.spectroscopy.simulation.simulated_samples import SWEPT, Drawn, SimulatedSamples

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


SNRS = (5.0, 10.0, 20.0, 40.0, 80.0)
GAUSS_HZ = (6.0, 12.0, 18.0, 25.0, 32.0)
TE_MS_OFF = (-5.0, -2.0, 2.0, 5.0)
BASELINES: tuple[Family, ...] = ("none", "splines", "gaussians", "walk")
"""Levels of the sweeps (ours). The widest line and every echo time are outside the networks' training conditions."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Condition:
    """Spectra of one level of one sweep; the methods keep the model and the priors they have."""

    sweep: str
    level: str
    samples: SimulatedSamples


def conditions(samples: SimulatedSamples) -> Iterator[Condition]:
    """SNR of tCho, Gaussian width, baseline, echo time and refocusing pulses, one changed at a time.

    Another echo time changes how couplings evolve, and nothing else: relaxation stays that of the declared one.
    """
    own = samples.other(SWEPT)
    yield Condition(sweep="as trained", level="", samples=own)
    for snr in SNRS:
        yield _having(own, "SNR of tCho", f"{snr:g}", snr=snr)
    for width in GAUSS_HZ:
        yield _having(own, "Gaussian width, Hz", f"{width:g}", gauss_hz=width)
    for baseline in BASELINES:
        effects = replace(own.effects, baseline=baseline)
        yield Condition(sweep="baseline", level=baseline, samples=replace(own, effects=effects))
    acquisition = own.model.basis.acquisition
    for off in TE_MS_OFF:
        basis = simulate_basis(replace(acquisition, te_ms=acquisition.te_ms + off), names=own.model.names)
        other = replace(basis, acquisition=acquisition)
        yield Condition(sweep="echo time off by, ms", level=f"{off:+g}", samples=_of_basis(own, other))
    shaped = simulate_basis(acquisition, names=own.model.names, refocusing=sinc_pulse())
    yield Condition(sweep="refocusing pulses", level="shaped", samples=_of_basis(own, shaped))


def _having(samples: SimulatedSamples, sweep: str, level: str, **nuisance: float) -> Condition:
    return Condition(sweep=sweep, level=level, samples=replace(samples, priors=samples.priors.having(**nuisance)))


def _of_basis(samples: SimulatedSamples, basis: Basis) -> SimulatedSamples:
    return replace(samples, model=replace(samples.model, basis=basis))


def swept(
    samples: SimulatedSamples, *, quantifier: Quantifier, methods: Sequence[Method], spectra: int
) -> pd.DataFrame:
    """A row a condition, method and target: sweep, level, method, target, mean |error| in mM.

    The same `spectra` numbers, and so the same concentrations, in every condition.
    """
    rows: list[dict[str, object]] = []
    for condition in conditions(samples):
        drawn = condition.samples.at(np.arange(spectra))
        truth = drawn.truth[:, : len(quantifier.model.names)]
        for method in methods:
            found = quantifier.quantify(drawn.values, method=method, noise_sd=drawn.noise_sd)
            off = np.abs(found.concentration - truth).mean(axis=0)
            rows += [
                {"sweep": condition.sweep, "level": condition.level, "method": method, "target": name, "mae": error}
                for name, error in zip(quantifier.model.names, off.tolist(), strict=True)
            ]
    return pd.DataFrame(rows)
