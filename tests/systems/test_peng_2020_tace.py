"""Peng 2020: size of the network, what stays fixed, and objective response of patches and patients by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from hepatica.protocol import Inference, override
from hepatica.protocol.plain import scored
from hepatica.systems import peng_2020_tace
from hepatica.systems.peng_2020_tace import CLASSES, SYSTEM


def test_parameters_and_shape() -> None:
    """ResNet-50 has 25,557,032 (torchvision), 2,049 of them a class."""
    with torch.device("meta"):
        network = SYSTEM.build(SYSTEM.settings, pretrained=False)
        assert network(torch.zeros(2, 1, 224, 224)).logits.shape == (2, 4)
    assert sum(each.numel() for each in network.parameters()) == 25_557_032 - 996 * 2049


def test_the_first_layers_are_kept_of_pretrained_weights_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = peng_2020_tace.pooled
    monkeypatch.setattr(
        peng_2020_tace, "pooled", lambda settings, *, pretrained, outputs: drawn(settings, pretrained=False, outputs=4)
    )
    small = override(SYSTEM.quick, {"weights": "imagenet"})
    fixed = {name for name, each in SYSTEM.build(small, pretrained=True).named_parameters() if not each.requires_grad}
    assert {name.split(".")[1] for name in fixed} == {"conv1", "bn1", "layer1"}
    again = SYSTEM.build(replace(small, weights="random"), pretrained=True)
    assert all(each.requires_grad for each in again.parameters())


def test_objective_response_is_the_sum_of_two_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: two patients, two patches of each."""
    patches = np.array([[0.1, 0.2, 0.3, 0.4], [0.3, 0.4, 0.2, 0.1], [0.0, 0.1, 0.9, 0.0], [0.5, 0.5, 0.0, 0.0]])
    owner = pd.DataFrame({"patient_id": ["a", "b"], "specimen_id": ["1", "2"]})
    four = SYSTEM.tasks(SYSTEM.settings)[0]
    found = Inference(
        specimens=scored(owner, np.stack([patches[:2].mean(0), patches[2:].mean(0)]), task=four),
        regions=pd.DataFrame({f"probability_{name}": patches[:, k] for k, name in enumerate(CLASSES)}),
        signatures=np.zeros((4, 1), np.float32),
    )
    monkeypatch.setattr(peng_2020_tace, "infer_lesions", lambda *_: found)
    read = peng_2020_tace.predict(None, None, SYSTEM.settings)
    assert read.regions["score"].tolist() == pytest.approx([0.3, 0.7, 0.1, 1.0])
    binary = read.specimens[read.specimens["endpoint"] == "response"]
    assert binary["score"].tolist() == pytest.approx([0.5, 0.55])
    assert len(read.specimens) == 2 * 4 + 2
