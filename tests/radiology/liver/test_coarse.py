"""Coarse: blocks of a volume, where they lie, and the body alone."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from hepatica.radiology.dicom.geometry import Geometry
from hepatica.radiology.dicom.volume import Volume
from hepatica.radiology.liver.liver import filled, gather


def volume_of(values, *, spacing):
    geometry = Geometry(shape=values.shape, spacing=spacing, origin=(0.0, 0.0, 0.0))
    return Volume(values=values.astype(np.float32), geometry=geometry, units="HU", measured=np.ones(len(values), bool))


def trunk(*, shape=(7, 43, 61), spacing=(2.5, 2.4, 2.6)):
    """A box of 50 HU in air, with air inside, and a table below."""
    values = np.full(shape, -1000.0)
    values[:, 10:30, 12:48] = 50
    values[:, 16:20, 20:30] = -900
    values[:, 38:40] = 80
    return volume_of(values, spacing=spacing)


def test_blocks_are_means_and_lie_where_their_voxels_do():
    coarse = gather(trunk())
    assert coarse.factors == (2, 2, 2)
    assert coarse.spacing == pytest.approx((5.0, 4.8, 5.2))
    assert coarse.values.shape == (4, 10, 18)  # the body's box alone: the table is another thing
    assert coarse.values[0, 0, 0] == 50
    voxels = coarse.finely(coarse.body)
    assert voxels.shape == (7, 43, 61)
    assert np.array_equal(np.argwhere(voxels)[[0, -1]], [[0, 10, 12], [6, 29, 47]])


def test_the_body_holds_what_it_encloses():
    coarse = gather(trunk())
    assert coarse.values[0, 4, 5] == -200
    assert coarse.body.all()


def test_places_are_in_mm_from_the_middle_and_the_back():
    coarse = gather(trunk())
    middle = coarse.from_middle()
    assert middle.shape == (1, 1, 18)
    assert middle[0, 0, [0, -1]] == pytest.approx([-8.5 * 5.2, 8.5 * 5.2])
    assert coarse.from_back()[0, :, 0] == pytest.approx(4.8 * np.arange(10, 0, -1))


def test_depth_is_in_mm_and_the_ends_are_no_surface():
    coarse = gather(trunk())
    marked = np.ones(coarse.body.shape, bool)
    assert np.isinf(coarse.depth(marked)).all()
    marked[:, :, 0] = False
    assert coarse.depth(marked)[0, 0, :3] == pytest.approx([0, 5.2, 10.4])
    marked[:] = False
    assert not coarse.depth(marked).any()
    marked[1:3, 4:9, 3:9] = True
    marked[2, 6, 5] = False
    np.testing.assert_array_equal(coarse.depth(marked), distance_transform_edt(marked, sampling=coarse.spacing))


def test_smoothing_takes_away_what_is_thin_and_keeps_what_is_thick():
    volume = trunk()
    volume.values[:, 24:26, 14:16] = 300  # a vessel of one block
    smooth = gather(volume).smooth
    assert smooth[:, 7, 1] == pytest.approx(50, abs=5)


def test_fewer_voxels_than_a_block_are_one_block():
    coarse = gather(trunk(shape=(1, 43, 61), spacing=(1.0, 2.4, 2.6)))
    assert coarse.values.shape[0] == 1
    assert coarse.finely(coarse.body).shape == (1, 43, 61)


def test_air_has_no_body():
    assert gather(volume_of(np.full((3, 20, 20), -1000.0), spacing=(5.0, 1.0, 1.0))) is None


def test_filling_is_slice_by_slice():
    ring = np.zeros((2, 5, 5), bool)
    ring[0, 1:4, 1:4] = True
    ring[:, 2, 2] = False
    assert filled(ring)[0, 2, 2]
    assert not filled(ring)[1].any()
