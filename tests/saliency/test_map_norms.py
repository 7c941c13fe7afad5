import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hepatica.saliency.map_norms import NORMS, gamma_norm, gauss_norm, range_norm

# specs/radiology.md 2.5: a map of SMOE's golden values, and its normalisation by the authors' code.
MAP = torch.tensor([[[0.632997, 0.469822, 0.385726], [0.331630, 0.292962, 0.263531]]])
GAUSS = [0.957950, 0.704539, 0.469817, 0.319105, 0.225975, 0.166827]

every_norm = pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)


def test_gauss_golden_values() -> None:
    np.testing.assert_allclose(gauss_norm(MAP).flatten(), GAUSS, atol=3e-6)


def test_gamma_is_scipys_most_likely_gamma_distribution() -> None:
    values = scipy.stats.gamma.rvs(2.5, scale=3, size=(1, 20, 30), random_state=0)
    shape, _, scale = scipy.stats.gamma.fit(values.ravel(), floc=0)
    found = gamma_norm(torch.from_numpy(values))
    np.testing.assert_allclose(found.numpy(), scipy.stats.gamma.cdf(values, shape, scale=scale), atol=1e-5)


def test_gamma_of_a_narrow_map_has_the_largest_shape() -> None:
    values = 5 + 0.1 * torch.rand(1, 10, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wanted = scipy.stats.gamma.cdf(values, 18, scale=values.mean().item() / 18)
    np.testing.assert_allclose(gamma_norm(values).numpy(), wanted, atol=1e-5)


def test_range_by_hand() -> None:
    assert range_norm(torch.tensor([[[2.0, 3.0], [6.0, 4.0]]])).tolist() == [[[0, 0.25], [1, 0.5]]]


@every_norm
@pytest.mark.parametrize("value", [0.0, 0.1, 7e-8, 123.4])
@pytest.mark.parametrize("side", [1, 3, 7])
def test_a_map_without_differences_becomes_zeros(norm, value: float, side: int) -> None:
    assert not norm(torch.full((2, side, side), value)).any()


@every_norm
@settings(deadline=None, max_examples=40)
@given(values=arrays(np.float32, (3, 4, 5), elements=st.floats(0, 1e5, width=32)))
def test_maps_end_in_0_to_1_each_on_its_own_in_their_order(norm, values: np.ndarray) -> None:
    maps = torch.from_numpy(values)
    found = norm(maps)
    assert found.dtype == torch.float32
    assert ((found >= 0) & (found <= 1)).all()
    for one, alone in zip(maps, found, strict=True):
        torch.testing.assert_close(norm(one[None])[0], alone, atol=1e-5, rtol=0)
        assert (alone.flatten()[one.flatten().argsort()].diff() >= -1e-5).all()


@every_norm
def test_half_precision_and_a_scale_change_nothing(norm) -> None:
    torch.testing.assert_close(norm(1000 * MAP), norm(MAP), atol=1e-5, rtol=0)
    assert norm(MAP.bfloat16()).dtype == torch.float32
    torch.testing.assert_close(norm(MAP.half()), norm(MAP), atol=5e-3, rtol=0)
