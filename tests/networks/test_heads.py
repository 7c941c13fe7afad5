"""Heads: the mean of the feature map and one layer, perceptrons, and networks of several parts."""

import math

import pytest
import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import nn

from hepatica.networks import (
    IMAGENET_MEAN,
    IMAGENET_SD,
    GridCrf,
    GridNetwork,
    Normalise,
    Pooled,
    Reading,
    SideBySide,
    TwoStage,
    perceptron,
)


def test_is_the_linear_layer_of_the_mean() -> None:
    body = nn.Identity()
    network = Pooled(body, channels=3)
    images = torch.rand(4, 3, 5, 6)
    mean = Normalise()(images).mean(dim=(2, 3))
    torch.testing.assert_close(network(images), Reading(network.classify(mean), mean))


def test_does_not_see_where_things_are() -> None:
    network = Pooled(nn.Identity(), channels=3)
    images = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(network(images), network(images.flip(-1)))


def test_constants_are_timms() -> None:
    assert IMAGENET_MEAN == IMAGENET_DEFAULT_MEAN
    assert IMAGENET_SD == IMAGENET_DEFAULT_STD


def test_the_mean_colour_becomes_zero_and_white_its_distance_in_standard_deviations() -> None:
    mean = torch.tensor(IMAGENET_MEAN)[None, :, None, None].expand(2, 3, 4, 5)
    assert torch.equal(Normalise()(mean), torch.zeros(2, 3, 4, 5))
    white = Normalise()(torch.ones(1, 3, 1, 1))
    assert white.flatten().tolist() == pytest.approx([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])


def test_it_adds_nothing_to_the_weights() -> None:
    assert not Normalise().state_dict()
    assert not list(Normalise().parameters())


def test_prognostic_network_of_paper_001_has_66_946_parameters() -> None:
    network = perceptron((128, 256, 128, 2), dropout=0.5)
    assert sum(each.numel() for each in network.parameters()) == 66_946


def test_ends_in_logits_of_any_sign() -> None:
    torch.manual_seed(0)
    logits = perceptron((8, 16, 2), dropout=0.5).eval()(torch.randn(100, 8))
    assert logits.shape == (100, 2)
    assert logits.min() < 0 < logits.max()


def test_each_part_answers_as_alone() -> None:
    parts = {name: Pooled(nn.Conv2d(3, 4, 3), channels=4) for name in ("one", "other")}
    images = torch.rand(2, 3, 6, 6)
    together = SideBySide(parts)(images)
    assert list(together) == ["one", "other"]
    for name, part in parts.items():
        torch.testing.assert_close(together[name], part(images))
    assert not torch.allclose(together["one"].logits, together["other"].logits)


def test_weights_are_named_by_part() -> None:
    network = SideBySide({"nodule": nn.Linear(2, 2)})
    assert set(network.state_dict()) == {"parts.nodule.weight", "parts.nodule.bias"}


def test_state_holds_extractor_and_every_head() -> None:
    network = TwoStage(nn.Linear(3, 2), {"one": nn.Linear(2, 1), "two": nn.Linear(2, 1)})
    assert {name.rpartition(".")[0] for name in network.state_dict()} == {"extractor", "heads.one", "heads.two"}


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
