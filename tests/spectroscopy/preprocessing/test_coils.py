"""Coils: combined with less noise than any one, the signal's size kept, dead and noisy coils left aside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.spectroscopy.preprocessing.coils import coil_weights, combine_coils
from hepatica.spectroscopy.signal.acquisition import Acquisition

LIVER = Acquisition(points=512)


def received(one, sensitivity, *, noise, seed=0, transients=4):
    rng = np.random.default_rng(seed)
    shape = (transients, len(sensitivity), len(one))
    spread = np.broadcast_to(noise, len(sensitivity))[:, None]
    return sensitivity[:, None] * one + spread * (rng.normal(size=shape) + 1j * rng.normal(size=shape))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), coils=st.integers(1, 8))
def test_the_signal_keeps_the_root_of_the_sum_of_squares(decay, seed, coils):
    rng = np.random.default_rng(seed)
    sensitivity = rng.normal(size=coils) + 1j * rng.normal(size=coils)
    one = decay(LIVER)
    fids = received(one, sensitivity, noise=1e-3)
    combined = combine_coils(fids, weights=coil_weights(fids))[0]
    turn = np.vdot(one, combined)
    assert abs(turn) / np.vdot(one, one).real == pytest.approx(np.linalg.norm(sensitivity), rel=1e-3)


def test_a_noisy_coil_weighs_little_and_a_dead_one_nothing(decay):
    one = decay(LIVER)
    fids = received(one, np.array([1.0, 1.0, 1.0, 0.0]), noise=np.array([1.0, 1.0, 30.0, 0.0]))
    fids[:, 3] = 0
    weights = coil_weights(fids)
    assert weights[3] == 0
    assert abs(weights[2]) < 0.02 * abs(weights[0])
    assert abs(weights[0]) == pytest.approx(abs(weights[1]), rel=0.1)


def test_the_noise_is_as_low_as_theory_allows(decay):
    """Of independent coils the variance is 1 over the sum of squared sensitivity over variance."""
    one, sensitivity, noise = decay(LIVER), np.array([1.0, 0.5j, -0.2, 0.8]), np.array([1.0, 2.0, 0.5, 4.0])
    fids = received(one, sensitivity, noise=noise, transients=200)
    combined = combine_coils(fids, weights=coil_weights(fids))
    gain = np.vdot(one, combined.mean(axis=0)) / np.vdot(one, one)
    spread = np.std(combined[:, 300:] / gain)
    best = np.sqrt(2 / np.sum(np.abs(sensitivity) ** 2 / noise**2))
    assert spread == pytest.approx(best, rel=0.05)


def test_correlated_noise_is_made_independent(decay):
    one, rng = decay(LIVER), np.random.default_rng(0)
    shared = 5 * (rng.normal(size=(50, 1, 512)) + 1j * rng.normal(size=(50, 1, 512)))
    fids = received(one, np.array([1.0, 0.3]), noise=0.5, transients=50) + shared
    combined = combine_coils(fids, weights=coil_weights(fids))
    gain = np.vdot(one, combined.mean(axis=0)) / np.vdot(one, one)
    assert np.std(combined[:, 300:] / gain) < 0.3 * np.std(fids[:, 0, 300:])
