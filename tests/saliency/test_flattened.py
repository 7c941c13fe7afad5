"""Flattened: what moves the answer is what is found."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hepatica.cohort.errors import SettingsError
from hepatica.saliency import flattened


class Area(nn.Module):
    """The sum of the real part of some points; counts its answers."""

    def __init__(self, points: slice) -> None:
        super().__init__()
        self.points, self.asked = points, 0

    def forward(self, spectra: Tensor) -> Tensor:
        self.asked += 1
        return spectra[:, 0, 0, self.points].sum(dim=1)


def peaks(*places: int, points: int = 100) -> Tensor:
    spectra = torch.zeros(1, 2, 1, points)
    for place in places:
        spectra[..., place] = 1.0
    return spectra


def test_a_peak_that_counts_is_found_and_one_that_does_not_is_not() -> None:
    found = flattened(Area(slice(50, 70)), peaks(20, 60), target=lambda answer: answer, width=6, step=1)
    assert found.shape == (1, 1, 100)
    assert found[0, 0].argmax() == pytest.approx(60, abs=1)
    assert found[0, 0, 60] > 0.6
    assert found[0, 0, 10:40].max() == 0
    assert found.max() == 1


def test_a_straight_spectrum_moves_nothing() -> None:
    line = torch.linspace(0, 1, 50).expand(1, 2, 1, 50)
    found = flattened(Area(slice(10, 40)), line, target=lambda answer: answer, width=8, step=4)
    assert np.abs(flattened(Area(slice(10, 40)), torch.zeros_like(line), target=lambda answer: answer)).max() == 0
    assert found[0, 0, 12:38].max() < 1  # what moves is at the level ends alone


def test_every_point_lies_in_a_stretch_and_the_ends_are_level() -> None:
    ends = torch.zeros(1, 2, 1, 31)
    ends[..., -1] = 5.0
    found = flattened(Area(slice(0, 31)), ends, target=lambda answer: answer, width=6, step=4)
    assert found[0, 0, -1] > 0.4
    assert (found[0, 0, :20] == 0).all()


def test_each_spectrum_has_a_scale_of_its_own_and_the_network_keeps_its_mode() -> None:
    network = Area(slice(0, 100)).train()
    found = flattened(network, torch.cat([peaks(30), 1000 * peaks(70)]), target=lambda answer: answer)
    assert found.max(axis=(1, 2)).tolist() == [1, 1]
    assert network.training


@pytest.mark.parametrize(("width", "step"), [(0, 1), (4, 5), (99, 1)])
def test_stretches_that_do_not_fit_are_refused(width: int, step: int) -> None:
    with pytest.raises(SettingsError, match="wanted 1 <= step <= width"):
        flattened(Area(slice(0, 9)), peaks(5), target=lambda answer: answer, width=width, step=step)
