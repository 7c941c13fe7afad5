"""Jin 2021: the network counted by hand, and the stiffness that enters beside the image."""

import pytest
import torch

from hepatica.systems.jin_2021 import SYSTEM, Incidence, stiffness


def test_parameters_are_those_of_four_convolutions_and_a_number_beside() -> None:
    """3 x 3 kernels without bias of 3-16-32-64-128 filters; two numbers a channel of norm; 129 weights and a bias."""
    with torch.device("meta"):
        network = Incidence(SYSTEM.settings)
        found = network(torch.empty(2, 3, 96, 96))
    convolutions = 9 * (3 * 16 + 16 * 32 + 32 * 64 + 64 * 128) + 2 * (16 + 32 + 64 + 128)
    assert sum(each.numel() for each in network.parameters()) == convolutions + 130 == 97_810
    assert found.logits.shape == (2, 1)


def test_stiffness_is_the_mean_where_it_is_known() -> None:
    """75 kPa are 1: 16 kPa in the known half is 1 above log2 of 8 kPa; known nowhere, 0."""
    boxes = torch.zeros(2, 3, 4, 4)
    boxes[0, 1, :2], boxes[0, 2, :2] = 16 / 75, 1.0
    boxes[0, 1, 2:] = 1.0  # not known: not counted
    assert stiffness(boxes).tolist() == pytest.approx([1.0, 0.0], abs=1e-5)


@torch.no_grad()
def test_stiffness_changes_the_score_of_equal_features() -> None:
    network = Incidence(SYSTEM.quick).eval()
    boxes = torch.rand(1, 3, 48, 48)
    found = network(boxes)
    assert float(found.signature[0, -1]) == pytest.approx(float(stiffness(boxes)[0]))
    network.classify.weight[0, -1] += 1
    assert float((network(boxes).logits - found.logits)[0, 0]) == pytest.approx(float(stiffness(boxes)[0]), abs=1e-4)
