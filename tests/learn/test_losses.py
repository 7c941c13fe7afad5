"""Losses: a second softmax and what it costs; estimates against their likelihood and their bound."""

import math

import pytest
import torch

from hepatica.cohort.errors import SettingsError
from hepatica.learn import (
    bound_normalised_error,
    cross_entropy_of_probabilities,
    discrete_risk,
    discrete_time_loss,
    gaussian_nll,
    likelihood_and_bound,
    segmentation_loss,
    smoothed_cross_entropy,
)


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


def targets(values: list[float], bounds: list[float]) -> torch.Tensor:
    return torch.stack([torch.tensor([values]), torch.tensor([bounds])], dim=-1)


def test_likelihood_is_that_of_a_normal_distribution() -> None:
    estimates = torch.tensor([[[1.0, math.log(4.0)], [-1.0, 0.0]]])
    wanted = -torch.distributions.Normal(torch.tensor([1.0, -1.0]), torch.tensor([2.0, 1.0])).log_prob(
        torch.tensor([3.0, 0.5])
    )
    found = gaussian_nll(estimates, targets([3.0, 0.5], [1.0, 1.0])) + math.log(2 * math.pi) / 2
    assert found.item() == pytest.approx(wanted.mean().item(), rel=1e-6)


def test_an_efficient_estimator_has_a_normalised_error_of_1_whatever_its_bounds() -> None:
    torch.manual_seed(0)
    truth, bounds = torch.randn(20_000, 2), torch.tensor([0.01, 3.0]).expand(20_000, 2)
    estimates = torch.stack([truth + bounds * torch.randn(20_000, 2), torch.zeros(20_000, 2)], dim=-1)
    found = bound_normalised_error(estimates, torch.stack([truth, bounds], dim=-1), most=100.0)
    assert found.item() == pytest.approx(1.0, abs=0.03)


def test_large_errors_count_in_proportion() -> None:
    estimates = torch.tensor([[[3.0, 0.0]]], requires_grad=True)
    loss = bound_normalised_error(estimates, targets([0.0], [0.1]), most=5.0)
    assert loss.item() == pytest.approx(5 * (2 * 30 - 5))
    loss.backward()
    assert estimates.grad is not None
    assert estimates.grad[0, 0, 0].item() == pytest.approx(2 * 5 / 0.1)


def test_both_are_added_by_their_share() -> None:
    estimates, wanted = torch.tensor([[[1.0, 0.3]]]), targets([0.4], [0.5])
    alone = gaussian_nll(estimates, wanted)
    both = likelihood_and_bound(share=0.5, most=5.0)(estimates, wanted)
    assert (both - alone).item() == pytest.approx(0.25 * (0.6 / 0.5) ** 2)


@pytest.mark.parametrize(("share", "most"), [(-0.1, 1.0), (1.0, 0.0)])
def test_a_share_below_0_and_no_bound_at_all_are_refused(share: float, most: float) -> None:
    with pytest.raises(SettingsError, match="wanted 0 or more"):
        likelihood_and_bound(share=share, most=most)


def test_discrete_time_by_hand() -> None:
    """Hazards 1/2, 1/4 and 1/5 in the intervals to 12, 24 and 36 months. Event at 20: survived one, fell in the next.
    Seen without one until 25: survived two. Event at 12: fell in the first. Event at 40: survived all three.
    """
    hazards = torch.tensor([[1 / 2, 1 / 4, 1 / 5]]).expand(4, 3)
    outcomes = torch.tensor([[20.0, 1], [25, 0], [12, 1], [40, 1]])
    likelihood = [1 / 2 * 1 / 4, 1 / 2 * 3 / 4, 1 / 2, 1 / 2 * 3 / 4 * 4 / 5]
    loss = discrete_time_loss((12, 24, 36))
    wanted = -sum(map(math.log, likelihood)) / 4
    assert loss(hazards.logit(), outcomes).item() == pytest.approx(wanted, rel=1e-6)


def test_discrete_risk_is_less_the_longer_the_survival_expected() -> None:
    hazards = torch.tensor([[1 / 2, 1 / 4], [1 / 4, 1 / 4]])
    wanted = [-(1 / 2 + 1 / 2 * 3 / 4), -(3 / 4 + 9 / 16)]
    assert discrete_risk(hazards.logit()).tolist() == pytest.approx(wanted)


@pytest.mark.parametrize("ends", [(), (12, 12), (24, 12), (0, 12)])
def test_intervals_rise(ends: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError, match="that rise"):
        discrete_time_loss(ends)


def test_several_classes_are_learnt_by_weighted_cross_entropy_and_dice() -> None:
    """Two pixels, three classes, by hand: the first is right with 1/2, the second, of class 2, has 1/4."""
    logits = torch.tensor([[0.5, 0.5], [0.25, 0.25], [0.25, 0.25]]).log()[None]
    labels = torch.tensor([[0.0, 2.0]])
    weighted = (1 * math.log(2) + 3 * math.log(4)) / 4
    assert segmentation_loss(weights=(1, 1, 3), dice=0)(logits, labels).item() == pytest.approx(weighted)
    of_dice = ((2 * 0 + 1) / (0.5 + 0 + 1) + (2 * 0.25 + 1) / (0.5 + 1 + 1)) / 2
    plain = (math.log(2) + math.log(4)) / 2
    assert segmentation_loss(dice=2)(logits, labels).item() == pytest.approx(plain + 2 * (1 - of_dice))
    with pytest.raises(SettingsError, match="wanted 0 or more"):
        segmentation_loss(dice=-1)
