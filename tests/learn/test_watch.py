import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from hepatica.cohort.errors import RunError
from hepatica.learn import Plan
from hepatica.learn import watch as timing
from hepatica.learn.watch import Watch


def watch(**plan: Any) -> Watch:
    plan = {"epochs": 10, "batch": 1, "learning_rate": 1.0, "lr_step_epochs": 2} | plan
    return Watch(plan=Plan(**plan), checkpoint=Path("unused"), label="fold 1")


def trainer_of(saves: list[object], **flags: Any) -> SimpleNamespace:
    """A trainer of one device and epochs of 20 steps; `saves` has an entry for each time that it saved."""
    own = {"should_stop": False, "num_training_batches": 20, "accumulate_grad_batches": 1} | flags
    strategy = SimpleNamespace(reduce_boolean_decision=lambda decision, all: decision)  # noqa: A006
    return SimpleNamespace(save_checkpoint=lambda *_, **__: saves.append(None), strategy=strategy, **own)


def follow(one: Watch, losses: list[float]) -> list[bool]:
    """Feed losses; the network's only weight is its epoch's number. Returns whether it asked to stop, each time."""
    asked = []
    for loss in losses:
        module = SimpleNamespace(network=nn.Linear(1, 1), end_epoch=lambda loss=loss: {"train_loss": loss})
        nn.init.constant_(module.network.weight, len(one.epochs))
        trainer = trainer_of([])
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


def saved_at(
    one: Watch, monkeypatch: pytest.MonkeyPatch, *, steps: int = 20, takes: float = 0.0, **trainer: Any
) -> list[int]:
    """After which steps of an epoch all was saved, a step taking 10 s by the clock and a save `takes`."""
    now, saves = [0.0], []
    monkeypatch.setattr(timing.time, "monotonic", lambda: now[0])

    def save(*_: Any, **__: Any) -> None:
        saves.append(step)
        now[0] += takes

    own = trainer_of([], num_training_batches=steps, **trainer)
    own.save_checkpoint = save
    one.on_train_start(own, own)  # type: ignore[arg-type]
    for step in range(1, steps + 1):
        now[0] += 10
        one.on_train_batch_end(own, own, None, None, step - 1)  # type: ignore[arg-type]
    return saves


def test_every_minute_is_saved_but_not_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    assert saved_at(watch(), monkeypatch) == [6, 12, 18]
    assert saved_at(watch(), monkeypatch, steps=6) == []


def test_a_save_that_takes_long_is_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    assert saved_at(watch(), monkeypatch, takes=2.0) == [6, 16]


def test_gradients_that_gather_are_not_cut_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert saved_at(watch(), monkeypatch, accumulate_grad_batches=4) == [8, 16]


def test_asked_to_end_it_ends_at_the_next_step_that_can_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    one, saves = watch(), []
    trainer = trainer_of(saves, accumulate_grad_batches=4)
    one.on_train_start(trainer, trainer)  # type: ignore[arg-type]
    one.ask()
    for step in range(1, 4):
        one.on_train_batch_end(trainer, trainer, None, None, step - 1)  # type: ignore[arg-type]
    assert not saves
    with pytest.raises(SystemExit) as ended:
        one.on_train_batch_end(trainer, trainer, None, None, 3)  # type: ignore[arg-type]
    assert (len(saves), ended.value.code) == (1, 143)


def test_asked_in_a_validation_it_ends_after_the_epoch_is_saved() -> None:
    one = watch()
    one.at_work = True
    one.ask()
    with pytest.raises(SystemExit):
        follow(one, [1.0])
    assert len(one.epochs) == 1


def test_before_and_after_the_steps_it_ends_at_once() -> None:
    one = watch()
    with pytest.raises(SystemExit):
        one.ask()
    one.on_train_start(trainer_of([]), None)  # type: ignore[arg-type]
    one.ask()
    one.on_train_end(None, None)  # type: ignore[arg-type]
    with pytest.raises(SystemExit):
        one.ask()


def test_while_it_trains_no_handler_but_its_own_answers() -> None:
    def own(*_: object) -> None: ...

    one, before = watch(), signal.signal(signal.SIGTERM, lambda *_: None)
    one.handler = own
    try:
        one.on_train_start(trainer_of([]), None)  # type: ignore[arg-type]
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)
