"""Millimolar: spectra of phantoms come out in the concentrations they were made from."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import load_cohort
from hepatica.spectroscopy.cohorts.millimolar import millimolar
from hepatica.spectroscopy.cohorts.spectra import prepare
from hepatica.spectroscopy.fitting.least_squares import map_fit
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.networks.network_input import norm
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.phantom import phantom_spectra
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return phantom_spectra(tmp_path_factory.mktemp("phantom") / "cohort", patients=4, seed=2)


@pytest.fixture(scope="module")
def store(cohort, tmp_path_factory):
    specimens = load_cohort(cohort).specimens
    return prepare(specimens, acquisition=Acquisition(), folder=tmp_path_factory.mktemp("spectra"), progress=False)


def test_the_lipids_of_a_phantom_are_in_mm(cohort, store) -> None:
    model = SpectralPlan().model
    scaled = millimolar(store)
    assert scaled.scaled.all()
    fit = map_fit(
        scaled.values, model=model, prior=gaussian_prior_of(read_priors(), names=model.names), noise_sd=scaled.noise_sd
    )
    found = fit.concentration[:, model.names.index("Lip13")] * scaled.lipids
    truth = pd.read_csv(cohort / "truth.csv").set_index("patient_id")["Lip13_mm"].loc[store.index["patient_id"]]
    np.testing.assert_allclose(found, truth, rtol=0.2)


def test_noise_is_scaled_as_the_values_are(store) -> None:
    scaled, given = millimolar(store), store.values(np.arange(len(store)))
    factor = (scaled.values / given).real
    np.testing.assert_allclose(factor, factor[:, :1].repeat(factor.shape[1], axis=1), rtol=1e-9)
    np.testing.assert_allclose(scaled.noise_sd, store.index["noise_sd"] * factor[:, 0])


def test_without_water_a_spectrum_has_the_usual_norm(cohort, tmp_path) -> None:
    specimens = [replace(each, attachments={}) for each in load_cohort(cohort).specimens[:2]]
    dry = prepare(specimens, acquisition=Acquisition(), folder=tmp_path, progress=False)
    scaled = millimolar(dry, norm_without_water=250.0)
    assert not scaled.scaled.any()
    np.testing.assert_allclose(norm(scaled.values), 250.0)
    assert (scaled.lipids == 1).all()
