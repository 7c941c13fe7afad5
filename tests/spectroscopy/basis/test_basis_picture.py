"""Basis picture: a row a component, peaks where they belong, ppm from right to left."""

import numpy as np
from matplotlib.image import imread

from hepatica.spectroscopy.basis.basis_picture import WINDOW_PPM, draw_basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.signal.acquisition import Acquisition

ACQUISITION = Acquisition()


def blue(path):
    """Where the curve is: (rows, columns) bool."""
    image = imread(path)[..., :3]
    return np.abs(image - np.array([0, 0x72 / 255, 0xB2 / 255])).max(-1) < 0.2


def test_a_peak_of_low_ppm_stands_on_the_right(tmp_path):
    drawn = blue_column(tmp_path, "Lip09"), blue_column(tmp_path, "Lip28")
    width = WINDOW_PPM[1] - WINDOW_PPM[0]
    assert drawn[0] > drawn[1]
    assert abs((drawn[0] - drawn[1]) - (2.77 - 0.90) / width) < 0.03


def blue_column(folder, name):
    """Where the highest pixel of the curve stands, as a share of the curve's length."""
    draw_basis(simulate_basis(ACQUISITION, names=[name]), path=folder / "a.png")
    curve = blue(folder / "a.png")
    columns = np.flatnonzero(curve.any(0))
    highest = np.flatnonzero(curve[np.flatnonzero(curve.any(1))[0]]).mean()
    return (highest - columns[0]) / (columns[-1] - columns[0])


def test_more_components_take_more_room_and_an_empty_one_is_drawn_flat(tmp_path):
    basis = simulate_basis(ACQUISITION)
    basis.fids[3] = 0
    draw_basis(basis, path=tmp_path / "many.png")
    draw_basis(basis.select(["Lac"]), path=tmp_path / "one.png")
    assert imread(tmp_path / "many.png").shape[0] > 3 * imread(tmp_path / "one.png").shape[0]
