"""Shared fit: shift, widths and phases come back when concentrations are known."""

import numpy as np
import pytest

from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.shared_fit import shared_fit
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.fitting.soft_constraints import Held
from hepatica.spectroscopy.signal.acquisition import Acquisition

MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Cr", "Lip13")))
TRUE = MODEL.vector_of({"Cho": 4, "Cr": 3, "Lip13": 1}, common_hz=5, lorentz_hz=6, gauss_hz=12, phase0=0.5, phase1=0.05)


def test_what_is_shared_comes_back_and_nothing_else_moves():
    start = MODEL.vector_of({"Cho": 4, "Cr": 3, "Lip13": 1}, common_hz=3, lorentz_hz=4, gauss_hz=8, phase0=0.1)
    values = MODEL.evaluate(TRUE) + 3 * MODEL.ppm
    found = shared_fit(start, values, model=MODEL, noise_sd=np.ones(1), penalty=Held().penalty(MODEL, start[:, :3]))
    assert found == pytest.approx(TRUE, rel=1e-3)


def test_of_mere_noise_it_says_what_was_held():
    held = Held(shared={"common_hz": (2.0, 1.0), "gauss_hz": (15.0, 2.0)})
    penalty = held.penalty(MODEL, TRUE[:, :3])
    found = shared_fit(TRUE, 0 * MODEL.evaluate(TRUE), model=MODEL, noise_sd=np.full(1, 1e9), penalty=penalty)
    assert found[0, -5] == pytest.approx(2, abs=0.1)
    assert found[0, -3] == pytest.approx(15, abs=0.2)


def test_derivatives_are_those_of_the_whole_model():
    vector = TRUE.copy()
    vector[0, 3:6] = [1.0, -2.0, 0.5]
    fitted, slopes = MODEL.shared_jacobian(vector[:, -len(SHARED) :], MODEL.undamped(vector))
    whole, all_slopes = MODEL.jacobian(vector)
    assert fitted == pytest.approx(whole)
    assert slopes == pytest.approx(all_slopes[:, -len(SHARED) :], abs=1e-6 * np.abs(all_slopes).max())
