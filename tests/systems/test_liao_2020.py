"""Liao 2020: sizes of both networks."""

import pytest
import torch

from hepatica.systems.liao_2020 import MUTATIONS, SYSTEM


@pytest.mark.parametrize(("system", "outputs"), [(SYSTEM, 2), (MUTATIONS, 7)])
def test_parameters_and_shape(system, outputs: int) -> None:
    """Inception-v3 has 23,834,568 (torchvision, without its auxiliary head), 2,049 of them a class."""
    with torch.device("meta"):
        network = system.build(system.settings, pretrained=False)
        assert network(torch.zeros(2, 3, 256, 256)).logits.shape == (2, outputs)
    assert sum(each.numel() for each in network.parameters()) == 23_834_568 + (outputs - 1000) * 2049


def test_a_narrow_network_for_trials() -> None:
    """By hand, a ResNet-18 of widths 16, 32, 64 and 128: convolutions, and batch normalisation of two numbers a map."""
    network = SYSTEM.build(SYSTEM.quick, pretrained=False)
    widths = (16, 32, 64, 128)
    stem = 3 * 64 * 49 + 2 * 64
    blocks = 0
    before = 64
    for width in widths:
        blocks += 9 * before * width + 3 * 9 * width * width + 4 * 2 * width
        blocks += before * width + 2 * width if before != width else 0
        before = width
    assert sum(each.numel() for each in network.parameters()) == stem + blocks + 2 * 129
