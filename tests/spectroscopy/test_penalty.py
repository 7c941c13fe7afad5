"""Penalty: its gradient, and the ratios it holds."""

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.acquisition import Acquisition
from hepatica.spectroscopy.penalty import Penalty, holding_ratios, loose
from hepatica.spectroscopy.signal_model import SignalModel
from hepatica.spectroscopy.simulated_basis import simulate_basis

MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Lip09", "Lip13")))


def nothing(n: int, p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(n), np.zeros((n, p)), np.zeros((n, p, p))


def test_the_gradient_is_that_of_the_cost():
    root = np.random.default_rng(0).normal(size=(4, 4))
    penalty = Penalty(mean=np.arange(4.0), precision=root @ root.T)
    vector = np.array([[1.0, -1.0, 3.0, 0.5]])
    rows = np.arange(1)
    half, gradient, hessian = penalty.add(vector, rows, nothing(1, 4))
    for column in range(4):
        step = np.zeros(4)
        step[column] = 1e-5
        up, down = (penalty.add(vector + sign * step, rows, nothing(1, 4))[0] for sign in (1, -1))
        assert gradient[:, column] == pytest.approx((up - down) / 2e-5)
    assert hessian[0] == pytest.approx(root @ root.T)
    assert half[0] > 0


def test_loose_says_nothing_of_concentrations():
    precision = np.diag(loose(MODEL, shift_sd_hz=2).precision)
    assert (precision[:3] == 0).all()
    assert precision[3:6] == pytest.approx([0.25] * 3)
    assert (precision[6:] > 0).all()


def test_ratios_cost_nothing_where_they_hold_and_a_half_one_sd_off():
    penalty = holding_ratios(
        loose(MODEL), {"Lip13": 10, "Lip09": 2}, model=MODEL, concentration=np.array([[1.0, 0.7, 5.0]]), sd=0.15
    )
    vector = np.repeat(penalty.mean[None], 2, axis=0)
    vector[:, :3] = [[3, 1, 5], [3, 1.15, 5]]
    held = [penalty.add(row[None], np.zeros(1, int), nothing(1, MODEL.size))[0][0] for row in vector]
    assert held == pytest.approx([0, 0.5])


@pytest.mark.parametrize("ratios", [{"Lip13": 1.0, "Lip99": 1.0}, {"Lip13": 1.0, "Lip09": 0.0}])
def test_impossible_ratios_are_refused(ratios):
    with pytest.raises(SettingsError, match="wanted numbers above 0"):
        holding_ratios(loose(MODEL), ratios, model=MODEL, concentration=np.ones((1, 3)))


def test_a_spread_of_nothing_is_refused():
    with pytest.raises(SettingsError, match="more than 0"):
        loose(MODEL, shift_sd_hz=0)
