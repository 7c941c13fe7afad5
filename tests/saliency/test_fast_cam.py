import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from hepatica.saliency import fast_cam, grad_cam, smoe


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    body: nn.Module = timm.create_model("resnet34", num_classes=2, channels=(8, 16, 32, 64))
    return body


@pytest.fixture
def images() -> Tensor:
    return torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def test_it_is_the_product_of_its_two_maps_from_one_pass(network, images) -> None:
    passes = []
    hook = network.conv1.register_forward_hook(lambda *_: passes.append(1))
    found = fast_cam(network, images, layer=network.layer4, target=1, weights=[1, 1, 2, 2, 4])
    hook.remove()
    assert len(passes) == 1
    weighted = smoe(network, images, weights=[1, 1, 2, 2, 4])
    np.testing.assert_allclose(found, weighted * grad_cam(network, images, layer=network.layer4, target=1), atol=1e-5)
    assert found.dtype == np.float32
    assert found.any()


def test_no_evidence_is_no_map(network, images) -> None:
    nn.init.zeros_(network.fc.weight)
    assert not fast_cam(network, images, layer=network.layer4, target=0).any()
