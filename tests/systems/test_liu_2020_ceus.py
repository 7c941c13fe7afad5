"""Liu 2020 (CEUS): the network counted by hand; it reads contrast alone, and time matters to it."""

import torch

from hepatica.systems.liu_2020_ceus import SYSTEM, Response


def test_parameters_are_those_of_four_solid_convolutions() -> None:
    """3 x 3 x 3 kernels without bias of 1-16-32-64-128 filters; two numbers a channel of norm; 128 weights, a bias."""
    with torch.device("meta"):
        network = Response(SYSTEM.settings)
        found = network(torch.empty(2, 16, 3, 64, 64))
        maps = network.network.body(torch.empty(1, 1, 16, 64, 64))
    trained = sum(each.numel() for each in network.parameters() if each.requires_grad)
    convolutions = 27 * (1 * 16 + 16 * 32 + 32 * 64 + 64 * 128) + 2 * (16 + 32 + 64 + 128)
    assert trained == convolutions + 129 == 291_345
    assert found.logits.shape == (2, 1)
    assert maps.shape == (1, 128, 2, 4, 4)  # time is halved thrice, space four times


def test_the_gain_of_a_machine_does_not_count() -> None:
    network = Response(SYSTEM.quick).eval()
    cines = torch.rand(1, 16, 3, 32, 32)
    louder = cines * torch.tensor([1.3, 1.0, 1.0])[None, None, :, None, None]
    torch.testing.assert_close(network(cines).logits, network(louder).logits)


def test_only_contrast_is_read_and_its_order_in_time_counts() -> None:
    network = Response(SYSTEM.quick).eval()
    cines = torch.rand(1, 16, 3, 32, 32)
    other = cines.clone()
    other[:, :, 1] = 0
    torch.testing.assert_close(network(cines).logits, network(other).logits)
    assert not torch.allclose(network(cines).logits, network(cines.flip(1)).logits)
