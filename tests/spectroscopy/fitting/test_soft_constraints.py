"""Held: what it costs to stray from shifts, widths and ratios."""

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.fitting.soft_constraints import Held, Ratio
from hepatica.spectroscopy.signal.acquisition import Acquisition

MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Lip09", "Lip13")))
ROUGH = np.array([[1.0, 0.7, 5.0]])


def cost(held: Held, vector: np.ndarray) -> float:
    penalty = held.penalty(MODEL, ROUGH)
    nothing = np.zeros(1), np.zeros((1, MODEL.size)), np.zeros((1, MODEL.size, MODEL.size))
    return float(penalty.add(vector, np.zeros(1, int), nothing)[0][0])


def test_nothing_is_held_of_concentrations_and_little_of_the_rest():
    precision = np.diag(Held(shift_sd_hz=2, own_shift_sd_hz={"Cho": 4}).penalty(MODEL, ROUGH).precision[0])
    assert (precision[:3] == 0).all()
    assert precision[3:6] == pytest.approx([1 / 16, 1 / 4, 1 / 4])
    assert (precision[6:] > 0).all()
    assert (precision[6:8] < 1e-3).all()


def test_what_is_shared_is_held_by_name():
    penalty = Held(shared={"lorentz_hz": (0.6, 0.1)}).penalty(MODEL, ROUGH)
    place = 6 + SHARED.index("lorentz_hz")
    assert penalty.mean[place] == 0.6
    assert penalty.precision[0, place, place] == pytest.approx(100)


def test_a_ratio_costs_nothing_where_it_holds_and_a_half_one_sd_off():
    """Lip09 = 0.2 ± 0.03 of Lip13, which is roughly 5: one SD is 0.15."""
    held = Held(ratios=(Ratio(of="Lip09", to={"Lip13": 1.0}, value=0.2, sd=0.03),))
    vector = held.penalty(MODEL, ROUGH).mean[None].copy()
    vector[0, :3] = [3, 1, 5]
    assert cost(held, vector) == pytest.approx(0, abs=1e-9)
    vector[0, 1] = 1.15
    assert cost(held, vector) == pytest.approx(0.5)


def test_a_ratio_to_a_weighted_sum():
    """To Cho + 2 Lip13 = 11: value 0.1 is 1.1, one SD 0.55."""
    held = Held(ratios=(Ratio(of="Lip09", to={"Cho": 1.0, "Lip13": 2.0}, value=0.1, sd=0.05),))
    vector = held.penalty(MODEL, ROUGH).mean[None].copy()
    vector[0, :3] = [1, 1.1 + 0.55, 5]
    assert cost(held, vector) == pytest.approx(0.5)


def test_a_ratio_of_what_is_missing_does_not_count():
    held = Held(ratios=(Ratio(of="Lip28", to={"Lip13": 1.0}, value=1, sd=0.1),))
    assert (held.penalty(MODEL, ROUGH).precision == Held().penalty(MODEL, ROUGH).precision).all()


@pytest.mark.parametrize(
    "wrong", [{"shift_sd_hz": 0}, {"shared": {"width": (1.0, 1.0)}}, {"own_shift_sd_hz": {"Cho": -1}}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(SettingsError, match="wanted spreads above 0"):
        Held(**wrong)
