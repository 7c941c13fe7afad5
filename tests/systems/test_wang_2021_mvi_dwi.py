"""Wang 2021, diffusion-weighted: parameters and the supervised loss by hand, images that do not mix before fusion."""

import numpy as np
import pytest
import torch

from hepatica.systems.wang_2021_mvi_dwi import SYSTEM, build, supervised

# A network of one image: 1 to 16 and 16 to 32 filters of 3 x 3, 64 features of 32 maps of 7 x 7, a log-odds of its own.
ONE = (9 + 1) * 16 + (16 * 9 + 1) * 32 + (32 * 49 + 1) * 64 + 65
FUSED = 4 * 64 + 1


def test_parameters_counted_by_hand() -> None:
    with torch.device("meta"):
        network = build(SYSTEM.settings, pretrained=False)
        found = network.eval()(torch.empty(3, 4, 28, 28))
    assert sum(each.numel() for each in network.parameters()) == 4 * ONE + FUSED
    assert found.logits.shape == (3, 1)
    assert found.signature.shape == (3, 4 * 64)


def test_each_network_reads_one_image() -> None:
    network = build(SYSTEM.settings, pretrained=False)
    network.drop.p = 0.0
    images = torch.rand(2, 4, 28, 28)
    before = network.train()(images).logits
    assert before.shape == (2, 5)
    images[:, 3] = 0
    after = network(images).logits
    torch.testing.assert_close(after[:, 1:4], before[:, 1:4])
    assert not torch.allclose(after[:, [0, 4]], before[:, [0, 4]])


def test_supervised_loss_by_hand() -> None:
    """Fused: -ln s(0) = 0.6931 of the first, -ln(1 - s(1)) = 1.3133 of the second; alone 0.1269 and 0.6931."""
    logits, labels = torch.tensor([[0.0, 2.0], [1.0, 0.0]]), torch.tensor([1, 0])
    fused, alone = np.mean([0.6931, 1.3133]), np.mean([0.1269, 0.6931])
    assert supervised(logits, labels, weight=0.5).item() == pytest.approx(fused + 0.5 * alone, abs=1e-4)
    assert supervised(logits[:, :1], labels, weight=0.5).item() == pytest.approx(fused, abs=1e-4)
