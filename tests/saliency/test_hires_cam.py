import numpy as np
import torch
from einops import rearrange, reduce
from torch import Tensor, nn

from hepatica.saliency import grad_cam, hires_cam


class Summed(nn.Module):
    """Convolution, a weight for each channel and position, sum: the answer is the sum of its evidence."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(3, 4, 1)
        self.weight = weight

    def forward(self, images: Tensor) -> Tensor:
        return rearrange((self.convolve(images) * self.weight).sum((1, 2, 3)), "b -> b 1")


def scaled(evidence: Tensor) -> np.ndarray:
    evidence = evidence.relu()
    return (evidence / reduce(evidence, "b y x -> b 1 1", "max")).detach().numpy()


def test_it_is_what_each_position_adds_to_the_answer() -> None:
    torch.manual_seed(0)
    network, images = Summed(torch.randn(4, 5, 6)), torch.rand(2, 3, 5, 6)
    found = hires_cam(network, images, layer=network.convolve, target=0)
    wanted = scaled((network.convolve(images) * network.weight).sum(1))
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_where_all_positions_weigh_alike_it_is_grad_cam() -> None:
    torch.manual_seed(0)
    network, images = Summed(torch.randn(4, 1, 1)), torch.rand(2, 3, 5, 6)
    maps = [cam(network, images, layer=network.convolve, target=0) for cam in (hires_cam, grad_cam)]
    np.testing.assert_allclose(*maps, atol=1e-6)


def test_slopes_that_cancel_empty_grad_cam_alone() -> None:
    weight = torch.ones(4, 2, 2)
    weight[:, 0] = -1  # the upper half takes away what the lower half adds
    torch.manual_seed(0)
    network, images = Summed(weight), torch.rand(1, 3, 2, 2)
    nn.init.ones_(network.convolve.weight)
    assert not grad_cam(network, images, layer=network.convolve, target=0).any()
    assert hires_cam(network, images, layer=network.convolve, target=0)[0, 1].any()
