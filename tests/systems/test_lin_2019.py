"""Lin 2019: size of the network, and which channels it reads."""

import torch

from hepatica.systems.lin_2019 import SYSTEM, TwoChannels


def test_parameters_and_shape() -> None:
    """VGG-16 has 138,357,544, 4,097 of them a class; 64 kernels of 3 by 3 have one channel less."""
    with torch.device("meta"):
        network = SYSTEM.build(SYSTEM.settings, pretrained=False)
        assert network(torch.zeros(2, 3, 224, 224)).logits.shape == (2, 3)
    assert sum(each.numel() for each in network.parameters()) == 138_357_544 - 997 * 4097 - 64 * 9


def test_blue_is_not_read() -> None:
    images = torch.rand(2, 3, 64, 64)
    read = TwoChannels()(images)
    assert read.shape == (2, 2, 64, 64)
    torch.testing.assert_close(read[:, 0], 2 * images[:, 0] - 1)
    network = SYSTEM.build(SYSTEM.quick, pretrained=False).eval()
    other = images.clone()
    other[:, 2] = 0
    assert torch.equal(network(images).logits, network(other).logits)
