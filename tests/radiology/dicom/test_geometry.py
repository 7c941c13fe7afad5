"""Geometry: indices to mm and back, hand-counted."""

import numpy as np
import pytest

from hepatica.radiology.dicom.geometry import Geometry, from_lps

PLACE = Geometry(shape=(4, 5, 6), spacing=(2.5, 0.8, 0.7), origin=(-10.0, -12.0, 30.0))


def test_an_index_becomes_millimetres():
    assert PLACE.lps @ [2, 1, 3, 1] == pytest.approx([-10 + 1.4, -12 + 0.8, 30 + 7.5, 1])
    assert PLACE.affine @ [2, 1, 3, 1] == pytest.approx([10 - 1.4, 12 - 0.8, 30 + 7.5, 1])


def test_the_matrix_gives_the_geometry_back():
    assert from_lps(PLACE.lps, shape=PLACE.shape) == PLACE


@pytest.mark.parametrize(
    "other", [{"shape": (4, 5, 7)}, {"origin": (-10.0, -12.0, 31.0)}, {"spacing": (2.5, 0.8, 0.8)}]
)
def test_another_grid_does_not_agree(other):
    fields = {"shape": PLACE.shape, "spacing": PLACE.spacing, "origin": PLACE.origin}
    assert PLACE.agrees(PLACE)
    assert not PLACE.agrees(Geometry(**fields | other))
    assert np.array_equal(Geometry(**fields).lps, PLACE.lps)
