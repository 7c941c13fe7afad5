"""Losses: a second softmax and what it costs."""

import math

import pytest
import torch

from hepatica.learn import cross_entropy_of_probabilities


def test_it_is_held_within_log_1_plus_e_to_the_minus_and_plus_one() -> None:
    sure = torch.tensor([[-50.0, 50.0]])
    right, wrong = torch.tensor([1]), torch.tensor([0])
    assert cross_entropy_of_probabilities(sure, right).item() == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-6)
    assert cross_entropy_of_probabilities(sure, wrong).item() == pytest.approx(math.log(1 + math.e), abs=1e-6)
