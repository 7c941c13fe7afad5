import pytest
import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from hepatica.networks import IMAGENET_MEAN, IMAGENET_SD, Normalise


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
