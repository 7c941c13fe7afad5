"""Fresh: every epoch has samples of its own, the same ones whatever the batches."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from hepatica.cohort.errors import RunError
from hepatica.learn import Fresh, Plan
from hepatica.learn.fit import fit
from hepatica.learn.fresh import Onward

PLAN = Plan(epochs=3, batch=4, learning_rate=1e-2)


class Made:
    """Vectors of two numbers drawn by their number alone, their sum as target; notes what was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append(numbers.tolist())
        values = np.stack([np.random.default_rng(number).normal(size=2) for number in numbers]).astype(np.float32)
        return values, values.sum(axis=1, keepdims=True)


def fitted(folder: Path, made: Made, *, plan: Plan = PLAN, name: str = "sums") -> nn.Module:
    torch.manual_seed(0)
    network = nn.Linear(2, 1)
    samples = Fresh(make=made, count=10, name=name)
    fit(network, samples, plan, folder=folder, label="sums", loss=mse_loss, trainer={"accelerator": "cpu"})
    return network


def test_no_sample_is_seen_twice_and_all_are_seen_in_order(tmp_path: Path) -> None:
    made = Made()
    fitted(tmp_path, made)
    assert [number for batch in made.asked for number in batch] == list(range(30))
    assert [len(batch) for batch in made.asked] == [4, 4, 2] * 3


def test_a_training_taken_up_again_goes_on_with_the_samples_that_are_due(tmp_path: Path) -> None:
    def stops(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if numbers[0] >= 14:
            raise KeyboardInterrupt
        return Made()(numbers)

    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path / "stopped", stops)
    made = Made()
    again = fitted(tmp_path / "stopped", made)
    assert made.asked[0] == [10, 11, 12, 13]
    whole = fitted(tmp_path / "whole", Made())
    assert torch.equal(again.weight, whole.weight)


def test_samples_of_another_name_are_another_training(tmp_path: Path) -> None:
    fitted(tmp_path, Made())
    with pytest.raises(RunError, match="labels"):
        fitted(tmp_path, Made(), name="other sums")


def test_a_sample_alone_is_that_of_a_batch() -> None:
    samples = Fresh(make=Made(), count=5, name="sums")
    inputs, targets = samples.__getitems__([7, 3])
    assert torch.equal(samples[3][0][0], inputs[1])
    assert targets.dtype == torch.float32
    assert len(samples) == 5


def test_numbers_go_on_from_epoch_to_epoch() -> None:
    order = Onward(3)
    assert list(order) == [0, 1, 2]
    order.set_epoch(2)
    assert list(order) == [6, 7, 8]
    assert len(order) == 3
