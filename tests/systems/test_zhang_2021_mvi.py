"""Zhang 2021: parameters by hand, and a shape for any number of slices."""

from itertools import pairwise

import torch

from hepatica.systems.zhang_2021_mvi import SYSTEM, build

# Kernels of 27 voxels without bias, scale and shift of each filter, and a log-odds of 128 features.
WIDTHS = (4, 16, 32, 64, 128)
COUNT = sum(27 * a * b + 2 * b for a, b in pairwise(WIDTHS)) + 129


def test_parameters_counted_by_hand() -> None:
    with torch.device("meta"):
        network = build(SYSTEM.settings, pretrained=False).eval()
        found = network(torch.empty(2, 16, 4, 64, 64))
        maps = network.body(torch.empty(2, 4, 16, 64, 64))
    assert sum(each.numel() for each in network.parameters()) == COUNT == 292_641
    assert found.logits.shape == (2, 1)
    assert found.signature.shape == (2, 128)
    assert maps.shape == (2, 128, 4, 4, 4)
