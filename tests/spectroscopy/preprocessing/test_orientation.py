"""Orientation: conjugated and flipped decays are noticed, right ones left alone."""

import numpy as np
import pytest

from hepatica.spectroscopy.preprocessing.orientation import is_conjugated, runs_backwards, turned_round
from hepatica.spectroscopy.reading.sdat import read_sdat
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import to_spectrum

LIVER = Acquisition(points=1024)


@pytest.mark.parametrize("water", [0.0, 1000.0])
def test_conjugation_is_noticed(decay, water):
    fid = decay(LIVER, water=water, noise=0.5)
    assert not is_conjugated(fid, acquisition=LIVER)
    assert is_conjugated(fid.conj(), acquisition=LIVER)


def test_noise_and_water_alone_say_nothing(decay):
    for seed in range(5):
        fid = decay(LIVER, {}, water=1000.0, noise=1.0, seed=seed)
        assert not is_conjugated(fid, acquisition=LIVER)
        assert not is_conjugated(fid.conj(), acquisition=LIVER)


def test_a_flipped_spectrum_is_turned_round(decay):
    fid = decay(LIVER, noise=0.5)
    assert not runs_backwards(fid)
    values = np.fft.fft(fid)
    flipped = np.fft.ifft(np.roll(values[::-1], 1))
    assert runs_backwards(flipped)
    np.testing.assert_allclose(np.fft.fft(turned_round(flipped)), values, atol=1e-9)
    np.testing.assert_allclose(turned_round(turned_round(fid)), fid)


def test_a_real_brain_is_told_apart(real):
    raw = read_sdat(real / "osprey/sub-01_PRESS_35_act.sdat", told=Header())
    fid = raw.fids[0, 0]
    assert not is_conjugated(fid, acquisition=raw.acquisition)
    assert is_conjugated(fid.conj(), acquisition=raw.acquisition)
    assert np.isfinite(to_spectrum(fid)).all()


def test_samples_written_backwards_are_turned_too(decay):
    fid = decay(LIVER, noise=0.5)
    np.testing.assert_allclose(turned_round(fid[::-1]), fid)
