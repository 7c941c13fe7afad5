"""Refine: from concentrations that are roughly right to the MAP fit, in a few steps."""

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.gauss_newton import refine
from hepatica.spectroscopy.fitting.gaussian_prior import belief_of
from hepatica.spectroscopy.fitting.map_fit import map_fit
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulate import simulate

NAMES = ("Cho", "Cr", "Gly", "Lip13", "Lip21")
MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=NAMES))
PRIORS = read_priors().having(snr=40.0)
PHANTOMS = simulate(PRIORS, MODEL.basis, n=40, seed=4, effects=OF_MODEL)
KNOWN = {
    "values": MODEL.window(PHANTOMS.values).astype(complex), "model": MODEL, "noise_sd": PHANTOMS.noise_sd,
    "belief": belief_of(PRIORS, names=NAMES),
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
    ("start", "told"), [(ROUGH[:, :3], "wanted"), (-ROUGH, "negative"), (np.full_like(ROUGH, np.nan), "no number")]
)
def test_impossible_starts_are_refused(start, told):
    with pytest.raises(SettingsError, match=told):
        refine(start, **KNOWN)
