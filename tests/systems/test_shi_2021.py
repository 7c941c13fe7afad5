"""TRS: sizes of both networks by hand, the highest over patches, which patches lie within the tumour, and labels."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hepatica.networks import GridCrf, Reading
from hepatica.systems.shi_2021 import SYSTEM, Highest, outlined_grids, tumour_patches


def count(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_both_networks_have_the_size_counted_by_hand() -> None:
    with torch.device("meta"):
        parts = SYSTEM.build(SYSTEM.settings, pretrained=False).parts
        patches, there = torch.zeros(2, 9, 3, 224, 224), torch.ones(2, 9)
        maps = parts["risk"].embed(patches[0])
    assert count(parts["tumour"]) == 11_176_512 + 513 + 81  # ResNet18, one linear unit, weights of 9 x 9 patches
    assert count(parts["risk"]) == 23_508_032 - 14_964_736 + 1025  # ResNet50 without its last stage, one linear unit
    assert parts["tumour"]({"rows": patches, "mask": there}).shape == (2, 9)
    assert maps.shape == (9, 1024, 14, 14)  # stride 16
    assert parts["risk"].judge(maps[None], there[:1]).logits.shape == (1, 1)


def test_the_highest_over_patches_then_the_mean_over_places() -> None:
    judge = Highest(1)
    judge.classify.weight.data, judge.classify.bias.data = torch.tensor([[2.0]]), torch.tensor([0.5])
    maps = torch.tensor([[1.0, 5.0], [4.0, 2.0], [9.0, 9.0]]).reshape(1, 3, 1, 1, 2)
    read = judge(maps, torch.tensor([[1.0, 1.0, 0.0]]))  # the third patch is padding
    assert read.signature.item() == 4.5  # of 4 and 5
    assert read.logits.item() == 9.5
    assert read.scores[0].tolist() == pytest.approx([torch.tensor(6.5).sigmoid().item()] * 2 + [0])


def grid(width: int, height: int, specimen: str = "s") -> pd.DataFrame:
    y, x = np.mgrid[:height, :width]
    return pd.DataFrame({"x": x.ravel() * 10, "y": y.ravel() * 10}).assign(
        specimen_id=specimen, patient_id=specimen, extent=10.0
    )


class Tiles(SimpleNamespace):
    """Tiles of one pixel whose red says how much tumour they are."""

    def __len__(self) -> int:
        return len(self.index)

    def read(self, rows: np.ndarray) -> np.ndarray:
        return np.repeat(self.red[rows, None, None, None], 3, axis=3).astype(np.uint8)

    def rows(self, chosen: np.ndarray) -> pd.DataFrame:
        return self.index[chosen]


class Alone(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> Reading:
        red = images[:, :1, 0, 0]
        return Reading(20 * (red - 0.5), red)


def test_patches_with_tumour_all_around_are_kept_and_else_the_deepest() -> None:
    network = SimpleNamespace(alone=Alone(), crf=GridCrf())
    index = pd.concat([grid(5, 5), grid(2, 2, "small")], ignore_index=True)
    tiles = Tiles(index=index, side=1, red=np.full(29, 200))
    tiles.red[7] = 0  # the third of the second row: no block of three that holds it is all tumour
    settings = SYSTEM.quick.__class__(block=3, rows_read=2)
    found = tumour_patches(network, tiles, settings)
    assert found.loc[found["specimen_id"] == "s", ["x", "y"]].to_numpy().tolist() == [[10, 30], [20, 30], [30, 30]]
    assert (found["specimen_id"] == "small").sum() == 2


def test_grids_around_outlined_patches_have_a_label_for_each_patch() -> None:
    index = grid(3, 1).assign(patient_id=["a", "a", "b"])
    labels = np.array([1, 0, 0])
    training = SimpleNamespace(material=Tiles(index=index, side=1), settings=SYSTEM.quick)
    samples = outlined_grids(training, labels, ["a"])
    assert samples.inputs.centres.tolist() == [0, 1]
    assert samples.labels.tolist() == [[-1] * 4 + [1, 0] + [-1] * 3, [-1] * 3 + [1, 0, 0] + [-1] * 3]
