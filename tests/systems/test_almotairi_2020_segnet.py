"""SegNet: parameters and shape by hand, pixels go back where they came from, weights by median frequency."""

import numpy as np
import pytest
import torch
from torch import nn

from hepatica.systems.almotairi_2020_segnet import SYSTEM, SegNet, median_frequency


def test_parameters_and_shape_of_the_published_network() -> None:
    """VGG-16's convolutions have 14,714,688, the mirrored decoder's 14,713,602 to two classes; batch normalisation
    2 x 4,224 and, without the last layer, 2 x 3,712.
    """
    with torch.device("meta"):
        network = SegNet(width=64, outputs=2)
        logits, signature = network(torch.zeros(2, 1, 512, 512))
    assert sum(each.numel() for each in network.parameters()) == 14_714_688 + 14_713_602 + 2 * (4224 + 3712)
    assert logits.shape == (2, 2, 512, 512)
    assert signature.shape == (2, 512)


def test_median_frequency_by_hand() -> None:
    """Two slices of 4 pixels: tumour 1 of the 4 of the one that has it, the rest 7 of 8: median 9/16."""
    slices = np.array([[[0, 0], [0, 1]], [[0, 0], [0, 0]]])
    assert median_frequency(slices, classes=2) == pytest.approx([9 / 14, 9 / 4])
    assert median_frequency(slices[1:], classes=2) == [1, 0]


def test_the_decoder_puts_values_where_the_encoder_found_them() -> None:
    """With identities for convolutions, only each quarter's highest pixel is left, at its place."""
    network = SegNet(width=1, outputs=1)
    network.encode, network.decode = (nn.ModuleList([nn.Identity()]) for _ in range(2))
    network.normalise = nn.Identity()
    image = torch.tensor([[1.0, 2, 0, 0], [3, 0, 0, 5], [0, 0, 0, 0], [0, 7, 0, 0]])[None, None]
    maps, _ = network(image)
    expected = torch.tensor([[0.0, 0, 0, 0], [3, 0, 0, 5], [0, 0, 0, 0], [0, 7, 0, 0]])
    torch.testing.assert_close(maps[0, 0], expected)


def test_encoder_starts_from_the_weights_it_is_given() -> None:
    settings = SYSTEM.shortest_quick
    one, two = (SYSTEM.build(settings, pretrained=each) for each in (True, False))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
