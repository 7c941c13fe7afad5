"""Norm: it grows with the gain, and with nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.spectroscopy.networks.norm import norm


@given(gain=st.floats(1e-6, 1e6), angle=st.floats(-4, 4))
def test_it_follows_the_gain_and_not_the_phase(gain, angle):
    values = np.arange(1, 7) + 1j
    turned = gain * np.exp(1j * angle) * np.stack([values, 2 * values])
    np.testing.assert_allclose(norm(turned), gain * norm(values) * np.array([1, 2]))


def test_it_is_the_mean_modulus():
    assert norm(np.array([3 + 4j, 0, -1])) == pytest.approx(2.0)
