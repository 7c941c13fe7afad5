"""Textures: wavelet energies and autocorrelations of patterns whose values are known."""

import numpy as np
import pytest

from hepatica.radiology.ultrasound.textures import autocorrelations, count, textures, wavelet_energies


def test_a_checkerboard_is_all_diagonal_detail_of_the_first_level() -> None:
    """Values 0 and 2 in turn: (a - b - c + d) / 2 is -2 everywhere, of mean square 4."""
    board = 2.0 * (np.indices((16, 16)).sum(axis=0) % 2)
    found = wavelet_energies(board)
    assert found["haar_1_diagonal"] == pytest.approx(np.log2(4 + 1e-3))
    others = [value for name, value in found.items() if name != "haar_1_diagonal"]
    assert len(others) == 8
    np.testing.assert_allclose(others, np.log2(1e-3))


def test_rows_in_turn_correlate_fully_along_and_inversely_across() -> None:
    rows = np.repeat([[0.0], [1.0]], 16, axis=1)
    found = autocorrelations(np.tile(rows, (8, 1)))
    assert found["autocorrelation_1_down"] == pytest.approx(-1)
    assert found["autocorrelation_2_down"] == pytest.approx(1)
    assert found["autocorrelation_1_across"] == pytest.approx(1)
    assert set(autocorrelations(np.ones((16, 16))).values()) == {0.0}


def test_features_within_a_mask_do_not_see_beyond() -> None:
    square = np.random.default_rng(1).integers(0, 255, (16, 16)).astype(float)
    mask = np.zeros((16, 16), bool)
    mask[4:12, 4:12] = True
    changed = np.where(mask, square, 0)
    a, b = (textures(each, mask=mask) for each in (square, changed))
    own = [name for name in a if not name.startswith(("haar", "auto"))]
    assert count() == len(a) == len(own) + 9 + 8
    np.testing.assert_allclose([a[name] for name in own], [b[name] for name in own])
