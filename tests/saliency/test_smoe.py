import numpy as np
import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError
from hepatica.saliency import RESNET_LAYERS, combined, gauss_norm, normalised, smoe, smoe_scale, smoe_watch

# specs/radiology.md 2.5, from the authors' code (LLNL/fastcam).
GOLDEN = [0.632997, 0.469822, 0.385726, 0.331630, 0.292962, 0.263531]
GOLDEN_2 = [0.098669, 0.095666, 0.092846, 0.090193, 0.087690, 0.085325]

excitement = arrays(np.float32, (2, 5, 2, 3), elements=st.floats(0, 1000, width=32))


def ramp() -> Tensor:
    return torch.arange(1, 49).reshape(2, 4, 2, 3) / 10


def network() -> nn.Module:
    torch.manual_seed(0)
    body: nn.Module = timm.create_model("resnet34", num_classes=2, channels=(8, 16, 32, 64))
    return body


def images(count: int = 2) -> Tensor:
    return torch.rand(count, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def test_golden_values() -> None:
    np.testing.assert_allclose(smoe_scale(ramp()).flatten(1), [GOLDEN, GOLDEN_2], atol=2e-6)


def test_one_channel_alone_by_hand() -> None:
    alone = torch.zeros(1, 4, 1, 1)
    alone[0, 2] = 8.0
    # m = 2: 2 * (1 - (3 + 3 log2 1e-7) / 4).
    assert smoe_scale(alone).item() == pytest.approx(35.38025, abs=1e-4)


@pytest.mark.parametrize("value", [0.0, 3.0, 0.1, 1e-6, 1e6, -2.0])
@pytest.mark.parametrize("channels", [1, 3, 64, 511])
def test_channels_excited_alike_are_0(value: float, channels: int) -> None:
    assert not smoe_scale(torch.full((2, channels, 3, 3), value)).any()


@settings(deadline=None, max_examples=50)
@given(x=excitement, factor=st.floats(0.5, 100))
def test_it_is_finite_positive_scales_and_knows_no_order(x: np.ndarray, factor: float) -> None:
    excited = torch.from_numpy(np.where(x < 0.01, 0.01, x))  # far above the silence that is added
    found = smoe_scale(excited)
    assert torch.isfinite(found).all()
    assert (found >= 0).all()
    torch.testing.assert_close(smoe_scale(excited[:, [3, 0, 4, 1, 2]]), found, rtol=1e-4, atol=2e-2)
    torch.testing.assert_close(smoe_scale(factor * excited), factor * found, rtol=1e-3, atol=2e-2 * factor)


@settings(deadline=None, max_examples=50)
@given(x=excitement)
def test_it_is_the_formula_in_double_precision(x: np.ndarray) -> None:
    exact = x.astype(np.float64) + 1e-7
    mean = exact.mean(axis=1)
    wanted = mean * (np.log2(mean) - np.log2(exact).mean(axis=1))
    np.testing.assert_allclose(smoe_scale(torch.from_numpy(x)).numpy(), wanted, rtol=1e-4, atol=1.2e-5 * mean.max())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(dtype: torch.dtype) -> None:
    found = smoe_scale(ramp().to(dtype))
    assert found.dtype == torch.float32
    assert torch.equal(found, smoe_scale(ramp().to(dtype).float()))
    assert torch.isfinite(smoe_scale(torch.full((1, 4, 2, 2), 6e4, dtype=torch.float16))).all()


@pytest.mark.parametrize("count", [0, 1, 5])
def test_images_mapped_a_few_together_give_the_same_bytes(count: int) -> None:
    activations = torch.rand(count, 64, 112, 112, generator=torch.Generator().manual_seed(0))
    alone = [smoe_scale(each[None]) for each in activations]
    assert torch.equal(smoe_scale(activations), torch.cat([torch.empty(0, 112, 112), *alone]))


def test_activations_are_not_written_into() -> None:
    x = ramp()
    smoe_scale(x)
    assert torch.equal(x, ramp())


def test_the_watched_layers_are_what_the_network_computes() -> None:
    body = network().eval()
    kept: list[Tensor] = []
    hook = body.layer3.register_forward_hook(lambda *each: kept.append(each[2].clone()))
    with torch.inference_mode(), smoe_watch(body) as maps:
        answer = body(images())
    hook.remove()
    assert tuple(maps) == RESNET_LAYERS
    assert [tuple(each.shape) for each in maps.values()] == [(2, 32 >> k, 48 >> k) for k in range(5)]
    assert torch.equal(maps["layer3"], smoe_scale(kept[0]))
    with torch.inference_mode():
        assert torch.equal(body(images()), answer)
    assert not any(module._forward_hooks for module in body.modules())


def test_a_batch_is_its_images_one_by_one() -> None:
    body = network()
    together = smoe(body, images(3))
    assert together.shape == (3, 64, 96)
    assert together.dtype == np.float32
    assert together.min() >= 0
    assert together.max() <= 1
    for image, found in zip(images(3), together, strict=True):
        np.testing.assert_allclose(smoe(body, image[None])[0], found, atol=1e-4)


def test_the_network_is_left_as_it_was() -> None:
    body = network().train()
    before = {name: value.clone() for name, value in body.state_dict().items()}
    smoe(body, images())
    assert all(module.training for module in body.modules())
    assert all(torch.equal(value, before[name]) for name, value in body.state_dict().items())


def test_a_network_that_sees_nothing_gives_zeros() -> None:
    body = network()
    for parameter in body.parameters():
        nn.init.zeros_(parameter)
    assert not smoe(body, images()).any()


def test_weights_count() -> None:
    maps = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(combined(maps), maps.mean(dim=1))
    torch.testing.assert_close(combined(maps, weights=[0, 2, 0]), maps[:, 1])
    torch.testing.assert_close(combined(maps, weights=[1, 0, 3]), maps[:, 0] / 4 + 3 * maps[:, 2] / 4)


def test_maps_of_every_size_become_one() -> None:
    maps = {"first": torch.rand(2, 8, 8), "second": torch.rand(2, 2, 2)}
    found = normalised(maps, size=(16, 12))
    assert found.shape == (2, 2, 16, 12)
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("weights", [[1.0], [1, -1], [0, 0], [1, float("nan")]])
def test_impossible_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(SettingsError, match="weights"):
        combined(torch.rand(1, 2, 2, 2), weights=weights)


def test_a_layer_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="layer9"):
        smoe(network(), images(), layers=["layer1", "layer9"])


