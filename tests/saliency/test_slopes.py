import torch
from torch import nn

from hepatica.saliency import slopes


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2))


def test_slopes_of_a_linear_answer_are_its_weights() -> None:
    layers, images = network(), torch.rand(2, 3, 4, 4)
    features, slope = slopes(layers, images, layer=layers[1], target=1)
    torch.testing.assert_close(features, layers[1](layers[0](images)))
    torch.testing.assert_close(slope, layers[2].weight[1].expand(2, 16))


def test_products_with_the_features_add_up_to_a_linear_answer() -> None:
    layers, images = network(), torch.rand(2, 3, 4, 4)
    features, slope = slopes(layers, images, layer=layers[0], target=lambda answer: answer[:, 0])
    torch.testing.assert_close((features * slope).sum((1, 2, 3)), layers(images)[:, 0] - layers[2].bias[0])


def test_arrange_turns_both() -> None:
    layers, images = network(), torch.rand(2, 3, 4, 4)
    plain = slopes(layers, images, layer=layers[0], target=0)
    turned = slopes(layers, images, layer=layers[0], target=0, arrange=lambda each: each.mT)
    for one, other in zip(plain, turned, strict=True):
        assert torch.equal(one.mT, other)
