"""Eddy current: the phase of the water is taken off, without what fat in the reference adds to it."""

import numpy as np
import pytest

from hepatica.spectroscopy.preprocessing.eddy_current import only_water, water_phase
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import to_spectrum

LIVER = Acquisition(points=1024)
CURRENT = 2.0 * np.exp(-LIVER.time_s / 0.04) + 2 * np.pi * 7.0 * LIVER.time_s + 0.8
"""A phase in rad: an eddy current that dies away, 7 Hz, and a constant."""


def test_the_lines_come_back(decay):
    clean = decay(LIVER)
    water = decay(LIVER, {4.65: 80_000.0}, width_hz=15, noise=1.0)
    bent = np.exp(1j * CURRENT)
    after = clean * bent * np.exp(-1j * water_phase(water * bent, acquisition=LIVER))
    before, clean, after = (to_spectrum(fid) for fid in (clean * bent, clean, after))
    assert np.abs(after - clean).max() < 0.02 * np.abs(clean).max()
    assert np.abs(before - clean).max() > 0.3 * np.abs(clean).max()


def test_fat_in_the_reference_does_not_beat_into_the_spectrum(decay):
    fat = {4.65: 8000.0, 1.28: 1500.0, 0.9: 200.0}
    phase = water_phase(decay(LIVER, fat, width_hz=20, noise=0.5), acquisition=LIVER)
    assert np.abs(phase[:100]).max() < 0.02
    plain = np.unwrap(np.angle(decay(LIVER, fat, width_hz=20, noise=0.5)))
    assert np.abs(plain[:100]).max() > 0.15  # what Klose's method alone would take off


def test_where_the_water_has_sunk_its_phase_goes_on_straight(decay):
    turning = 2 * np.pi * 5.0 * LIVER.time_s
    water = decay(LIVER, {4.65: 1000.0}, width_hz=40, noise=2.0) * np.exp(1j * turning)
    phase = water_phase(water, acquisition=LIVER)
    steps = np.diff(phase[600:])
    assert np.ptp(steps) < 1e-9
    assert steps[0] * LIVER.bandwidth_hz / (2 * np.pi) == pytest.approx(5.0, abs=0.8)


def test_only_water_is_left(decay):
    water = only_water(decay(LIVER, {4.65: 8000.0, 1.28: 900.0}, noise=0.1), acquisition=LIVER)
    fat = np.abs(to_spectrum(water - decay(LIVER, {4.65: 8000.0})))
    assert fat.max() < 0.01 * np.abs(to_spectrum(decay(LIVER, {1.28: 900.0}))).max()
    assert np.abs(water[0]) == pytest.approx(8000, rel=0.01)
