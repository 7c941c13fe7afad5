"""Volume: sizes and parameters by hand, and channels that are told apart."""

import torch

from hepatica.networks import Volume


def test_sizes_and_parameters_by_hand() -> None:
    """2 to 4 and 4 to 8 filters of 27 weights, two numbers a map, 8 weights and a bias; 8 x 12 x 12 to 4 x 3 x 3."""
    network = Volume(2, width=4, pools=((1, 2, 2), (2, 2, 2))).eval()
    assert sum(each.numel() for each in network.parameters()) == 27 * (2 * 4 + 4 * 8) + 2 * (4 + 8) + 8 + 1
    with torch.inference_mode():
        assert network.body(torch.zeros(1, 2, 8, 12, 12)).shape == (1, 8, 4, 3, 3)
        logits, signature = network(torch.zeros(3, 8, 2, 12, 12))
    assert (logits.shape, signature.shape) == ((3, 1), (3, 8))


def test_channels_are_told_apart_and_crops_read_by_themselves() -> None:
    torch.manual_seed(0)
    network = Volume(2, width=4, pools=((2, 2, 2),)).eval()
    crops = torch.rand(2, 4, 2, 6, 6)
    with torch.inference_mode():
        logits = network(crops).logits
        assert not torch.allclose(network(crops.flip(2)).logits, logits)
        torch.testing.assert_close(network(crops[:1]).logits, logits[:1])
