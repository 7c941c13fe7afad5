"""MAP fit: on phantoms drawn from the priors its errors are those that the Bayesian bound allows."""

import numpy as np
import pytest

from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.bounds import bayesian_bound
from hepatica.spectroscopy.fitting.gaussian_prior import belief_of
from hepatica.spectroscopy.fitting.map_fit import likely, map_fit
from hepatica.spectroscopy.fitting.nls import nls
from hepatica.spectroscopy.fitting.signal_model import SHARED, Parameters, SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulate import simulate

NAMES = ("Cho", "GPC", "Cr", "Gly", "Lip13", "Lip21")
MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=NAMES))
BELIEF = belief_of(read_priors(), names=NAMES)
PHANTOMS = simulate(read_priors().having(snr=30.0), MODEL.basis, n=150, seed=3, effects=OF_MODEL)
VALUES = MODEL.window(PHANTOMS.values).astype(complex)


def truth() -> np.ndarray:
    shared = {name: PHANTOMS.nuisance[name].to_numpy(float) for name in SHARED}
    concentration, shift = PHANTOMS.concentrations.astype(float), PHANTOMS.shift_hz.astype(float)
    return Parameters(concentration=concentration, shift_hz=shift, **shared).vector


@pytest.fixture(scope="module")
def fit():
    return map_fit(VALUES, model=MODEL, belief=BELIEF, noise_sd=PHANTOMS.noise_sd)


def test_errors_are_of_the_size_of_the_bayesian_bound(fit):
    """Root mean square of z = error / bound within 15 % of 1 for each component, over 150 phantoms."""
    bound = bayesian_bound(truth(), model=MODEL, noise_sd=PHANTOMS.noise_sd, belief=BELIEF)
    z = (fit.concentration - PHANTOMS.concentrations) / bound.sd
    assert fit.converged.all()
    assert np.sqrt((z**2).mean(axis=0)) == pytest.approx(np.ones(6), abs=0.15)


def test_its_own_standard_deviations_are_right(fit):
    z = (fit.concentration - PHANTOMS.concentrations) / fit.sd
    assert np.mean(np.abs(z) < 1.96) == pytest.approx(0.95, abs=0.025)


def test_it_errs_less_than_least_squares(fit):
    free = nls(VALUES, model=MODEL, noise_sd=PHANTOMS.noise_sd)
    errors = [np.abs(each.concentration - PHANTOMS.concentrations).mean(axis=0) for each in (fit, free)]
    assert (errors[0] < 1.05 * errors[1]).all()
    assert errors[0][0] < 0.9 * errors[1][0]


def test_without_signal_it_says_what_was_believed():
    """Noise beyond all signal: means of ranges, the logarithms' means of lipids."""
    values = VALUES[:3] * 1e-6
    found = map_fit(values, model=MODEL, belief=BELIEF, noise_sd=1e9)
    wanted = np.where(BELIEF.logs, np.exp(np.where(BELIEF.logs, BELIEF.mean, 0)), BELIEF.mean)
    assert found.concentration == pytest.approx(np.tile(wanted, (3, 1)), rel=0.02)


def test_with_little_noise_it_says_what_the_spectrum_says():
    clean = MODEL.evaluate(truth()[:5])
    found = map_fit(clean, model=MODEL, belief=BELIEF, noise_sd=1e-2)
    assert found.concentration == pytest.approx(PHANTOMS.concentrations[:5], rel=1e-3, abs=1e-3)


def test_a_spectrum_in_a_wrong_unit_ends_in_a_flag_and_no_warning():
    found = map_fit(VALUES[:2] * 1e12, model=MODEL, belief=BELIEF, noise_sd=1.0)
    assert np.isfinite(found.concentration).all()
    assert (found.chi2 > 100).all()


def test_only_logarithms_are_raised_from_nothing():
    start = likely(np.zeros((1, MODEL.size)), belief=BELIEF)
    assert (start[0, :4] == 0).all()
    assert start[0, 4:6] == pytest.approx(np.exp(BELIEF.mean - 2 * np.sqrt(np.diag(BELIEF.covariance)))[4:6])
