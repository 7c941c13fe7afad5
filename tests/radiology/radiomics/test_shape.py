import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from hepatica.radiology.radiomics.features import histogram, statistics
from hepatica.radiology.radiomics.shape import shape

SPACING = (2.0, 1.0, 1.5)


@pytest.fixture(scope="module")
def ball() -> np.ndarray:
    z, y, x = (np.arange(-count, count + 1) * step for count, step in zip((11, 21, 14), SPACING, strict=True))
    return z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 < 19.5**2


def test_a_ball_is_round(ball) -> None:
    found = shape(np.ones(ball.shape), ball, spacing_mm=SPACING)
    assert found["morph_volume_RNU0"] == pytest.approx(4 / 3 * np.pi * 19.5**3, rel=0.02)
    assert found["morph_max_3d_diam_L0JK"] == pytest.approx(39 + 1.5, rel=0.02)  # and half a voxel at either end
    assert found["morph_pca_major_TDIC"] == pytest.approx(4 * 19.5 / np.sqrt(5), rel=0.02)
    assert found["morph_pca_flatness_N17B"] == pytest.approx(1, abs=0.02)
    assert 0.85 < found["morph_sphericity_QCFX"] < 1  # a surface of facets is larger
    assert found["morph_vol_dens_aee_6BDE"] == pytest.approx(np.sqrt(5) ** 3 / 8, rel=0.03)


def test_all_pairs_of_voxels_are_weighed_by_their_distance() -> None:
    rng = np.random.default_rng(0)
    mask, values = rng.random((3, 4, 5)) < 0.6, rng.normal(size=(3, 4, 5))
    weight = squareform(1 / pdist(np.argwhere(mask) * SPACING))
    x = values[mask]
    away = x - x.mean()
    moran = len(x) / weight.sum() * (away @ weight @ away) / (away @ away)
    geary = (len(x) - 1) / (2 * weight.sum()) * (weight * (x[:, None] - x) ** 2).sum() / (away @ away)
    found = shape(values, mask, spacing_mm=SPACING)
    assert found["morph_moran_i_N365"] == pytest.approx(moran)
    assert found["morph_geary_c_NPT7"] == pytest.approx(geary)


def test_the_centre_of_brightness_moves_to_where_it_is_bright(ball) -> None:
    bright = np.where(np.arange(ball.shape[0])[:, None, None] > 11, 3.0, 1.0) * np.ones(ball.shape)
    found = shape(bright, ball, spacing_mm=SPACING)
    heights = (np.argwhere(ball)[:, 0] - 11) * 2.0
    weights = bright[ball]
    assert found["morph_centre_of_mass_shift_KLMA"] == pytest.approx((heights @ weights) / weights.sum(), rel=0.01)


def test_first_order_of_numbers_that_can_be_counted() -> None:
    found = statistics(np.array([1.0, 2, 3, 4, 10]))
    assert found["stat_mean_Q4LE"] == 4
    assert found["stat_energy_N8CA"] == 130
    assert found["stat_median_absolute_dev_N72L"] == pytest.approx((2 + 1 + 0 + 1 + 7) / 5)
    counted = histogram(np.array([1, 1, 1, 3, 3, 3, 4]))
    assert counted["int_hist_mode_AMMC"] == 3  # as common as 1, but closer to the mean of 16 / 7
    assert counted["int_hist_max_gradient_12CE"] == 0.5  # of the counts 3, 0, 3, 1: -3, 0, 0.5, -2
