"""Peaks: shift, height and width of lines that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.peaks import tallest, width_hz

LIVER = Acquisition(points=2048)


@settings(deadline=None, max_examples=25)
@given(ppm=st.floats(0.9, 3.8), width=st.floats(4, 30))
def test_a_line_is_found_where_it_stands_as_wide_as_it_is(decay, ppm, width):
    fid = decay(LIVER, {ppm: 10.0}, width_hz=width)
    peak = tallest(fid, 0.4, 4.2, acquisition=LIVER)
    assert peak.ppm == pytest.approx(ppm, abs=0.002)
    assert peak.height == pytest.approx(10 * LIVER.bandwidth_hz / (np.pi * width), rel=0.02)
    assert not peak.edge
    assert width_hz(fid, peak.ppm, acquisition=LIVER) == pytest.approx(width, rel=0.05)


def test_a_flank_is_an_edge(decay):
    fid = decay(LIVER, {1.28: 10.0})
    assert tallest(fid, 1.5, 2.0, acquisition=LIVER).edge
    assert tallest(fid, 50.0, 60.0, acquisition=LIVER).edge  # beyond the band


def test_a_neighbour_leaves_the_other_side_to_tell_the_width(decay):
    fid = decay(LIVER, {1.28: 10.0, 1.42: 9.5}, width_hz=12)
    assert width_hz(fid, 1.28, acquisition=LIVER) == pytest.approx(12, rel=0.3)


def test_a_pedestal_is_taken_off_first(decay):
    fid = decay(LIVER, {2.0: 10.0}, width_hz=8)
    fid[0] += 400.0  # a level of 200 under the whole spectrum
    assert width_hz(fid, 2.0, acquisition=LIVER, pedestal=200.0) == pytest.approx(8, rel=0.05)
    assert width_hz(fid, 2.0, acquisition=LIVER) > 10
