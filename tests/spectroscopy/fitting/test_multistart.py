"""Multistart: the grid finds shift, phase and width of what was simulated."""

import numpy as np
import pytest
from vectors import vector_of

from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.multistart import Grid
from hepatica.spectroscopy.fitting.signal_model import Parameters, SignalModel
from hepatica.spectroscopy.signal.acquisition import Acquisition

MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Cr", "Gly", "Lip13", "Lip21")))
TRUE = {"Cho": 4.0, "Cr": 3.0, "Gly": 2.0, "Lip13": 1.0, "Lip21": 1.0}


@pytest.mark.parametrize("phase", [-2.8, -1.0, 0.0, 0.7, 3.0])
@pytest.mark.parametrize("shift", [-17.0, -3.0, 13.0])
def test_a_start_is_near_wherever_the_spectrum_stands(phase, shift):
    vector = vector_of(MODEL, TRUE, common_hz=shift, lorentz_hz=6, gauss_hz=12, phase0=phase)
    baseline = 5 * (MODEL.ppm - 2) * (1 + 1j)
    values = MODEL.evaluate(vector) + baseline
    start = Parameters.of(Grid(model=MODEL).starts(values)[1])
    assert start.common_hz[0] == pytest.approx(shift, abs=4)
    assert np.abs(np.angle(np.exp(1j * (start.phase0[0] - phase)))) < 0.6
    assert (start.concentration > 0).all()


def test_at_a_point_of_the_grid_concentrations_are_right():
    vector = vector_of(MODEL, TRUE, common_hz=4, lorentz_hz=6, gauss_hz=14, phase0=0)
    start = Grid(model=MODEL).starts(MODEL.evaluate(vector))[1]
    assert start[0, :5] == pytest.approx(list(TRUE.values()), rel=0.05)


def test_with_concentrations_given_only_the_rest_is_sought():
    vector = vector_of(MODEL, TRUE, common_hz=7, lorentz_hz=6, gauss_hz=12, phase0=2.0)
    given = vector[:, :5] * 1.1
    start = Parameters.of(Grid(model=MODEL).start_at(given, values=MODEL.evaluate(vector)))
    assert start.concentration == pytest.approx(given)
    assert start.common_hz[0] == pytest.approx(7, abs=4)
    assert start.phase0[0] == pytest.approx(2.0, abs=0.5)


def test_a_spectrum_of_nothing_starts_from_nothing():
    start = Grid(model=MODEL).starts(np.zeros((2, MODEL.ppm.size), complex))[1]
    assert np.isfinite(start).all()
    assert (start[:, :5] == 0).all()
