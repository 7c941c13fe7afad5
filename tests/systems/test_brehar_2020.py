"""Brehar 2020: the network counted by hand, and branches that never mix before the dense layer."""

import torch

from hepatica.systems.brehar_2020 import SYSTEM, MultiResolution


def test_parameters_are_those_of_two_branches_of_three_convolutions() -> None:
    """3 x 3 kernels without bias of 1-16-32-64 filters, twice; two numbers a channel of norm; 128-512-2 dense."""
    with torch.device("meta"):
        network = MultiResolution(SYSTEM.settings)
        found = network(torch.empty(3, 2, 56, 56))
    branches = 2 * 9 * (1 * 16 + 16 * 32 + 32 * 64) + 2 * 2 * (16 + 32 + 64)
    dense = (128 * 512 + 512) + (512 * 2 + 2)
    assert sum(each.numel() for each in network.parameters() if each.requires_grad) == branches + dense == 113_890
    assert found.logits.shape == (3, 2)
    assert network.body(torch.empty(1, 2, 56, 56, device="meta")).shape == (1, 128, 7, 7)


def test_what_one_resolution_shows_does_not_reach_the_other_branch() -> None:
    network = MultiResolution(SYSTEM.quick).eval()
    squares = torch.rand(1, 2, 56, 56)
    changed = squares.clone()
    changed[:, 1] = torch.rand(1, 56, 56)
    before, after = network.body(squares), network.body(changed)
    half = before.shape[1] // 2
    torch.testing.assert_close(before[:, :half], after[:, :half])
    assert not torch.allclose(before[:, half:], after[:, half:])
