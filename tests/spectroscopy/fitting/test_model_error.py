"""Model error: the intervals hold what a line that is wider than the others, or a hump below, does to a fit."""

import numpy as np
import pytest
from vectors import vector_of

from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting import model_error as module
from hepatica.spectroscopy.fitting.least_squares import nls
from hepatica.spectroscopy.fitting.model_error import departures, model_error
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.signal.acquisition import Acquisition

NAMES = ("Ala", "GPC", "Cr", "Lip13")
MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=NAMES))
TRUTH = {"Ala": 1.0, "GPC": 2.0, "Cr": 1.0, "Lip13": 20.0}


@pytest.fixture(scope="module")
def spectrum():
    vector = vector_of(MODEL, TRUTH, lorentz_hz=5, gauss_hz=10)
    return vector, MODEL.evaluate(vector)


def departure(vector):
    return departures(MODEL, vector, MODEL.jacobian(vector)[1][0])


def test_a_wider_lipid_moves_alanine_as_said(spectrum):
    """To first order: a fit of spectra in which Lip13 alone is wider by a small part of OWN_WIDTH_HZ."""
    vector, values = spectrum
    wider, part = departure(vector)[NAMES.index("Lip13")], 0.02
    fits = [nls(values + share * wider, model=MODEL, noise_sd=1.0) for share in (0.0, part)]
    moved = (fits[1].concentration - fits[0].concentration)[0] / part
    said = np.sqrt(np.einsum("nkk->nk", model_error(fits[0])))[0]
    assert abs(moved[0]) > 0.05
    assert (said >= 0.9 * np.abs(moved)).all()


def test_without_departures_there_is_no_error(spectrum, monkeypatch):
    _, values = spectrum
    fit = nls(values, model=MODEL, noise_sd=1.0)
    assert (np.einsum("nkk->nk", model_error(fit)) > 0).all()
    for name in ("OWN_WIDTH_HZ", "SATELLITE_SHARE", "HUMP_HEIGHT"):
        monkeypatch.setattr(module, name, 0.0)
    assert np.abs(model_error(fit)).max() == 0


def test_humps_are_in_heights_of_choline_across_the_window(spectrum):
    vector, _ = spectrum
    humps = departure(vector)[len(NAMES) + 2 :]
    tallest = np.abs(MODEL.components(vector)[0, NAMES.index("GPC")]).max()
    assert np.abs(humps).max() == pytest.approx(module.HUMP_HEIGHT * tallest, rel=0.01)
    places = MODEL.ppm[np.abs(humps).argmax(axis=1)]
    assert np.diff(places) == pytest.approx(module.HUMP_PPM / 2, abs=0.03)
