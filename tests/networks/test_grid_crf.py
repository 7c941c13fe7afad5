"""Grid CRF: two patches by hand, absent patches, and weights that begin at 0."""

import math

import pytest
import torch
from torch import nn

from hepatica.networks import GridCrf, GridNetwork, Pooled

FEATURES = torch.tensor([[[2.0, 0.0], [3.0, 4.0]]])  # cosine 0.6
OWN = torch.tensor([[0.0, math.log(3)]])  # probabilities 0.5 and 0.75


def crf(*, rounds: int) -> GridCrf:
    field = GridCrf(2, rounds=rounds)
    field.weight.data = torch.tensor([[0.0, 1.0], [3.0, 0.0]])  # symmetric: 2
    return field


@pytest.mark.parametrize(
    ("rounds", "first", "second"),
    [
        (1, 1.2 * (2 * 0.75 - 1), math.log(3) + 1.2 * (2 * 0.5 - 1)),
        (2, 1.2 * (2 * 0.75 - 1), math.log(3) + 1.2 * math.tanh(0.6 / 2)),  # 2 s(x) - 1 = tanh(x / 2)
    ],
)
def test_two_patches_by_hand(rounds: int, first: float, second: float) -> None:
    found = crf(rounds=rounds)(FEATURES, OWN, torch.ones(1, 2))
    assert found[0].tolist() == pytest.approx([first, second])


def test_a_patch_is_its_own_neighbour_as_in_the_released_code() -> None:
    field = crf(rounds=1)
    field.weight.data = torch.eye(2)
    assert field(FEATURES, OWN, torch.ones(1, 2))[0].tolist() == pytest.approx([0.0, math.log(3) + 0.5])


def test_an_absent_patch_says_nothing() -> None:
    assert crf(rounds=3)(FEATURES, OWN, torch.tensor([[1.0, 0.0]]))[0, 0] == 0


def test_at_first_each_patch_stands_alone() -> None:
    assert torch.equal(GridCrf(2)(FEATURES, OWN, torch.ones(1, 2)), OWN)


def test_a_grid_of_images_gives_a_logit_each() -> None:
    torch.manual_seed(0)
    alone = Pooled(nn.Conv2d(3, 4, 3), channels=4, classes=1)
    images = torch.rand(2, 9, 3, 8, 8)
    found = GridNetwork(alone, GridCrf())({"rows": images, "mask": torch.ones(2, 9)})
    assert found.shape == (2, 9)
    assert torch.allclose(found[1, 4], alone(images[1, 4:5]).logits[0, 0], atol=1e-6)
