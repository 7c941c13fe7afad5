"""Water removal: the water goes, the metabolites stay, and always by the same amount."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.spectroscopy.preprocessing.water_removal import WATER_REMOVAL, exponentials, remove_water
from hepatica.spectroscopy.reading.sdat import read_sdat
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import to_spectrum

LIVER = Acquisition(points=2048)


def within(ppm, low, high):
    return (ppm > low) & (ppm < high)


def test_poles_of_pure_exponentials_are_found_exactly():
    time = np.arange(256) / 2000
    truth = {100.0: 5.0, -250.0: 20.0, 330.0: 900.0}
    fid = sum(np.exp((2j * np.pi * hz - damping) * time) for hz, damping in truth.items())
    poles = exponentials(fid, components=3)
    found = {round(float(np.angle(pole)) * 2000 / (2 * np.pi), 6): -2000 * np.log(abs(pole)) for pole in poles}
    assert sorted(found) == pytest.approx(sorted(truth), abs=1e-6)
    assert [found[hz] for hz in sorted(found)] == pytest.approx([truth[hz] for hz in sorted(truth)], abs=1e-4)


@settings(deadline=None, max_examples=15)
@given(times=st.sampled_from([0.1, 3.0, 50.0]), width=st.floats(6, 25), seed=st.integers(0, 1000))
def test_metabolites_stay_whatever_the_water(decay, times, width, seed):
    clean = decay(LIVER, width_hz=width, noise=0.5, seed=seed)
    watery = clean + decay(LIVER, {4.65: 300 * times}, width_hz=width)
    window = within(LIVER.ppm, 0.4, 4.2)
    left = to_spectrum(remove_water(watery, acquisition=LIVER) - clean)
    spread = np.std(to_spectrum(decay(LIVER, {}, noise=0.5)))
    assert np.abs(left[window]).max() < 3 * spread
    assert np.abs(left[within(LIVER.ppm, 4.3, 5.0)]).max() < 8 * spread + 0.01 * np.abs(to_spectrum(watery)).max()


def test_lines_on_both_sides_of_the_water_stay(decay):
    clean = decay(LIVER, {5.3: 80.0, 3.9: 60.0}, noise=0.2)
    after = np.abs(to_spectrum(remove_water(clean + decay(LIVER, {4.65: 3000.0}), acquisition=LIVER)))
    before = np.abs(to_spectrum(clean))
    for low, high in ((5.2, 5.4), (3.8, 4.0)):
        line = within(LIVER.ppm, low, high)
        assert after[line].max() == pytest.approx(before[line].max(), rel=0.02)


def test_a_spectrum_without_water_keeps_its_lines(decay):
    clean = decay(LIVER, noise=0.2)
    window = within(LIVER.ppm, 0.4, 4.2)
    before, after = to_spectrum(clean)[window], to_spectrum(remove_water(clean, acquisition=LIVER))[window]
    assert np.abs(after - before).max() < 0.01 * np.abs(before).max()


def test_the_same_decay_gives_the_same_answer(decay):
    watery = decay(LIVER, water=5000, noise=1.0)
    first, second = (remove_water(watery, acquisition=LIVER) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_region_moves_with_the_reference(decay):
    moved = Acquisition(points=2048, reference_ppm=3.0)
    watery = decay(moved, water=3000, noise=0.5)
    left = np.abs(to_spectrum(remove_water(watery, acquisition=moved)))
    assert left[within(moved.ppm, 4.5, 4.8)].max() < 0.01 * np.abs(to_spectrum(watery)).max()


def test_a_single_line_without_noise_and_silence_are_survived(decay):
    alone = decay(LIVER, {}, water=1000.0)
    assert np.abs(remove_water(alone, acquisition=LIVER)).max() < 1e-6 * 1000
    assert not remove_water(0 * alone, acquisition=LIVER).any()


def test_short_decays_are_survived(decay):
    short = Acquisition(points=32)
    assert np.isfinite(remove_water(decay(short, water=1000), acquisition=short)).all()


def test_real_residual_water_goes(real):
    raw = read_sdat(real / "osprey/sub-01_PRESS_35_act.sdat", header_overrides=Header())
    before = raw.fids[0, 0]
    after = remove_water(before, acquisition=raw.acquisition)
    heights = [np.abs(to_spectrum(fid)) for fid in (before, after)]
    water = within(raw.acquisition.ppm, 4.4, 4.9)
    naa = within(raw.acquisition.ppm, 1.9, 2.1)
    assert heights[0][water].max() / heights[1][water].max() > 100
    assert heights[1][naa].max() == pytest.approx(heights[0][naa].max(), rel=0.2)
    assert WATER_REMOVAL.points == 512
    assert all(low < high for low, high in pairwise(WATER_REMOVAL.region_ppm))
