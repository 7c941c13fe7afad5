"""Losses: a second softmax and what it costs."""

import math

import pytest
import torch

from hepatica.cohort.errors import SettingsError
from hepatica.learn import cross_entropy_of_probabilities, smoothed_cross_entropy


def test_it_is_held_within_log_1_plus_e_to_the_minus_and_plus_one() -> None:
    sure = torch.tensor([[-50.0, 50.0]])
    right, wrong = torch.tensor([1]), torch.tensor([0])
    assert cross_entropy_of_probabilities(sure, right).item() == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-6)
    assert cross_entropy_of_probabilities(sure, wrong).item() == pytest.approx(math.log(1 + math.e), abs=1e-6)


def test_smoothing_spreads_a_share_of_the_label_evenly() -> None:
    # 0.95 of the true class and 0.05 of the other: -(0.95 log 0.8 + 0.05 log 0.2).
    logits = torch.tensor([[math.log(0.8), math.log(0.2)]])
    wanted = -(0.95 * math.log(0.8) + 0.05 * math.log(0.2))
    assert smoothed_cross_entropy(0.1)(logits, torch.tensor([0])).item() == pytest.approx(wanted)


def test_all_of_a_label_cannot_be_smoothed_away() -> None:
    with pytest.raises(SettingsError, match="label smoothing"):
        smoothed_cross_entropy(1.0)
