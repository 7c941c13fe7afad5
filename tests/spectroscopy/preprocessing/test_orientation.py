"""Orientation: conjugated and flipped decays are noticed, right ones left alone."""

import numpy as np
import pytest

from hepatica.spectroscopy.preprocessing.orientation import (
    are_swapped,
    is_conjugated,
    is_reference,
    runs_backwards,
    turned_round,
    water_in,
)
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


def test_a_real_brain_is_recognised(real):
    raw = read_sdat(real / "osprey/sub-01_PRESS_35_act.sdat", header_overrides=Header())
    fid = raw.fids[0, 0]
    assert not is_conjugated(fid, acquisition=raw.acquisition)
    assert is_conjugated(fid.conj(), acquisition=raw.acquisition)
    assert np.isfinite(to_spectrum(fid)).all()


def test_samples_written_backwards_are_turned_too(decay):
    fid = decay(LIVER, noise=0.5)
    np.testing.assert_allclose(turned_round(fid[::-1]), fid)


def seen(fid, acquisition=LIVER):
    return water_in(fid, acquisition=acquisition)


def test_swapped_files_are_told_apart(decay):
    spectrum = seen(decay(LIVER, water=300.0, noise=0.5))
    reference = seen(decay(LIVER, water=20_000.0, noise=0.5))
    assert not are_swapped(spectrum, reference)
    assert is_reference(reference, spectrum)
    assert are_swapped(reference, spectrum)
    assert not is_reference(spectrum, reference)


def test_another_scale_in_one_of_the_files_swaps_nothing(decay):
    spectrum = seen(1000 * decay(LIVER, water=300.0, noise=0.5))
    reference = seen(decay(LIVER, water=20_000.0, noise=0.5))
    assert not are_swapped(spectrum, reference)


def test_two_alike_files_are_no_pair(decay):
    one, other = (seen(decay(LIVER, water=300.0, noise=0.5, seed=seed)) for seed in (0, 1))
    assert not are_swapped(one, other)
    assert not is_reference(one, other)


def test_unsuppressed_water_is_seen(decay):
    assert seen(decay(LIVER, {3.2: 20.0}, water=80_000.0, noise=0.5)).alone
    assert not seen(decay(LIVER, water=20_000.0, noise=0.5)).alone  # a fatty liver, unsuppressed: lipids show
    assert not seen(decay(LIVER, noise=0.5)).alone


def test_a_real_pair_is_recognised(real):
    raw = {
        name: read_sdat(real / f"osprey/sub-01_PRESS_35_{name}.sdat", header_overrides=Header())
        for name in ("act", "ref")
    }
    water = {name: seen(each.fids[0, 0], each.acquisition) for name, each in raw.items()}
    assert water["ref"].alone
    assert not water["act"].alone
    assert are_swapped(water["ref"], water["act"])
    assert is_reference(water["ref"], water["act"])


def test_lipids_beside_unsuppressed_water_leave_a_doubt(decay):
    fatty, suppressed = (seen(decay(LIVER, water=water, noise=0.5)) for water in (20_000.0, 300.0))
    assert fatty.doubtful
    assert fatty.unsuppressed
    assert not suppressed.doubtful
    assert not suppressed.unsuppressed
