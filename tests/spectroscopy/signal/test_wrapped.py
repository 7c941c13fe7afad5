"""Wrapped: what a filter answers ahead of the echo is told apart, and is turned by times below 0."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.spectroscopy.preprocessing.ppm_align import moved_by
from hepatica.spectroscopy.preprocessing.quality import quality
from hepatica.spectroscopy.reading.rda import read_rda
from hepatica.spectroscopy.reading.read import read_spectrum
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.resample import resampled
from hepatica.spectroscopy.signal.spectrum import Spectrum, to_spectrum
from hepatica.spectroscopy.signal.wrapped import received_s, wrapped

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
    raw = read_rda(real / "siemens/SVS_30.rda", told=Header())
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
