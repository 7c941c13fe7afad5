"""Bounds: against a formula, and how they go with noise, priors and sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import vector_of

from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.bounds import bayesian_bound, crlb
from hepatica.spectroscopy.fitting.prior_terms import SoftConstraints, gaussian_prior_of
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition

MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Cr", "GPC", "Lip13")))
GAUSSIAN = gaussian_prior_of(read_priors(), names=MODEL.names)
TRUE = vector_of(MODEL, {"Cho": 2, "Cr": 3, "GPC": 3, "Lip13": 1}, lorentz_hz=5, gauss_hz=10)


@settings(deadline=None, max_examples=15)
@given(st.floats(0.01, 100))
def test_the_bound_goes_with_the_noise(noise):
    """Exactly, when shifts are not held beforehand."""
    once, more = (
        crlb(TRUE, model=MODEL, noise_sd=sd, constraints=SoftConstraints(shift_sd_hz=1e6)).sd for sd in (1.0, noise)
    )
    assert more == pytest.approx(once * noise, rel=1e-3)


def test_of_a_known_shape_it_is_noise_over_length():
    """The bound is at least σ / |b|, that of one component of known shape, shift, width and phase on no baseline."""
    length = np.linalg.norm(MODEL.components(TRUE)[0], axis=1) / TRUE[0, :4]
    sd = crlb(TRUE, model=MODEL, noise_sd=2.0).sd[0]
    assert (sd > 2.0 / length).all()
    assert sd[1] < 3 * 2.0 / length[1]


def test_a_sum_of_what_overlaps_is_surer_than_its_parts():
    covariance = crlb(TRUE, model=MODEL, noise_sd=2.0).covariance[0]
    total = covariance[0, 0] + covariance[2, 2] + 2 * covariance[0, 2]
    assert total < min(covariance[0, 0], covariance[2, 2])


def test_many_spectra_are_a_loop():
    many = np.repeat(TRUE, 70, axis=0) * np.linspace(0.5, 1, 70)[:, None]
    noise = np.linspace(1, 2, 70)
    bound = crlb(many, model=MODEL, noise_sd=noise)
    assert bound.sd.shape == (70, 4)
    assert bound.sd[41] == pytest.approx(crlb(many[[41]], model=MODEL, noise_sd=noise[41]).sd[0])


def drawn(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    vector = np.repeat(TRUE, n, axis=0)
    vector[:, :4] = rng.uniform([0.2, 0.2, 0.5, 5], [2, 2, 5, 80], (n, 4))
    return vector


@settings(deadline=None, max_examples=10)
@given(st.floats(1, 1e4))
def test_the_bayesian_bound_is_below_both_that_of_the_spectrum_and_the_belief(noise):
    vector = drawn(5)
    both = bayesian_bound(vector, model=MODEL, noise_sd=noise, prior=GAUSSIAN).sd
    alone = crlb(
        vector, model=MODEL, noise_sd=noise, constraints=SoftConstraints(shift_sd_hz=GAUSSIAN.nonlinear["shift_hz"][1])
    ).sd
    believed = np.sqrt(np.diag(GAUSSIAN.covariance)) * np.where(GAUSSIAN.logs, vector[:, :4], 1)
    assert (both <= 1.001 * np.minimum(alone, believed)).all()


def test_with_endless_noise_the_bayesian_bound_is_the_belief():
    both = bayesian_bound(drawn(2), model=MODEL, noise_sd=1e9, prior=GAUSSIAN).sd
    assert both[:, :3] == pytest.approx(np.tile(np.sqrt(np.diag(GAUSSIAN.covariance))[:3], (2, 1)), rel=1e-3)
