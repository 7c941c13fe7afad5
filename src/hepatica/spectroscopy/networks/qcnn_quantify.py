"""qCNN quantify: concentrations by trained networks alone, or as the start of a few Gauss-Newton steps."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hepatica.cohort.errors import SettingsError
from hepatica.learn import Arrays, infer
from hepatica.spectroscopy.fitting.bounds import crlb
from hepatica.spectroscopy.fitting.least_squares import STEPS, refine
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.fitting.quantities import Quantities, Unit, quantities_of
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.networks.network_input import as_network_values
from hepatica.spectroscopy.networks.novelty import novelty_flags
from hepatica.spectroscopy.networks.qcnn import Measured, Qcnn
from hepatica.spectroscopy.networks.qcnn_training import parameters_of
from hepatica.spectroscopy.priors.priors import Priors
from hepatica.spectroscopy.simulation.simulate import PEAKS_PPM

Floats = NDArray[np.float64]
Complex = NDArray[Any]

READ_AT_ONCE = 256

SNR_SLACK, WIDTH_SLACK = 2.0, 1.3
"""Factors by which SNR and width, being estimates, may exceed the training range without a flag (ours)."""

LEAST_WIDTH_HZ = 0.5
"""Least widths taken from a network (ours); a spectrum without any has no derivative there."""


def measured(network: Qcnn, values: Complex) -> Measured:
    """The output of the networks, as arrays, for complex spectra (n, w) in mM, the window of their training."""
    images = Arrays(values=as_network_values(values))
    return Measured(*infer(network, images, batch=READ_AT_ONCE, label="reading spectra"))


def qcnn(
    values: Complex, *, network: Qcnn, model: SignalModel, priors: Priors, noise_sd: ArrayLike, unit: Unit = "mM"
) -> Quantities:
    """Concentrations of complex spectra (n, w) in mM, `model`'s window, by the networks.

    Standard deviations are calibrated and correlated as the errors in held-out simulation were. The bound is that of
    the signal model where the networks see the spectrum. Flags name spectra unlike those of their training
    and an SNR outside its range. Raises SettingsError where networks and model do not fit together.
    """
    found = measured(network, values)
    return quantities_by(found, network=network, model=model, priors=priors, noise_sd=noise_sd, unit=unit)


def quantities_by(
    found: Measured, *, network: Qcnn, model: SignalModel, priors: Priors, noise_sd: ArrayLike, unit: Unit
) -> Quantities:
    """The same, from the networks' output."""
    _require_fit(found, model=model)
    k = len(model.names)
    correlation = network.correlation.double().numpy()[:k, :k]
    sd = np.asarray(found.sd[:, :k], float)
    start = vectors(found)
    return Quantities(
        names=model.names,
        method="qcnn",
        unit=unit,
        concentration=start[:, :k],
        covariance=sd[:, :, None] * correlation * sd[:, None, :],
        bound=crlb(start, model=model, noise_sd=noise_sd).covariance,
        flags=flags(found, start, model=model, priors=priors, noise_sd=noise_sd),
        prior_covariance=gaussian_prior_of(priors, names=model.names).covariance_mm,
        vector=start,
    )


def qcnn_gn(
    values: Complex,
    *,
    network: Qcnn,
    model: SignalModel,
    priors: Priors,
    noise_sd: ArrayLike,
    unit: Unit = "mM",
    steps: int = STEPS,
) -> Quantities:
    """The same, then `steps` Gauss-Newton steps of the MAP fit from there; the covariance is that of the fit.

    A fit that did not come to rest in them is flagged, as of the other fits.
    """
    found = measured(network, values)
    _require_fit(found, model=model)
    prior = gaussian_prior_of(priors, names=model.names)
    start = vectors(found)
    fit = refine(start, values=values, model=model, prior=prior, noise_sd=noise_sd, steps=steps)
    quantities = quantities_of(fit, method="qcnn+gn", unit=unit, prior=prior)
    unusual = flags(found, fit.parameters.vector, model=model, priors=priors, noise_sd=noise_sd)
    return replace(quantities, flags=_joined(quantities.flags, unusual))


