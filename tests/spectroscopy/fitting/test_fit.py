"""Fit: what comes in is checked, what is left becomes the noise, logarithms and numbers agree."""

import numpy as np
import pytest
from vectors import vector_of

from hepatica.cohort import SettingsError, SpecimenError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.fit import checked, descend, with_noise_left
from hepatica.spectroscopy.fitting.prior_terms import SoftConstraints
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import rough_noise

MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Cr", "Lip13")))
TRUE = vector_of(MODEL, {"Cho": 4, "Cr": 3, "Lip13": 1}, lorentz_hz=6, gauss_hz=12)


def noisy(sd: float, *, n: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    clean = MODEL.evaluate(np.repeat(TRUE, n, axis=0))
    return clean + sd * (rng.normal(size=clean.shape) + 1j * rng.normal(size=clean.shape))


def fitted(values: np.ndarray, *, sd: float, logs: bool):
    noise = np.full(len(values), sd)
    start = np.repeat(TRUE, len(values), axis=0)
    return descend(
        start,
        values,
        model=MODEL,
        noise_sd=noise,
        penalty=SoftConstraints().penalty(MODEL, start[:, :3]),
        logs=np.full(3, logs),
    )


def test_logarithms_and_numbers_come_to_the_same():
    """Nothing is believed of concentrations, so the minimum and its covariance are the same by either way."""
    values = noisy(2.0)
    a, b = (fitted(values, sd=2.0, logs=logs) for logs in (False, True))
    assert a.converged.all()
    assert b.converged.all()
    assert a.concentration == pytest.approx(b.concentration, rel=2e-3)
    assert a.sd == pytest.approx(b.sd, rel=2e-2)
    assert a.information[:, :3, :3] == pytest.approx(b.information[:, :3, :3], rel=0.05)


def test_chi2_of_a_right_model_is_one():
    fit = fitted(noisy(2.0, n=60), sd=2.0, logs=False)
    assert fit.chi2.mean() == pytest.approx(1, abs=0.02)


def test_noise_left_makes_up_for_noise_told_wrong():
    values = noisy(2.0)
    right, wrong = fitted(values, sd=2.0, logs=False), fitted(values, sd=0.5, logs=False)
    assert with_noise_left(wrong).noise_sd == pytest.approx(np.full(8, 2.0), rel=0.15)
    left = with_noise_left(wrong)
    scale = left.noise_sd[:, None, None] ** 2
    assert left.information * scale == pytest.approx(wrong.information * 0.5**2)
    assert with_noise_left(wrong).sd[:, 0] == pytest.approx(with_noise_left(right).sd[:, 0], rel=0.05)


def test_peaks_and_baseline_make_up_the_spectrum():
    values = noisy(1e-3) + 5 * MODEL.ppm
    fit = fitted(values, sd=1e-3, logs=False)
    assert fit.peaks() + fit.baseline(values) == pytest.approx(values, abs=0.02)


def test_rough_noise_is_that_of_white_noise():
    assert rough_noise(noisy(3.0, n=20)).mean() == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize(
    ("values", "noise", "error", "message"),
    [
        (np.zeros((2, 5)), 1.0, SpecimenError, "wanted"),
        (np.zeros((0, MODEL.ppm.size)), 1.0, SpecimenError, "n of 1 or more"),
        (np.full((1, MODEL.ppm.size), np.nan), 1.0, SpecimenError, "not numbers"),
        (np.zeros((1, MODEL.ppm.size)), 0.0, SettingsError, "above 0"),
        (np.zeros((1, MODEL.ppm.size)), np.nan, SettingsError, "above 0"),
    ],
)
def test_what_cannot_be_fitted_is_refused(values, noise, error, message):
    with pytest.raises(error, match=message):
        checked(values, model=MODEL, noise_sd=noise)
