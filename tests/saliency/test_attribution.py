"""Attribution: exact for a linear model, complete for any, nothing for what is missing."""

import numpy as np
import pytest
import torch

from hepatica.networks import Tabular
from hepatica.saliency import integrated_gradients

VALUES = np.array([[1.0, 2.0, -1.0], [0.5, np.nan, 3.0]], np.float32)


def test_linear_model_gives_weight_times_distance() -> None:
    network = torch.nn.Linear(3, 1)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[2.0, -1.0, 0.5]]))
    found = integrated_gradients(
        network, VALUES[:1], baseline=np.array([0.0, 1.0, 1.0]), target=lambda read: read[:, 0], steps=3
    )
    assert found[0].tolist() == pytest.approx([2, -1, -1])


def test_sum_is_what_the_score_has_moved_by_and_the_network_is_as_it_was() -> None:
    torch.manual_seed(0)
    network = Tabular(3, outputs=1, hidden=(16, 16), blocks=2).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    baseline = np.array([0.2, -0.3, 0.4], np.float32)
    found = integrated_gradients(network, VALUES, baseline=baseline, target=lambda read: read.logits[:, 0], steps=400)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    network.eval()
    begin = np.where(np.isnan(VALUES), VALUES, baseline)
    with torch.no_grad():
        ends = [network(torch.from_numpy(each)).logits[:, 0].numpy() for each in (VALUES, begin)]
    assert found.sum(axis=1) == pytest.approx(ends[0] - ends[1], abs=2e-3)
    assert found[1, 1] == 0