def test_a_layer_without_a_map_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"fc gives \(2, 2\)"):
        smoe(network(), images(), layers=["fc"])


# specs/radiology.md 2.5: a map of SMOE's golden values, and its normalisation by the authors' code.
MAP = torch.tensor([[[0.632997, 0.469822, 0.385726], [0.331630, 0.292962, 0.263531]]])
GAUSS = [0.957950, 0.704539, 0.469817, 0.319105, 0.225975, 0.166827]


def test_gauss_golden_values() -> None:
    np.testing.assert_allclose(gauss_norm(MAP).flatten(), GAUSS, atol=3e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 7e-8, 123.4])
@pytest.mark.parametrize("side", [1, 3, 7])
def test_a_map_without_differences_becomes_zeros(value: float, side: int) -> None:
    assert not gauss_norm(torch.full((2, side, side), value)).any()


@settings(deadline=None, max_examples=40)
@given(values=arrays(np.float32, (3, 4, 5), elements=st.floats(0, 1e5, width=32)))
def test_maps_end_in_0_to_1_each_on_its_own_in_their_order(values: np.ndarray) -> None:
    maps = torch.from_numpy(values)
    found = gauss_norm(maps)
    assert found.dtype == torch.float32
    assert ((found >= 0) & (found <= 1)).all()
    for one, alone in zip(maps, found, strict=True):
        torch.testing.assert_close(gauss_norm(one[None])[0], alone, atol=1e-5, rtol=0)
        assert (alone.flatten()[one.flatten().argsort()].diff() >= -1e-5).all()


def test_half_precision_and_a_scale_change_nothing() -> None:
    torch.testing.assert_close(gauss_norm(1000 * MAP), gauss_norm(MAP), atol=1e-5, rtol=0)
    assert gauss_norm(MAP.bfloat16()).dtype == torch.float32
    torch.testing.assert_close(gauss_norm(MAP.half()), gauss_norm(MAP), atol=5e-3, rtol=0)


def test_differences_whose_squares_vanish_are_none() -> None:
    tiny = torch.full((1, 4, 5), 1e-45)
    tiny[0, 0, 0] = 0
    assert not gauss_norm(tiny).any()
