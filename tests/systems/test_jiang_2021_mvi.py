"""Jiang 2021: sizes counted by hand, and that each variant judges by its own model."""

import torch

from hepatica.protocol import override
from hepatica.systems.jiang_2021_mvi import SYSTEM


def test_parameters_shape_and_features_by_hand() -> None:
    """Kernels of 27 weights without bias, two numbers a map for batch normalisation, a linear layer of 128."""
    with torch.device("meta"):
        network = SYSTEM.build(SYSTEM.settings, pretrained=False)
        assert network(torch.zeros(2, 48, 3, 96, 96)).logits.shape == (2, 1)
    convolutions = 27 * (3 * 16 + 16 * 32 + 32 * 64 + 64 * 128) + 2 * (16 + 32 + 64 + 128)
    assert sum(each.numel() for each in network.parameters()) == convolutions + 128 + 1 == 292_209
    # Lesion and rim: 128 features in the first phase, 25 of them of shape, which other phases share.
    assert network.boosted.kept.shape == (2 * (128 + 103 + 103),)
    assert network.boosted.trees.value.shape == (100, 15)


def test_volumes_are_read_slice_by_slice_as_the_store_gives_them() -> None:
    settings = override(
        SYSTEM.quick, {"voxels": (16, 16, 16), "families": ("first_order",), "trees": 1, "outline": False}
    )
    network = SYSTEM.build(settings, pretrained=False).eval()
    first, second = torch.rand(2, 1, 16, 3, 16, 16)
    with torch.inference_mode():
        assert not torch.allclose(network(first).logits, network(first.flip(2)).logits)  # phases are told apart
        together = network(torch.cat([first, second])).logits
        torch.testing.assert_close(together[:1], network(first).logits)


def test_survival_has_the_cutoff_of_invasion() -> None:
    invasion, survival = SYSTEM.tasks(SYSTEM.settings)
    assert (invasion.cutoff, survival.cutoff) == ("balanced", "first")
