"""Norm: it grows with the gain, and with nothing else."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hepatica.learn.images import as_network_input
from hepatica.spectroscopy.networks.network_input import as_complex, as_network_values, norm


@given(gain=st.floats(1e-6, 1e6), angle=st.floats(-4, 4))
def test_it_follows_the_gain_and_not_the_phase(gain, angle):
    values = np.arange(1, 7) + 1j
    turned = gain * np.exp(1j * angle) * np.stack([values, 2 * values])
    np.testing.assert_allclose(norm(turned), gain * norm(values) * np.array([1, 2]))


def test_it_is_the_mean_modulus():
    assert norm(np.array([3 + 4j, 0, -1])) == pytest.approx(2.0)


SPECTRA = np.array([[1 + 2j, 3 - 4j, 0], [5j, -6, 7 + 1j]])


def test_real_and_imaginary_parts_stand_side_by_side() -> None:
    images = as_network_values(SPECTRA)
    assert images.shape == (2, 1, 3, 2)
    assert images.dtype == np.float32
    assert images[0, 0].tolist() == [[1, 2], [3, -4], [0, 0]]


def test_it_is_undone() -> None:
    np.testing.assert_array_equal(as_complex(as_network_values(SPECTRA)), SPECTRA.astype(np.complex64))


def test_a_network_sees_them_as_two_channels() -> None:
    seen = as_network_input(torch.from_numpy(as_network_values(SPECTRA)))
    assert seen.shape == (2, 2, 1, 3)
    np.testing.assert_array_equal(seen[:, 0, 0], SPECTRA.real)
    np.testing.assert_array_equal(seen[:, 1, 0], SPECTRA.imag)


def test_a_part_that_is_not_contiguous_is_read_too() -> None:
    np.testing.assert_array_equal(as_network_values(SPECTRA[:, ::2]), as_network_values(SPECTRA[:, ::2].copy()))
