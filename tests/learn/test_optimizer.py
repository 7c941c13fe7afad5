import pytest
import torch
from torch import nn

from hepatica.learn import Plan
from hepatica.learn.optimizer import optimizer

PAPER = Plan(
    epochs=120, batch=64, learning_rate=0.2, learning_rate_batch=256, optimizer="sgd", weight_decay=1e-4, momentum=0.9
)


def test_kernels_and_matrices_are_held_near_zero_and_nothing_else() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))
    groups = optimizer(network, plan=PAPER).param_groups
    decay = {id(each): group["weight_decay"] for group in groups for each in group["params"]}
    found = {name: decay[id(each)] for name, each in network.named_parameters()}
    none = dict.fromkeys(["0.bias", "1.weight", "1.bias", "3.bias"], 0.0)
    assert found == {"0.weight": 1e-4, "3.weight": 1e-4} | none


def test_two_steps_of_gradient_descent_with_momentum_by_hand() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    plan = Plan(epochs=1, batch=1, learning_rate=0.1, optimizer="sgd", momentum=0.9, weight_decay=0.5)
    descent = optimizer(network, plan=plan)
    # Step 1: 2 + 0.5 * 1 = 2.5. Step 2: 0.9 * 2.5 + 2 + 0.5 * 0.75 = 4.625.
    for wanted in (1 - 0.25, 0.75 - 0.4625):
        descent.zero_grad()
        (2 * network.weight.sum()).backward()
        descent.step()
        assert network.weight.item() == pytest.approx(wanted)


def test_without_decay_all_weights_are_one_group_of_adams() -> None:
    plan = Plan(epochs=1, batch=1, learning_rate=1e-3)
    adam = optimizer(nn.Linear(2, 2), plan=plan)
    assert isinstance(adam, torch.optim.Adam)
    assert [group["lr"] for group in adam.param_groups] == [1e-3]


def test_the_rate_follows_the_batch() -> None:
    assert optimizer(nn.Linear(1, 1), plan=PAPER).param_groups[0]["lr"] == pytest.approx(0.05)
