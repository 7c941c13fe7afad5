"""Side by side: each part answers as it does alone."""

import torch
from torch import nn

from hepatica.networks import Pooled, SideBySide


def test_each_part_answers_as_alone() -> None:
    parts = {name: Pooled(nn.Conv2d(3, 4, 3), channels=4) for name in ("one", "other")}
    images = torch.rand(2, 3, 6, 6)
    together = SideBySide(parts)(images)
    assert list(together) == ["one", "other"]
    for name, part in parts.items():
        torch.testing.assert_close(together[name], part(images))
    assert not torch.allclose(together["one"].logits, together["other"].logits)


def test_weights_are_named_by_part() -> None:
    network = SideBySide({"nodule": nn.Linear(2, 2)})
    assert set(network.state_dict()) == {"parts.nodule.weight", "parts.nodule.bias"}
