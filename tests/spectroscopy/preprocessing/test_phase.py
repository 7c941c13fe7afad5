"""Phase: lines stand up again whatever angle they were turned by."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.spectroscopy.preprocessing.phase import zero_phase
from hepatica.spectroscopy.signal.acquisition import Acquisition

LIVER = Acquisition(points=1024)


@settings(deadline=None, max_examples=20)
@given(angle=st.floats(-np.pi, np.pi), width=st.floats(6, 25), brain=st.booleans())
def test_the_angle_is_found(decay, brain_lines, angle, width, brain):
    lines = {"lines": brain_lines} if brain else {}
    fid = decay(LIVER, **lines, width_hz=width, noise=0.3) * np.exp(1j * angle)
    found = zero_phase(fid, 0.4, 4.2, acquisition=LIVER)
    assert np.angle(np.exp(1j * (found + angle))) == pytest.approx(0, abs=0.1)


def test_noise_alone_is_survived(decay):
    assert np.isfinite(zero_phase(decay(LIVER, {}, noise=1.0), 0.4, 4.2, acquisition=LIVER))
