"""Channel-UNet: parameters and shape by hand, the map mixes pixels and not channels, and extends as its table says."""

import pytest
import torch
from einops import rearrange, repeat

from hepatica.cohort import SettingsError
from hepatica.protocol import override
from hepatica.systems.chen_2019_channel_unet import SYSTEM, ChannelUNet, PixelMap


def test_parameters_and_shape_of_the_published_network() -> None:
    """Down 9,984 + 110,976 + 443,136 + 1,771,008 + 7,080,960, up 7,669,248 + 1,917,696 + 479,616 + 120,000, 195 of the
    last convolution, and 1,024 x 1,024 of the map.
    """
    with torch.device("meta"):
        network = ChannelUNet(width=64, levels=5, side=512, outputs=3)
        logits, signature = network(torch.zeros(1, 1, 512, 512))
    assert sum(each.numel() for each in network.parameters()) == 9_416_064 + 10_186_560 + 195 + 1024**2
    assert logits.shape == (1, 3, 512, 512)
    assert signature.shape == (1, 1024)


def test_a_map_takes_each_pixel_from_where_its_weights_say() -> None:
    pixels = PixelMap(2)
    pixels.weight.data = torch.tensor([[0.0, 0, 0, 1], [0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]])
    maps = torch.tensor([[[[1.0, 2], [3, 4]], [[5, 6], [7, 8]]]])
    expected = torch.tensor([[[[4.0, 2], [2, 0]], [[8, 6], [10, 0]]]])
    torch.testing.assert_close(pixels(maps), expected)


def test_an_extended_map_is_the_table_in_which_pixels_share_the_weight_of_that_in_which_they_lie() -> None:
    torch.manual_seed(0)
    pixels = PixelMap(2)
    pixels.weight.data = torch.rand(4, 4)
    maps = torch.rand(2, 3, 6, 6)
    square = rearrange(pixels.weight.data, "(y x) (v u) -> y x v u", y=2, v=2) / 9
    table = repeat(square, "y x v u -> (y m x n) (v p u q)", m=3, n=3, p=3, q=3)
    flat = rearrange(maps, "b c y x -> b c (y x)") @ table.T
    torch.testing.assert_close(pixels(maps), rearrange(flat, "b c (y x) -> b c y x", y=6))


def test_sides_must_halve_as_often_as_there_are_levels() -> None:
    with pytest.raises(SettingsError, match="multiple of 16"):
        SYSTEM.build(override(SYSTEM.settings, {"voxels": (1, 100, 100)}), pretrained=False)
