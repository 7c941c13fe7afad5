"""Transients: coils add up with the least noise, shifts and phases are found, outliers are left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.spectroscopy.preprocessing.transients import average, coil_weights, combine_coils
from hepatica.spectroscopy.signal.acquisition import Acquisition

SHORT = Acquisition(points=512)


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
    one = decay(SHORT)
    fids = received(one, sensitivity, noise=1e-3)
    combined = combine_coils(fids, weights=coil_weights(fids))[0]
    turn = np.vdot(one, combined)
    assert abs(turn) / np.vdot(one, one).real == pytest.approx(np.linalg.norm(sensitivity), rel=1e-3)


def test_a_noisy_coil_weighs_little_and_a_dead_one_nothing(decay):
    one = decay(SHORT)
    fids = received(one, np.array([1.0, 1.0, 1.0, 0.0]), noise=np.array([1.0, 1.0, 30.0, 0.0]))
    fids[:, 3] = 0
    weights = coil_weights(fids)
    assert weights[3] == 0
    assert abs(weights[2]) < 0.02 * abs(weights[0])
    assert abs(weights[0]) == pytest.approx(abs(weights[1]), rel=0.1)


def test_the_noise_is_as_low_as_theory_allows(decay):
    """Of independent coils the variance is 1 over the sum of squared sensitivity over variance."""
    one, sensitivity, noise = decay(SHORT), np.array([1.0, 0.5j, -0.2, 0.8]), np.array([1.0, 2.0, 0.5, 4.0])
    fids = received(one, sensitivity, noise=noise, transients=200)
    combined = combine_coils(fids, weights=coil_weights(fids))
    gain = np.vdot(one, combined.mean(axis=0)) / np.vdot(one, one)
    spread = np.std(combined[:, 300:] / gain)
    best = np.sqrt(2 / np.sum(np.abs(sensitivity) ** 2 / noise**2))
    assert spread == pytest.approx(best, rel=0.05)


def test_correlated_noise_is_made_independent(decay):
    one, rng = decay(SHORT), np.random.default_rng(0)
    shared = 5 * (rng.normal(size=(50, 1, 512)) + 1j * rng.normal(size=(50, 1, 512)))
    fids = received(one, np.array([1.0, 0.3]), noise=0.5, transients=50) + shared
    combined = combine_coils(fids, weights=coil_weights(fids))
    gain = np.vdot(one, combined.mean(axis=0)) / np.vdot(one, one)
    assert np.std(combined[:, 300:] / gain) < 0.3 * np.std(fids[:, 0, 300:])


LIVER = Acquisition(points=1024)


def drifted(fid, hz, rad, *, noise, seed=0):
    rng = np.random.default_rng(seed)
    fids = fid * np.exp(1j * (2 * np.pi * np.asarray(hz)[:, None] * LIVER.time_s + np.asarray(rad)[:, None]))
    return fids + noise * (rng.normal(size=fids.shape) + 1j * rng.normal(size=fids.shape))


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), water=st.sampled_from([0.0, 2000.0]))
def test_shifts_and_phases_are_found_to_a_common_offset(decay, seed, water):
    rng = np.random.default_rng(seed)
    hz, rad = rng.normal(scale=5, size=16), rng.normal(scale=1, size=16)
    found = average(drifted(decay(LIVER, water=water), hz, rad, noise=3.0, seed=seed), acquisition=LIVER)
    assert found.kept.all()
    np.testing.assert_allclose(found.hz - found.hz.mean(), hz - hz.mean(), atol=0.3)
    turned = np.exp(1j * (found.rad - rad))
    np.testing.assert_allclose(np.angle(turned / turned[0]), 0, atol=0.15)


def test_the_mean_is_the_decay_again(decay):
    one = decay(LIVER)
    found = average(drifted(one, [4, -6, 0, 2], [0.3, -2, 0, 1], noise=1.0), acquisition=LIVER)
    mean = np.angle(np.exp(1j * np.array([0.3, -2, 0, 1])).mean())
    left = found.fid * np.exp(-1j * mean) - one
    assert np.std(left) == pytest.approx(np.sqrt(2) / 2, rel=0.1)  # noise of 4 transients averaged


def test_transients_moved_out_of_the_liver_are_left_out(decay):
    fids = drifted(decay(LIVER), np.zeros(12), np.zeros(12), noise=2.0)
    fids[3] = drifted(decay(LIVER, {1.28: 2000.0, 2.03: 200.0}), [0], [0], noise=2.0)[0]  # subcutaneous fat
    fids[7] *= 0.1
    found = average(fids, acquisition=LIVER)
    assert np.flatnonzero(~found.kept).tolist() == [3, 7]


def test_fat_that_comes_and_goes_is_seen_though_the_water_is_registered(decay):
    fids = drifted(decay(LIVER, water=5000.0), np.zeros(12), np.zeros(12), noise=2.0)
    fids[5] += drifted(decay(LIVER, {1.28: 3000.0}), [0], [0], noise=2.0)[0]
    assert np.flatnonzero(~average(fids, acquisition=LIVER).kept).tolist() == [5]


def test_a_weak_transient_hardly_turns_the_mean(decay):
    fids = drifted(decay(LIVER), [0, 0, 0, 0], [0, 1.5, 0, 0], noise=1.0)
    fids[1] *= 0.3
    assert np.angle(np.vdot(decay(LIVER), average(fids, acquisition=LIVER).fid)) == pytest.approx(0, abs=0.15)


def test_alike_transients_all_stay(decay):
    for seed in range(5):
        found = average(drifted(decay(LIVER), np.zeros(32), np.zeros(32), noise=5.0, seed=seed), acquisition=LIVER)
        assert found.kept.mean() > 0.9


def test_one_transient_is_its_own_mean(decay):
    one = decay(LIVER, noise=1.0)
    found = average(one[None], acquisition=LIVER)
    np.testing.assert_array_equal(found.fid, one)
    assert found.kept.tolist() == [True]


def test_equal_transients_without_noise_are_survived(decay):
    one = decay(LIVER)
    found = average(np.stack([one, one, one]), acquisition=LIVER)
    np.testing.assert_allclose(found.fid, one, atol=1e-6 * np.abs(one).max())
    assert found.kept.all()
