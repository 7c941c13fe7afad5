"""Yasaka 2018: the network counted by hand, and the copies of the paper."""

import pytest
import torch

from hepatica.systems.yasaka_2018 import SYSTEM, Masses


def test_the_network_is_of_six_convolutions_and_three_connected_layers() -> None:
    """3 x 3 kernels with bias: 3-32-32, 64-64, 128-128 filters; 70 pixels halved thrice are 8; 256, 256, 5."""
    with torch.device("meta"):
        network = Masses(SYSTEM.settings)
        found = network(torch.empty(2, 3, 70, 70))
    convolutions = 896 + 9_248 + 18_496 + 36_928 + 73_856 + 147_584
    connected = (8 * 8 * 128 * 256 + 256) + (256 * 256 + 256) + (256 * 5 + 5)
    assert sum(each.numel() for each in network.parameters()) == convolutions + connected == 2_451_493
    assert found.logits.shape == (2, 5)
    assert network.body(torch.empty(1, 3, 70, 70, device="meta")).shape == (1, 128, 8, 8)


def test_an_epoch_has_the_copies_of_the_paper() -> None:
    assert 1_068 * SYSTEM.settings.copies == 55_536


@pytest.mark.parametrize("sides", [(1, 70, 70), (1, 40, 40), (1, 33, 50)])
def test_any_side_fits(sides: tuple[int, int, int]) -> None:
    from dataclasses import replace

    network = Masses(replace(SYSTEM.quick, voxels=sides)).eval()
    assert network(torch.rand(2, 3, *sides[1:])).logits.shape == (2, 5)
