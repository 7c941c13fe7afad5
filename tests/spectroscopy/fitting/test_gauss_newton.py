"""Gauss-Newton: steps from a network's estimate end where the MAP fit ends."""

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.gauss_newton import refine, shared_fit
from hepatica.spectroscopy.fitting.least_squares import map_fit
from hepatica.spectroscopy.fitting.prior_terms import SoftConstraints, gaussian_prior_of
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulate import simulate

THREE = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Cr", "Lip13")))
TRUE = THREE.vector_of({"Cho": 4, "Cr": 3, "Lip13": 1}, common_hz=5, lorentz_hz=6, gauss_hz=12, phase0=0.5, phase1=0.05)


def test_what_is_shared_comes_back_and_nothing_else_moves():
    start = THREE.vector_of({"Cho": 4, "Cr": 3, "Lip13": 1}, common_hz=3, lorentz_hz=4, gauss_hz=8, phase0=0.1)
    values = THREE.evaluate(TRUE) + 3 * THREE.ppm
    found = shared_fit(
        start, values, model=THREE, noise_sd=np.ones(1), penalty=SoftConstraints().penalty(THREE, start[:, :3])
    )
    assert found == pytest.approx(TRUE, rel=1e-3)


def test_of_mere_noise_it_says_what_was_held():
    constraints = SoftConstraints(shared={"common_hz": (2.0, 1.0), "gauss_hz": (15.0, 2.0)})
    penalty = constraints.penalty(THREE, TRUE[:, :3])
    found = shared_fit(TRUE, 0 * THREE.evaluate(TRUE), model=THREE, noise_sd=np.full(1, 1e9), penalty=penalty)
    assert found[0, -5] == pytest.approx(2, abs=0.1)
    assert found[0, -3] == pytest.approx(15, abs=0.2)


def test_derivatives_are_those_of_the_whole_model():
    vector = TRUE.copy()
    vector[0, 3:6] = [1.0, -2.0, 0.5]
    fitted, slopes = THREE.shared_jacobian(vector[:, -len(SHARED) :], THREE.undamped(vector))
    whole, all_slopes = THREE.jacobian(vector)
    assert fitted == pytest.approx(whole)
    assert slopes == pytest.approx(all_slopes[:, -len(SHARED) :], abs=1e-6 * np.abs(all_slopes).max())


NAMES = ("Cho", "Cr", "Gly", "Lip13", "Lip21")
MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=NAMES))
PRIORS = read_priors().having(snr=40.0)
PHANTOMS = simulate(PRIORS, MODEL.basis, n=40, seed=4, effects=OF_MODEL)
KNOWN = {
    "values": MODEL.window(PHANTOMS.values).astype(complex), "model": MODEL, "noise_sd": PHANTOMS.noise_sd,
    "prior": gaussian_prior_of(PRIORS, names=NAMES),
}  # fmt: skip
ROUGH = PHANTOMS.concentrations * np.random.default_rng(0).uniform(0.8, 1.2, PHANTOMS.concentrations.shape)


def test_a_network_s_start_comes_to_the_map_fit():
    wanted = map_fit(**KNOWN)
    found = refine(ROUGH, steps=6, **KNOWN)
    away = np.abs(found.concentration - wanted.concentration) / wanted.sd
    assert np.median(away) < 0.02
    assert np.quantile(away, 0.95) < 0.5


def test_steps_help_and_say_whether_they_were_enough():
    fits = [refine(ROUGH, steps=steps, **KNOWN) for steps in (1, 3, 8)]
    errors = [np.abs(fit.concentration - PHANTOMS.concentrations).mean() for fit in fits]
    assert errors[0] >= errors[1] >= 0.98 * errors[2]
    assert fits[0].converged.mean() < fits[2].converged.mean() > 0.9
    assert (fits[1].iterations <= 3).all()


def test_whole_vectors_start_where_they_say():
    whole = map_fit(**KNOWN)
    again = refine(whole.parameters.vector, steps=1, **KNOWN)
    assert again.concentration == pytest.approx(whole.concentration, rel=1e-2, abs=1e-2)
    assert again.converged.all()


@pytest.mark.parametrize(
    ("start", "message"), [(ROUGH[:, :3], "wanted"), (-ROUGH, "negative"), (np.full_like(ROUGH, np.nan), "no number")]
)
def test_impossible_starts_are_refused(start, message):
    with pytest.raises(SettingsError, match=message):
        refine(start, **KNOWN)
