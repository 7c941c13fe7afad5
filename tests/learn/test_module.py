import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from hepatica.learn import Plan
from hepatica.learn.module import Learner

PLAN = Plan(epochs=30, batch=2, learning_rate=1e-4, betas=(0.9, 0.99), lr_step_epochs=10, lr_step_factor=0.1)


class Both(NamedTuple):
    logits: Tensor
    signature: Tensor


class TwoOutputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Both:
        return Both(self.linear(x), x)


def quiet(module: Learner) -> Learner:
    module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    return module


def test_an_untaught_networks_loss_is_the_logarithm_of_the_number_of_classes() -> None:
    network = nn.Linear(3, 4)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    module = quiet(Learner(network, plan=PLAN))
    assert module.training_step((torch.ones(5, 3), torch.arange(5) % 4), 0).item() == pytest.approx(math.log(4))


def test_the_first_of_several_outputs_is_the_logits() -> None:
    network = TwoOutputs()
    batch = (torch.ones(5, 3), torch.zeros(5, dtype=torch.int64))
    both = quiet(Learner(network, plan=PLAN)).training_step(batch, 0)
    one = quiet(Learner(network.linear, plan=PLAN)).training_step(batch, 0)
    assert torch.equal(both, one)


def test_targets_have_a_loss_and_no_accuracy() -> None:
    noted: dict[str, Tensor] = {}
    network = nn.Linear(3, 2)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    module = Learner(network, plan=PLAN, loss=nn.functional.mse_loss)
    module.log_dict = lambda means, **_: noted.update(means)  # type: ignore[method-assign]
    module.validation_step((torch.ones(5, 3), torch.full((5, 2), 2.0)), 0)
    assert {name: float(value.detach()) for name, value in noted.items()} == {"validation_loss": 4.0}


def test_training_is_augmented_and_validation_is_not() -> None:
    seen: list[Tensor] = []

    def spoil(images: Tensor) -> Tensor:
        seen.append(images)
        return images * 0

    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    module = quiet(Learner(network, plan=PLAN, augment=spoil))
    batch = (torch.full((3, 2, 2, 3), 255, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64))
    module.validation_step(batch, 0)
    assert not seen
    module.training_step(batch, 0)
    assert torch.equal(seen[0], torch.ones(3, 3, 2, 2))


def test_adam_as_planned_its_rate_falling_in_steps() -> None:
    (adam,), (steps,) = Learner(nn.Linear(1, 1), plan=PLAN).configure_optimizers()
    assert adam.defaults["betas"] == (0.9, 0.99)
    rates = []
    for _ in range(30):
        rates.append(steps.get_last_lr()[0])
        adam.step()
        steps.step()
    assert rates == pytest.approx([1e-4] * 10 + [1e-5] * 10 + [1e-6] * 10)


def test_frozen_layers_are_left_out() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    network[0].requires_grad_(False)
    (adam,), _ = Learner(network, plan=PLAN).configure_optimizers()
    assert len(adam.param_groups[0]["params"]) == 2


def test_mixup_blends_training_and_not_validation() -> None:
    seen: list[Tensor] = []

    class Seeing(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x)
            return super().forward(x)

    torch.manual_seed(0)
    module = quiet(Learner(Seeing(4, 4), plan=Plan(epochs=1, batch=4, learning_rate=1.0, mixup=1.0)))
    batch = (torch.eye(4), torch.arange(4))
    module.training_step(batch, 0)
    module.validation_step(batch, 0)
    assert not torch.equal(seen[0], batch[0])
    assert torch.equal(seen[1], batch[0])


def test_the_rate_warms_up_and_falls_along_a_cosine() -> None:
    plan = Plan(
        epochs=4,
        batch=128,
        learning_rate=0.2,
        learning_rate_batch=256,
        optimizer="sgd",
        schedule="cosine",
        warmup_epochs=1,
    )
    (descent,), (share,) = Learner(nn.Linear(1, 1), plan=plan).configure_optimizers()
    rates = []
    for _ in range(4):
        rates.append(share.get_last_lr()[0])
        descent.step()
        share.step()
    assert rates == pytest.approx([0.05, 0.1, 0.075, 0.025])