def vectors(found: Measured) -> Floats:
    """Vectors (n, 2 k + 5) of the signal model where the networks see the spectra, none negative that cannot be."""
    start = parameters_of(np.asarray(found.value, float))
    k = (start.shape[1] - len(SHARED)) // 2
    start[:, :k] = np.maximum(start[:, :k], 0)
    widths = [2 * k + SHARED.index(name) for name in ("lorentz_hz", "gauss_hz")]
    start[:, widths] = np.maximum(start[:, widths], LEAST_WIDTH_HZ)
    return start


def flags(
    found: Measured, vector: Floats, *, model: SignalModel, priors: Priors, noise_sd: ArrayLike
) -> tuple[tuple[str, ...], ...]:
    """What is unusual of each spectrum, in words; `vector` (n, p) is what was found in them."""
    return _joined(novelty_flags(found.novelty), outside(vector, model=model, priors=priors, noise_sd=noise_sd))


def outside(vector: Floats, *, model: SignalModel, priors: Priors, noise_sd: ArrayLike) -> tuple[tuple[str, ...], ...]:
    """Where spectra of these parameters (n, p) have a line width or an SNR outside of what the priors range over."""
    k = len(model.names)
    lorentz, gauss = (vector[:, 2 * k + SHARED.index(name)] for name in ("lorentz_hz", "gauss_hz"))
    ends = (priors.nuisance[name].at(np.array([0.0, 1.0])) for name in ("lorentz_hz", "gauss_hz"))
    widths = _beyond("line width in Hz", voigt_hz(lorentz, gauss), limits=voigt_hz(*ends), slack=WIDTH_SLACK)
    if priors.snr_peak != "tCho":
        return _joined(widths)
    snr, limits = tcho_snr(vector, model=model, noise_sd=noise_sd), priors.nuisance["snr"].at(np.array([0.0, 1.0]))
    return _joined(widths, _beyond("SNR of tCho", snr, limits=limits, slack=SNR_SLACK))


def voigt_hz(lorentz_hz: Floats, gauss_hz: Floats) -> Floats:
    """Full width at half maximum of both together (Olivero and Longbothum 1977, doi 10.1016/0022-4073(77)90161-3)."""
    return np.asarray(0.5346 * lorentz_hz + np.sqrt(0.2166 * lorentz_hz**2 + gauss_hz**2))


def _beyond(name: str, values: Floats, *, limits: Floats, slack: float) -> list[tuple[str, ...]]:
    low, high = limits
    trained = f"the networks were trained from {low:.3g} to {high:.3g}"
    return [() if low / slack <= each <= high * slack else (f"{name} {each:.1f}, {trained}",) for each in values]


def _joined(*parts: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(chain.from_iterable(each)) for each in zip(*parts, strict=True))


def tcho_snr(vector: Floats, *, model: SignalModel, noise_sd: ArrayLike) -> Floats:
    """(n,) SNR as simulated spectra have it: the highest point at tCho, in phase, over the noise of the real part."""
    k = len(model.names)
    upright = vector.copy()
    upright[:, [2 * k + SHARED.index(name) for name in ("phase0", "phase1")]] = 0
    away = vector[:, 2 * k + SHARED.index("common_hz"), None] / model.basis.acquisition.f0_mhz
    low, high = PEAKS_PPM["tCho"]
    there = (model.ppm >= low + away) & (model.ppm <= high + away)
    return np.asarray(np.where(there, model.evaluate(upright).real, -np.inf).max(axis=1) / noise_sd)


def _require_fit(found: Measured, *, model: SignalModel) -> None:
    wanted = len(model.names) + len(SHARED)
    if found.value.shape[1] != wanted:
        raise SettingsError(
            f"got networks of {found.value.shape[1]} quantities for a model of {len(model.names)} components, wanted"
            f" {wanted}: use the components of the networks' training"
        )
