"""Recurrent: filled gaps, pooling and size, counted by hand."""

import numpy as np
import pytest
import torch

from hepatica.networks import Recurrent, Series
from hepatica.networks.recurrent import masked_maximum

NAN = float("nan")


def test_what_was_not_measured_is_carried_forward_and_before_the_first_time_it_is_the_mean() -> None:
    series = Series(2)
    # log(1 + x): first values 1 and 3 have the mean (log 2 + log 4) / 2 = log sqrt(8); the SD is set to 1.
    series.fit(np.array([[1, NAN], [3, 7]], np.float32), values=np.array([[1, 1], [1, 1]], np.float32))
    visits = torch.tensor([[[0.0, NAN, 7.0], [6.0, 3.0, NAN], [24.0, NAN, NAN], [NAN, NAN, NAN]]])
    cells, there = series(visits)
    mean = np.log(8) / 2
    carried = [[0, np.log(8) - np.log(8)], [np.log(4) - mean, 0], [np.log(4) - mean, 0], [np.log(4) - mean, 0]]
    np.testing.assert_allclose(cells[0, :, :2], carried, atol=1e-6)
    assert cells[0, :, 2:4].tolist() == [[0, 1], [1, 0], [0, 0], [0, 0]]
    assert cells[0, :, 4].tolist() == [0, 0.5, 1.5, 0]
    assert there.tolist() == [[True, True, True, False]]


def test_mean_is_of_first_values_and_spread_of_all() -> None:
    series = Series(1)
    series.fit(np.array([[np.e - 1], [1 - np.e]], np.float32), values=np.array([[0], [np.e - 1], [NAN]], np.float32))
    assert series.mean.item() == pytest.approx(0, abs=1e-6)  # log(1 + |x|) with its sign: 1 and -1
    assert series.sd.item() == pytest.approx(0.5, abs=1e-6)  # of 0 and 1


def test_the_maximum_is_over_the_visits_that_are_there() -> None:
    states = torch.tensor([[[1.0, -5.0], [3.0, -7.0], [9.0, 9.0]], [[-2.0, 0.0], [-3.0, -1.0], [-4.0, 2.0]]])
    there = torch.tensor([[True, True, False], [True, True, True]])
    assert masked_maximum(states, there).tolist() == [[3, -5], [-2, 2]]


def test_size_and_shape() -> None:
    network = Recurrent(12, baseline=3, hidden=64, dropout=0.2)
    # GRU of 2 x 12 + 1 = 25 inputs: 3 gates x (25 x 64 + 64 x 64 + 2 x 64) = 17,472; baseline 6 x 64 + 64 = 448;
    # 128 x 64 + 64 = 8,256, batch normalisation 2 x 64 = 128, output 64 + 1 = 65.
    assert sum(each.numel() for each in network.parameters()) == 17_472 + 448 + 8_256 + 128 + 65 == 26_369
    read = network.eval()(torch.zeros(5, 4, 16))
    assert read.logits.shape == (5, 1)
    assert read.signature.shape == (5, 128)


def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    network = Recurrent(2, baseline=1, hidden=4, dropout=0).eval()
    visits = torch.rand(1, 3, 4)
    padded = torch.cat([visits, torch.full((1, 2, 4), NAN)], dim=1)
    torch.testing.assert_close(network(visits).logits, network(padded).logits)
