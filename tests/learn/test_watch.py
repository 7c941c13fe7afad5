from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from hepatica.cohort.errors import RunError
from hepatica.learn import Plan
from hepatica.learn.watch import Watch


def watch(**plan: Any) -> Watch:
    plan = {"epochs": 10, "batch": 1, "learning_rate": 1.0, "lr_step_epochs": 2} | plan
    return Watch(plan=Plan(**plan), checkpoint=Path("unused"), label="fold 1")


def follow(one: Watch, losses: list[float]) -> list[bool]:
    """Feed losses; the network's only weight is its epoch's number. Returns whether it asked to stop, each time."""
    asked = []
    module = SimpleNamespace(network=nn.Linear(1, 1))
    for loss in losses:
        nn.init.constant_(module.network.weight, len(one.epochs))
        metrics = {"train_loss": torch.tensor(loss)}
        trainer = SimpleNamespace(callback_metrics=metrics, should_stop=False, save_checkpoint=lambda *_, **__: None)
        one.on_train_epoch_end(trainer, module)  # type: ignore[arg-type]
        asked.append(trainer.should_stop)
    return asked


def test_patience_counts_epochs_without_a_lower_loss() -> None:
    one = watch(patience=2)
    assert follow(one, [3.0, 2.0, 2.0, 1.0, 1.5, 1.0]) == [False, False, False, False, False, True]
    assert one.history().best == 3
    assert one.history().stopped_early
    assert one.best_weights["weight"].item() == 3


def test_no_patience_goes_to_the_end() -> None:
    one = watch(epochs=4)
    assert follow(one, [1.0, 2.0, 3.0, 4.0]) == [False, False, False, True]
    assert not one.history().stopped_early


def test_the_learning_rates_are_those_of_each_epoch() -> None:
    one = watch(lr_step_factor=0.5)
    follow(one, [1.0] * 5)
    assert [epoch.learning_rate for epoch in one.history().epochs] == [1, 1, 0.5, 0.5, 0.25]


def test_state_goes_over_to_another_watch() -> None:
    one, other = watch(patience=2), watch(patience=2)
    follow(one, [1.0, 2.0])
    other.load_state_dict(one.state_dict())
    assert other.history() == one.history()
    assert follow(other, [3.0]) == [True]


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_names_the_fit_and_the_epoch(loss: float) -> None:
    with pytest.raises(RunError, match=f"fold 1: train_loss became {loss} in epoch 2"):
        follow(watch(), [1.0, loss])
