import numpy as np
import pytest
import torch
from einops import rearrange, reduce
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError
from hepatica.saliency import grad_cam, hires_cam


class Pooled(nn.Module):
    """Convolution, mean over positions, linear: here Grad-CAM is known in closed form."""

    def __init__(self, *, inplace: bool = False, stride: int = 1) -> None:
        super().__init__()
        self.convolve = nn.Conv2d(3, 4, 3, padding=1, stride=stride)
        self.rectify = nn.ReLU(inplace=inplace)
        self.dropout = nn.Dropout(0.5)
        self.answer = nn.Linear(4, 2)
        self.spare = nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.answer(self.dropout(reduce(self.rectify(self.convolve(images)), "b k y x -> b k", "mean")))


@pytest.fixture
def network() -> Pooled:
    torch.manual_seed(0)
    return Pooled()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(3, 3, 8, 6, generator=torch.Generator().manual_seed(1))


def test_it_is_the_class_activation_map_of_a_pooled_network(network, images) -> None:
    # The slope of the score along each position is the linear weight over the number of positions (section 3.1).
    found = grad_cam(network, images, layer=network.rectify, target=1)
    with torch.no_grad():
        features = network.rectify(network.convolve(images))
        evidence = torch.einsum("k,bkyx->byx", network.answer.weight[1], features).relu()
    expected = evidence / reduce(evidence, "b y x -> b 1 1", "max")
    assert found.shape == (3, 8, 6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


def test_evidence_is_rectified_before_it_is_enlarged(images) -> None:
    torch.manual_seed(0)
    network = Pooled(stride=2)
    with torch.no_grad():
        evidence = torch.einsum("k,bkyx->byx", network.answer.weight[1], network.convolve(images).relu()).relu()
        large = nn.functional.interpolate(evidence[None], (8, 6), mode="bilinear")[0]
    found = grad_cam(network, images, layer=network.rectify, target=1)
    np.testing.assert_allclose(found, (large / reduce(large, "b y x -> b 1 1", "max")).numpy(), atol=1e-6)


def test_the_evidence_lies_where_the_image_is_bright() -> None:
    network = nn.Sequential(nn.Conv2d(3, 1, 4, stride=4, bias=False), nn.Flatten(), nn.Linear(16, 2, bias=False))
    nn.init.ones_(network[0].weight)
    with torch.no_grad():
        network[2].weight.copy_(torch.stack([torch.ones(16), -torch.ones(16)]))
    image = torch.zeros(1, 3, 16, 16)
    image[:, :, :8, 8:] = 1  # the upper right quarter
    bright = grad_cam(network, image, layer=network[0], target=0)[0]
    assert bright[:8, 8:].mean() > 10 * np.delete(bright, np.s_[8:], axis=1).mean()
    assert bright.max() == 1
    assert not grad_cam(network, image, layer=network[0], target=1).any()  # evidence against is no evidence


def test_a_batch_is_its_images_one_by_one(network, images) -> None:
    together = grad_cam(network, images, layer=network.convolve, target=0)
    singly = [grad_cam(network, image[None], layer=network.convolve, target=0)[0] for image in images]
    np.testing.assert_allclose(together, singly, atol=1e-6)


def test_target_may_be_a_function_of_the_output(network, images) -> None:
    by_function = grad_cam(network, images, layer=network.rectify, target=lambda answer: answer[:, 1])
    np.testing.assert_array_equal(by_function, grad_cam(network, images, layer=network.rectify, target=1))


def test_no_slope_gives_zeros_not_nan(network, images) -> None:
    assert not grad_cam(network, images, layer=network.rectify, target=lambda answer: 0 * answer[:, 0]).any()


def test_tokens_are_arranged_into_a_map(images) -> None:
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Conv2d(3, 5, 2, stride=2)
            self.mix = nn.Linear(5, 5)
            self.answer = nn.Linear(5, 2)

        def forward(self, images: Tensor) -> Tensor:
            return self.answer(self.mix(rearrange(self.embed(images), "b d y x -> b (y x) d")).mean(dim=1))

    torch.manual_seed(0)
    network = Tokens()
    found = grad_cam(
        network, images, layer=network.mix, target=0, arrange=lambda t: rearrange(t, "b (y x) d -> b d y x", y=4)
    )
    assert found.shape == (3, 8, 6)
    assert found.max() > 0
    with pytest.raises(SettingsError, match=r"output \(3, 12, 5\).*give `arrange`"):
        grad_cam(network, images, layer=network.mix, target=0)


def test_what_follows_in_place_does_not_change_the_map(images) -> None:
    maps = []
    for inplace in (False, True):
        torch.manual_seed(0)
        network = Pooled(inplace=inplace)
        maps.append(grad_cam(network, images, layer=network.convolve, target=1))
    np.testing.assert_array_equal(*maps)


def test_frozen_networks_and_inference_mode_are_no_obstacle(network, images) -> None:
    expected = grad_cam(network, images, layer=network.convolve, target=1)
    network.requires_grad_(False)
    with torch.inference_mode():
        found = grad_cam(network, images * 1, layer=network.convolve, target=1)
    np.testing.assert_array_equal(found, expected)


def test_the_network_is_left_as_it_was(network, images) -> None:
    network.train()
    network.convolve.eval()
    original = images.clone()

    def fails(_answer: Tensor) -> Tensor:
        raise RuntimeError("no")

    grad_cam(network, images, layer=network.rectify, target=0)
    with pytest.raises(RuntimeError, match="no"):
        grad_cam(network, images, layer=network.rectify, target=fails)
    assert network.training
    assert network.dropout.training
    assert not network.convolve.training
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not network.rectify._forward_hooks
    assert not images.requires_grad
    assert torch.equal(images, original)


def test_a_layer_without_part_in_the_answer_is_refused(network, images) -> None:
    with pytest.raises(SettingsError, match="does not use"):
        grad_cam(network, images, layer=network.spare, target=0)
    with pytest.raises(SettingsError, match="does not depend"):
        grad_cam(network, images, layer=network.convolve, target=lambda answer: images.sum((1, 2, 3)).requires_grad_())


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
