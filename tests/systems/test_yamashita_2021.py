"""HCC-SurvNet: sizes of both networks by hand, which tiles are read, and the mean of them over a patient's slides."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hepatica.networks import Reading, SideBySide
from hepatica.pathology.store import TileStore
from hepatica.systems.yamashita_2021 import SYSTEM, TumourNet, predict, tumour_tiles


def count(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_both_networks_have_the_size_counted_by_hand() -> None:
    with torch.device("meta"):
        parts = SYSTEM.build(SYSTEM.settings, pretrained=False).parts
        images = torch.zeros(2, 3, 299, 299)
    convolutions = (
        5 * 5 * 3 * 16 + 16,
        *(9 * a * b + b for a, b in ((16, 32), (32, 64), (64, 64), (64, 128), (128, 64))),
    )
    norms = 2 * (16 + 32 + 64 + 64 + 128 + 64)
    assert count(parts["tumour"]) == sum(convolutions) + norms + 5184 * 2 + 2 == 220_034  # 5184 as in the released code
    assert count(parts["risk"]) == 2_223_872 + 1281  # MobileNetV2 without its classifier, and one linear unit
    assert parts["tumour"](images).shape == (2, 2)
    assert parts["risk"](images).logits.shape == (2, 1)


@pytest.mark.parametrize("side", [64, 128, 224, 299])
def test_the_tumour_network_reads_tiles_of_any_side(side: int) -> None:
    with torch.device("meta"):
        assert TumourNet(side, dropout=0.1).eval()(torch.zeros(1, 3, side, side)).shape == (1, 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tiles(TileStore):
    """Tiles of one pixel whose red is their number, times 10."""

    def read(self, indices: np.ndarray) -> np.ndarray:
        red = self.index["tile"].to_numpy(np.uint8)[indices] * 10
        return np.stack([red, 0 * red, 0 * red], axis=-1)[:, None, None]


class Red(nn.Module):
    """Two logits, of which the second is the red of an image; or the red as a risk."""

    def __init__(self, *, risk: bool) -> None:
        super().__init__()
        self.risk = risk
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> object:
        red = images[:, :1, 0, 0] * 25.5
        return Reading(red, red) if self.risk else torch.cat([0 * red, red], dim=1)


TILES = Tiles(
    folder=None, side=1, specimens=pd.DataFrame(), failures=pd.DataFrame(),
    index=pd.DataFrame(
        {"patient_id": list("aaaab"), "specimen_id": ["s", "s", "t", "t", "u"], "tile": [1, 4, 3, 0, 2]}),
)  # fmt: skip
SETTINGS = replace(SYSTEM.settings, tiles_read=2)


def test_the_likeliest_tumour_tiles_of_a_patient_are_read() -> None:
    chosen, probability = tumour_tiles(Red(risk=False), TILES, SETTINGS)
    assert chosen.index["tile"].tolist() == [4, 3, 2]  # the two of a on different slides, the only one of b
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-np.array([4, 3, 2]))), atol=1e-6)


def test_the_risk_of_a_patient_is_the_mean_over_the_tiles_read_of_all_slides() -> None:
    found = predict(SideBySide({"tumour": Red(risk=False), "risk": Red(risk=True)}), TILES, SETTINGS)
    assert found.specimens.set_index("specimen_id")["score"].round(5).to_dict() == {"s": 3.5, "t": 3.5, "u": 2.0}
    assert len(found.regions) == len(found.signatures) == 3
    assert found.regions["score"].between(0, 1).all()
