import pytest
import torch

from hepatica.networks import UNet
from hepatica.networks.unet import Standardised

# Weights of a 3 x 3 convolution: 9 in out; of its batch normalisation: 2 out. Way down 3-16, 16-32, 32-64, 64-128; way
# up 128+64-64, 64+32-32, 32+16-16; then 1 x 1, 16-2, with bias. Each block has two convolutions.
BLOCKS = ((3, 16), (16, 32), (32, 64), (64, 128), (192, 64), (96, 32), (48, 16))
COUNT = sum(9 * before * after + 9 * after * after + 4 * after for before, after in BLOCKS) + 16 * 2 + 2


def test_four_levels_have_the_parameters_counted_by_hand() -> None:
    with torch.device("meta"):
        network = UNet(outputs=2, width=16)
        found = network(torch.zeros(2, 3, 256, 256))
    assert sum(each.numel() for each in network.parameters()) == COUNT == 488_018
    assert found.shape == (2, 2, 256, 256)


def test_a_size_that_does_not_halve_gives_maps_of_that_size() -> None:
    torch.manual_seed(0)
    network = UNet(outputs=2, width=2).eval()
    images = torch.rand(1, 3, 61, 47)
    with torch.inference_mode():
        found, padded = network(images), network(torch.nn.functional.pad(images, (0, 1, 0, 3), mode="reflect"))
    assert found.shape == (1, 2, 61, 47)
    assert found[..., 20:30, 10:20].std() > 0
    assert padded.shape == (1, 2, 64, 48)


def test_stain_twice_as_strong_looks_the_same_to_the_network() -> None:
    density = torch.rand(2, 3, 32, 32).mul(0.8).add(0.1)
    pale, strong = (Standardised()(torch.exp(-factor * density)) for factor in (2, 4))
    torch.testing.assert_close(pale, strong, atol=0.12, rtol=0)
    assert pale.mean(dim=(2, 3)).abs().max() < 1e-5


def test_empty_glass_is_not_blown_up() -> None:
    glass = 0.95 + 0.005 * torch.randn(1, 3, 64, 64)
    assert Standardised()(glass).std() == pytest.approx(0.1, abs=0.03)
