"""Resample: lines keep their place in ppm at another sampling, and wrapped samples are resampled correctly."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort import SpecimenError
from hepatica.spectroscopy.preprocessing.ppm_align import moved_by
from hepatica.spectroscopy.preprocessing.quality import quality
from hepatica.spectroscopy.reading.read import read_spectrum
from hepatica.spectroscopy.reading.siemens import read_rda
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.resample import received_s, resampled, wrapped
from hepatica.spectroscopy.signal.spectrum import Spectrum, to_spectrum

WIDE = Acquisition(bandwidth_hz=4000.0, points=2048)
HALF = Acquisition(bandwidth_hz=2000.0, points=1024)


def halved(fid: np.ndarray) -> np.ndarray:
    """The decay at half the bandwidth by an ideal filter, as Siemens takes its oversampling off."""
    return np.fft.ifft(np.fft.ifftshift(np.fft.fftshift(np.fft.fft(fid))[512:1536]))


@pytest.fixture
def filtered(decay) -> np.ndarray:
    return halved(decay(WIDE, {1.28: 100.0, 3.2: 30.0}))


def test_only_an_end_that_rises_is_wrapped(decay, filtered) -> None:
    assert wrapped(filtered) == 256
    assert wrapped(decay(HALF, noise=1.0)) == 0
    assert wrapped(filtered[:20]) == 0
    time = received_s(filtered, acquisition=HALF)
    assert time[767] == HALF.time_s[767]
    assert time[[768, 1023]] == pytest.approx([-256 / 2000, -1 / 2000])


def test_lines_are_moved_as_those_of_a_decay_that_was_filtered_afterwards(decay, filtered) -> None:
    fid = decay(WIDE, {1.28: 100.0, 3.2: 30.0})
    wanted = to_spectrum(halved(moved_by(fid, 0.01, acquisition=WIDE)))
    found = to_spectrum(moved_by(filtered, 0.01, acquisition=HALF))
    inside = slice(100, 924)
    np.testing.assert_allclose(found[inside], wanted[inside], atol=2e-3 * np.abs(wanted).max())


def test_the_real_spectrum_of_siemens_is_the_same_at_another_frequency(real) -> None:
    """Times that only grow bend it by 8 % of its highest point."""
    raw = read_rda(real / "siemens/SVS_30.rda", header_overrides=Header())
    assert wrapped(raw.fids) == 256
    one = Spectrum(fid=raw.fids[0, 0], acquisition=raw.acquisition)
    other = resampled(one, acquisition=replace(one.acquisition, f0_mhz=123.2))
    ppm = one.acquisition.ppm
    lines = (ppm > 0.5) & (ppm < 4.2)
    there = np.interp(ppm, other.acquisition.ppm, other.values.real) - one.values.real
    assert np.abs(there[lines]).max() < 0.02 * np.abs(one.values[lines]).max()


def test_one_measurement_in_two_formats_is_one_spectrum(real) -> None:
    """Bandwidths differ by 0.05 % in the headers; linewidths were 8.8 and 9.8 Hz by times that only grow."""
    rda, ima = (quality(read_spectrum(real / f"siemens/SVS_30.{name}")) for name in ("rda", "IMA"))
    assert ima.linewidth_hz == pytest.approx(rda.linewidth_hz, rel=0.01)
    assert ima.snr == pytest.approx(rda.snr, rel=0.02)


WANTED = Acquisition(points=1024)


def spectrum(decay, acquisition, **options):
    return Spectrum(fid=decay(acquisition, **options), acquisition=acquisition, averages=4, notes=("first",))


@settings(deadline=None, max_examples=25)
@given(
    bandwidth=st.sampled_from([1200.48, 2000.0, 2500.0, 5000.0]),
    points=st.sampled_from([512, 1024, 2048, 4096]),
    reference=st.sampled_from([4.65, 4.7, 3.0]),
)
def test_lines_stay_where_and_as_high_as_they_are(decay, bandwidth, points, reference):
    given_one = Acquisition(bandwidth_hz=bandwidth, points=points, reference_ppm=reference)
    found = resampled(spectrum(decay, given_one, width_hz=14), acquisition=WANTED)
    assert (found.acquisition.points, found.acquisition.reference_ppm) == (1024, 4.65)
    window = (WANTED.ppm > 0.5) & (WANTED.ppm < 4.1)
    truth = spectrum(decay, WANTED, width_hz=14).values[window]
    assert np.abs(found.values[window] - truth).max() < 0.03 * np.abs(truth).max()


def test_the_same_sampling_changes_nothing(decay):
    one = spectrum(decay, WANTED, noise=1.0)
    found = resampled(one, acquisition=replace(WANTED, tr_ms=1500.0))
    assert found.fid is one.fid
    assert found.acquisition.tr_ms == 2000.0  # the spectrum's own
    assert (found.averages, found.notes) == (4, ("first",))


def test_beyond_the_given_band_there_is_nothing(decay):
    narrow = Acquisition(bandwidth_hz=1200.0, points=512)
    found = resampled(spectrum(decay, narrow, noise=1.0), acquisition=WANTED)
    outside = np.abs(WANTED.hz) > 601
    assert outside.any()
    assert np.abs(found.values[outside]).max() < 1e-9 * np.abs(found.values).max()


def test_another_field_scales_time(decay):
    """At a lower field a line turns slower and, as wide in Hz, is wider in ppm."""
    lower = replace(WANTED, f0_mhz=WANTED.f0_mhz * 0.996, points=4096)
    found = resampled(spectrum(decay, lower, lines={3.2: 10.0}, width_hz=1.0), acquisition=WANTED)
    truth = decay(WANTED, {3.2: 10.0}, width_hz=1 / 0.996)
    np.testing.assert_allclose(found.fid[100:900], truth[100:900], atol=0.1)


def test_the_noise_keeps_its_density(decay):
    fine = Acquisition(points=4096, bandwidth_hz=8000.0)
    noise = [resampled(spectrum(decay, fine, lines={}, noise=1.0, seed=k), acquisition=WANTED).fid for k in range(10)]
    assert np.std(noise) == pytest.approx(np.sqrt(2) / 2, rel=0.05)  # a quarter of the band, a quarter of the power


def test_water_comes_along(decay):
    one = Acquisition(bandwidth_hz=2500.0, points=2048)
    found = resampled(replace(spectrum(decay, one), water=decay(one, {4.65: 500.0}, width_hz=15)), acquisition=WANTED)
    assert np.abs(found.water[0]) == pytest.approx(500, rel=0.02)


def test_a_short_decay_is_noted(decay):
    found = resampled(spectrum(decay, Acquisition(points=512)), acquisition=WANTED)
    assert found.notes == ("first", "the decay lasts 0.26 of 0.51 s: zeros were added")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"f0_mhz": 123.25}, "acquired at 123.25 MHz, not 127.74: .*trained on spectra, of this"),
        ({"te_ms": 30.0}, "acquired with TE 30 ms, not 35: .*correct the file"),
        ({"sequence": "steam"}, "acquired by steam, not press: .*"),
    ],
)
def test_other_physics_is_refused(decay, changes, message):
    one = spectrum(decay, replace(WANTED, **changes))
    with pytest.raises(SpecimenError, match=message):
        resampled(one, acquisition=WANTED)


def test_mixing_times_of_steam_count(decay):
    steam = replace(WANTED, sequence="steam", tm_ms=10.0)
    with pytest.raises(SpecimenError, match=r"TM 30.0, not 10.0"):
        resampled(spectrum(decay, replace(steam, tm_ms=30.0)), acquisition=steam)


def test_noise_is_that_of_the_measured_band(decay):
    """Beyond 1200 Hz there is nothing, and once the noise of that was taken for the spectrum's."""
    narrow = Acquisition(bandwidth_hz=1200.0, points=1024)
    found = resampled(spectrum(decay, narrow, noise=1.0), acquisition=WANTED)
    assert found.noise_sd == pytest.approx(np.sqrt(1024 * 2000 / 1200), rel=0.15)  # white over 1200 Hz, at its density


def test_zeros_carry_no_information(decay):
    """A decay continued with zeros has the noise of one that was measured so long."""
    half = resampled(spectrum(decay, Acquisition(points=512), noise=1.0), acquisition=WANTED)
    assert half.noise_sd == pytest.approx(np.sqrt(1024), rel=0.15)
    assert resampled(half, acquisition=Acquisition(points=2048)).noise_sd == pytest.approx(np.sqrt(2048), rel=0.15)
