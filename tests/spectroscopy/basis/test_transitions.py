"""Transitions: the fast sum is the plain one, merging loses no signal, and one table serves every sampling."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.spectroscopy.basis.transitions import BIN_HZ, Transitions, binned, joined
from hepatica.spectroscopy.signal.acquisition import Acquisition

RNG = np.random.default_rng(0)
HZ, AMPLITUDE = RNG.uniform(-500, 200, 300), RNG.normal(size=300) + 1j * RNG.normal(size=300)
TABLE = Transitions(hz=HZ, amplitude=AMPLITUDE, gaussian_hz=np.where(HZ > 0, 12.0, 0.0))


@pytest.mark.parametrize("points", [1, 16, 17, 1000, 1024])
@pytest.mark.parametrize("reference", [4.65, 3.0])
def test_the_decay_is_the_sum_of_its_lines(points, reference):
    acquisition = Acquisition(points=points, bandwidth_hz=2500.0, f0_mhz=123.2, reference_ppm=reference)
    t = acquisition.time_s[:, None]
    hz = HZ + (4.65 - reference) * 123.2
    width = TABLE.gaussian_hz
    plain = (AMPLITUDE * np.exp(2j * np.pi * hz * t - (np.pi * width * t) ** 2 / (4 * np.log(2)))).sum(1)
    np.testing.assert_allclose(TABLE.fid(acquisition), plain, atol=1e-9)


def test_a_gaussian_line_has_the_width_it_is_told():
    acquisition = Acquisition(points=8192, bandwidth_hz=1000.0)
    line = Transitions(hz=np.zeros(1), amplitude=np.ones(1, complex), gaussian_hz=np.array([15.0]))
    spectrum = np.fft.fftshift(np.fft.fft(line.fid(acquisition))).real
    base = spectrum[0]
    above = spectrum - base > (spectrum.max() - base) / 2
    assert above.sum() * 1000 / 8192 == pytest.approx(15, abs=0.25)


@given(st.lists(st.tuples(st.floats(-300, 300), st.floats(1e-9, 1)), min_size=1, max_size=50))
def test_merging_keeps_the_sum_and_moves_nothing_of_weight_by_more_than_half_a_bin(lines):
    hz, amplitude = (np.array(each) for each in zip(*lines, strict=True))
    merged = binned(hz, amplitude.astype(complex))
    assert merged.amplitude.sum() == pytest.approx(amplitude.sum())
    strong = amplitude >= 1e-5 * amplitude.sum()
    assert (np.abs(hz[strong][:, None] - merged.hz).min(1) <= BIN_HZ / 2 + 1e-9).all()
    assert len(set(merged.hz)) == len(merged.hz)


def test_weak_lines_are_dropped_into_their_nearest_neighbour():
    merged = binned(np.array([0.0, 10.0, 9.0, 4.0]), np.array([1.0, 2.0, 1e-7, 1e-9], complex))
    assert merged.hz.tolist() == pytest.approx([0, 10])
    assert merged.amplitude.real.tolist() == [1 + 1e-9, 2 + 1e-7]


def test_joined_tables_add_up():
    acquisition = Acquisition(points=64)
    twice = joined([TABLE, TABLE])
    np.testing.assert_allclose(twice.fid(acquisition), 2 * TABLE.fid(acquisition))


def test_more_points_begin_as_fewer_do():
    long, short = Acquisition(points=2048), Acquisition(points=512)
    np.testing.assert_allclose(TABLE.fid(long)[:512], TABLE.fid(short), atol=1e-9)
    half = replace(short, bandwidth_hz=1000.0, points=256)
    np.testing.assert_allclose(TABLE.fid(half), TABLE.fid(short)[::2], atol=1e-9)
