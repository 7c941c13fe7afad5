"""Bharti 2018: the network counted by hand, and the mean of the logits of both views."""

import torch

from hepatica.systems.bharti_2018 import CLASSES, SYSTEM, TwoViews


def test_parameters_are_those_of_two_networks_of_three_convolutions() -> None:
    """3 x 3 kernels without bias of 1-16-32-64 filters, twice; two numbers a channel of norm; 64-4 twice."""
    with torch.device("meta"):
        network = TwoViews(SYSTEM.settings)
        found = network(torch.empty(3, 2, 56, 56))
    convolutions = 2 * 9 * (1 * 16 + 16 * 32 + 32 * 64) + 2 * 2 * (16 + 32 + 64)
    heads = 2 * (64 * 4 + 4)
    assert sum(each.numel() for each in network.parameters()) == convolutions + heads == 47_336
    assert found.logits.shape == (3, len(CLASSES))
    assert found.signature.shape == (3, 128)


def test_logits_are_the_mean_of_those_of_each_view_alone() -> None:
    """Heads whose weights are 0 and whose biases are 1 to 4, and 3 throughout: 2, 2.5, 3, 3.5."""
    network = TwoViews(SYSTEM.quick).eval()
    with torch.no_grad():
        for head, bias in zip(network.classify, ([1.0, 2.0, 3.0, 4.0], [3.0] * 4), strict=True):
            head.weight.zero_()
            head.bias.copy_(torch.tensor(bias))
    torch.testing.assert_close(network(torch.rand(1, 2, 56, 56)).logits, torch.tensor([[2.0, 2.5, 3.0, 3.5]]))


def test_the_capsule_does_not_reach_the_network_of_the_parenchyma() -> None:
    network = TwoViews(SYSTEM.quick).eval()
    views = torch.rand(1, 2, 56, 56)
    changed = views.clone()
    changed[:, 1] = 0
    before, after = network(views).signature, network(changed).signature
    half = before.shape[1] // 2
    torch.testing.assert_close(before[:, :half], after[:, :half])
    assert not torch.allclose(before[:, half:], after[:, half:])
