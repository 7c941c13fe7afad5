"""H-DenseUNet: parameters and shapes by hand, slices see their neighbours, the loss leaves out the ends."""

import torch
from torch.nn.functional import cross_entropy

from hepatica.systems.h_denseunet_2018 import SYSTEM, Hybrid, Slices, inner


def test_parameters_and_shape_of_the_published_networks() -> None:
    """DenseNet-161 without its classifier has 26,472,000, of which 2 x 109,968 scale and shift, learnt twice here; the
    way up of the 2-D network 23,055,843. The 3-D network has 4,267,168 down and 12,160,376 up, the fusion 110,979.
    """
    with torch.device("meta"):
        network = Hybrid(SYSTEM.settings)
        logits, signature = network(torch.zeros(1, 8, 1, 224, 224))
    counts = [sum(each.numel() for each in part.parameters()) for part in (network.slices, network.solid, network.fuse)]
    assert counts == [26_472_000 + 2 * 109_968 + 23_055_843, 4_267_168 + 12_160_376, 110_979]
    assert logits.shape == (1, 3, 8, 224, 224)
    assert signature.shape == (1, 2208 + 504)


def test_a_slice_is_read_with_the_ones_beside_it() -> None:
    torch.manual_seed(1)
    network = Slices(SYSTEM.shortest_quick).eval()
    volume = torch.rand(1, 6, 1, 32, 32)
    other = volume.clone()
    other[:, 3] = 0
    with torch.inference_mode():
        apart = (network(volume).logits - network(other).logits).abs().amax(dim=(0, 1, 3, 4))
    assert (apart > 0).tolist() == [False, False, True, True, True, False]


def test_the_first_and_last_slice_do_not_count() -> None:
    logits, labels = torch.rand(2, 3, 8, 4, 4), torch.randint(3, (2, 8, 4, 4))
    before = inner(cross_entropy)(logits, labels)
    logits[:, :, [0, -1]] = 9
    assert inner(cross_entropy)(logits, labels) == before
    logits[:, 1, 2] = 9
    assert inner(cross_entropy)(logits, labels) != before
