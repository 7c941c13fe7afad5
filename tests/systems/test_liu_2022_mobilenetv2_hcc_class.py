import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hepatica.cohort import CohortError, Months, TimeToEvent, distinct_outcomes
from hepatica.networks import NoisyAnd, backbone, widened
from hepatica.protocol import override
from hepatica.systems.liu_2022_mobilenetv2_hcc_class import SYSTEM, Tiles, build

# MobileNetV2 without its classifier (Sandler 2018): torchvision's 3,504,872 less 1280 x 1000 + 1000.
MOBILENET = 3_504_872 - 1_281_000
# The fourth channel of the first convolution: 32 kernels of 3 x 3.
FOURTH = 32 * 9
# U-Net of 8 channels and four levels, as in tests/networks/test_unet.py.
BLOCKS = ((3, 8), (8, 16), (16, 32), (32, 64), (96, 32), (48, 16), (24, 8))
UNET = sum(9 * a * b + 9 * b * b + 4 * b for a, b in BLOCKS) + 8 * 2 + 2
# Noisy-AND of 8 concepts: detector, thresholds, slope, classifier.
NOISY = 1280 * 8 + 8 + 8 + 1 + 8 + 1
SMALL = override(SYSTEM.quick, {"nuclei_width": 2, "body": "mobilenetv2_035", "body_shape": {}})


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, MOBILENET + FOURTH + UNET + NOISY),
        ({"nuclear": "none"}, MOBILENET + NOISY),
        ({"nuclear": "multiplied"}, MOBILENET + UNET + NOISY),
        ({"nuclear": "branches"}, 2 * MOBILENET - 2 * FOURTH + UNET + NOISY + 1280 * 8),
        ({"pool": "mean"}, MOBILENET + FOURTH + UNET + 1281),
        ({"pool": "top_k"}, MOBILENET + FOURTH + UNET + 1281),
        ({"pool": "attention"}, MOBILENET + FOURTH + UNET + 1280 * 128 + 128 + 129 + 1281),
    ],
)
def test_parameters_counted_by_hand_and_one_answer_a_bag(changes: dict, count: int) -> None:
    settings = override(SYSTEM.settings, {"weights": "random"} | changes)
    with torch.device("meta"):
        network = build(settings, pretrained=False)
    assert sum(each.numel() for each in network.parameters()) == count


def test_a_bag_of_tiles_gets_one_log_odds_and_padding_changes_nothing() -> None:
    network = build(SMALL, pretrained=False).eval()
    tiles = torch.rand(1, 3, 3, 64, 64)
    padded = torch.cat([tiles, torch.zeros(1, 2, 3, 64, 64)], dim=1)
    with torch.inference_mode():
        one = network({"rows": tiles, "mask": torch.ones(1, 3)})
        other = network({"rows": padded, "mask": torch.tensor([[1.0, 1, 1, 0, 0]])})
        alone = network(tiles[0])
    assert one.logits.shape == (1, 1)
    torch.testing.assert_close(one.logits, other.logits)
    assert alone.logits.shape == (3, 1)


def test_noisy_and_of_a_bag_computed_by_hand() -> None:
    """Shares .25 and .5 with slope 10, threshold .5: (s(-2.5) - s(-5)) / (s(5) - s(-5)) = .0702, and .5."""
    judge = NoisyAnd(2, outputs=1, slope=10.0)
    found = judge.pool(torch.tensor([[0.25], [0.5], [0.0], [1.0]]))[:, 0]
    s = torch.sigmoid
    by_hand = (s(torch.tensor(-2.5)) - s(torch.tensor(-5.0))) / (s(torch.tensor(5.0)) - s(torch.tensor(-5.0)))
    assert float(by_hand) == pytest.approx(0.0701, abs=1e-4)
    assert found.tolist() == pytest.approx([float(by_hand), 0.5, 0, 1], abs=1e-6)


def test_fourth_channel_keeps_the_colours_and_starts_from_their_mean() -> None:
    torch.manual_seed(0)
    body = backbone("mobilenetv2_035")
    before = next(each for each in body.modules() if isinstance(each, nn.Conv2d)).weight.detach().clone()
    first = next(each for each in widened(body).modules() if isinstance(each, nn.Conv2d))
    torch.testing.assert_close(first.weight[:, :3], before)
    torch.testing.assert_close(first.weight[:, 3], before.mean(dim=1))


class _Half(nn.Module):
    """A nuclear map: nuclei on the left half, for certain."""

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        maps = torch.full((len(tiles), 2, *tiles.shape[-2:]), -100.0)
        maps[..., : tiles.shape[-1] // 2] = 100.0
        return maps


class _Never(nn.Module):
    """A U-Net that is not to be asked."""


class _Kept(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen = images
        return images


@pytest.mark.parametrize(("nuclear", "channels"), [("channel", 4), ("multiplied", 3)])
def test_the_map_joins_the_tile_as_asked(nuclear: str, channels: int) -> None:
    body = _Kept()
    tiles = torch.rand(2, 3, 8, 8)
    features = Tiles(body, nuclear=nuclear, nuclei=_Half())(tiles)
    assert features.shape == (2, channels)
    if nuclear == "channel":
        assert body.seen[0, 3, 0].tolist() == [1.0] * 4 + [-1.0] * 4
    else:
        black = Tiles(body, nuclear="none", nuclei=None).normalise(torch.zeros(1, 3, 8, 8))
        torch.testing.assert_close(body.seen[:, :, :, 4:], black.expand(2, 3, 8, 8)[..., 4:])


@pytest.mark.parametrize("nuclear", ["channel", "branches", "multiplied"])
def test_a_tile_that_brings_its_map_is_read_as_one_whose_map_is_drawn(nuclear: str) -> None:
    tiles, share = torch.rand(2, 3, 8, 8), (torch.arange(8) < 4).float().expand(2, 1, 8, 8)
    drawn, given = (Tiles(_Kept(), nuclear=nuclear, nuclei=nuclei, branch=_Kept()) for nuclei in (_Half(), _Never()))
    torch.testing.assert_close(given(torch.cat([tiles, share], dim=1)), drawn(tiles))


def test_the_unet_learns_nothing_from_outcomes() -> None:
    network = build(SMALL, pretrained=False).train()
    assert not network.embed.nuclei.training
    network({"rows": torch.rand(2, 2, 3, 64, 64), "mask": torch.ones(2, 2)}).logits.sum().backward()
    assert all(each.grad is None for each in network.embed.nuclei.parameters())
    assert network.embed.body.conv_stem.weight.grad.abs().sum() > 0


def test_distinct_outcomes_by_hand() -> None:
    endpoint = TimeToEvent(name="recurrence", time="t", event="e")
    table = pd.DataFrame({"t": [6, 12, 20, 36, 40, 30, 50], "e": [1, 1, 1, 0, 1, 0, 2]})
    found = distinct_outcomes(table, endpoint=endpoint, poor=Months(12), good=Months(36))
    np.testing.assert_array_equal(found, [1, 1, np.nan, 0, 0, np.nan, 0])
    with pytest.raises(CohortError, match="wanted good at poor or later"):
        distinct_outcomes(table, endpoint=endpoint, poor=Months(12), good=Months(6))
