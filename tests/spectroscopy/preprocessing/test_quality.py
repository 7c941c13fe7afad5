"""Quality: numbers of spectra whose numbers are known."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.spectroscopy.preprocessing.quality import quality
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Spectrum

LIVER = Acquisition(points=2048)


def spectrum(decay, *args, **options):
    return Spectrum(fid=decay(LIVER, *args, **options), acquisition=LIVER)


def test_snr_is_peak_over_sd_of_the_real_noise(decay):
    height, sd = 300 * LIVER.bandwidth_hz / (np.pi * 12), 2.0 * np.sqrt(LIVER.points)
    found = [quality(spectrum(decay, {1.28: 300.0}, noise=2.0, seed=seed)).snr for seed in range(10)]
    assert np.mean(found) == pytest.approx(height / sd, rel=0.1)


def test_linewidth_is_the_waters_or_the_highest_peaks(decay):
    one = spectrum(decay, width_hz=14, noise=0.2)
    assert quality(one).linewidth_hz == pytest.approx(14, rel=0.1)
    water = decay(LIVER, {4.65: 9e4, 1.28: 900.0}, width_hz=18, noise=0.2)
    assert quality(replace(one, water=water)).linewidth_hz == pytest.approx(18, rel=0.03)


def test_residual_water_and_lipids_are_shares(decay):
    clean = quality(spectrum(decay, noise=0.1))
    wet = quality(spectrum(decay, water=150.0, noise=0.1))
    assert clean.water_residual < 0.05
    assert wet.water_residual == pytest.approx(0.5, rel=0.05)
    lean = quality(spectrum(decay, {3.2: 20.0, 3.9: 10.0}, noise=0.1))
    assert lean.lipid < 0.3 < 0.6 < clean.lipid
