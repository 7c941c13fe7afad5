"""Fitted patients: what the fit finds in phantoms is what they were made from, and what priors can be fitted to."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import SpecimenError, load_cohort
from hepatica.spectroscopy.cohorts.fit_priors import fit_priors
from hepatica.spectroscopy.cohorts.fitted_patients import fit_patients
from hepatica.spectroscopy.cohorts.spectra import prepare
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.phantom import phantom_spectra
from hepatica.spectroscopy.priors.priors import read_priors

MODEL = SpectralPlan().model


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return phantom_spectra(tmp_path_factory.mktemp("phantom") / "cohort", patients=12, seed=4, difficulty=0.0)


def fitted(cohort, folder, **changes):
    specimens = [replace(each, **changes) for each in load_cohort(cohort).specimens]
    store = prepare(specimens, acquisition=MODEL.basis.acquisition, folder=folder, progress=False)
    return fit_patients(store, model=MODEL, priors=read_priors())


def test_patients_are_found_as_they_were_made(cohort, tmp_path) -> None:
    found = fitted(cohort, tmp_path)
    truth = pd.read_csv(cohort / "truth.csv").set_index("patient_id").loc[found.concentrations.index]
    assert len(found.concentrations) == 12
    tcho = found.concentrations[["Cho", "GPC", "PCh"]].sum(axis=1)
    wanted = truth[["Cho_mm", "GPC_mm", "PCh_mm"]].sum(axis=1)
    assert np.corrcoef(tcho, wanted)[0, 1] > 0.8
    np.testing.assert_allclose(tcho.mean(), wanted.mean(), rtol=0.15)
    widths = found.nuisance["lorentz_hz"] + found.nuisance["gauss_hz"]
    assert np.corrcoef(widths, truth["lorentz_hz"] + truth["gauss_hz"])[0, 1] > 0.6
    assert found.nuisance["snr"].between(5, 80).all()


def test_priors_are_fitted_to_them(cohort, tmp_path) -> None:
    found = fitted(cohort, tmp_path)
    label = load_cohort(cohort).patients["hcc"].loc[found.concentrations.index].to_numpy(int)
    priors = fit_priors(found.concentrations.to_numpy(), label, based_on=read_priors(), nuisance=found.measured)
    assert set(priors) == {0, 1}
    raised = priors[1].log_mean - priors[0].log_mean
    names = MODEL.names
    assert raised[names.index("Lip13")] > 0.3
    assert priors[0].nuisance == priors[1].nuisance


def test_without_any_water_nothing_is_in_mm(cohort, tmp_path) -> None:
    with pytest.raises(SpecimenError, match="none of 12 spectra has a usable water reference"):
        fitted(cohort, tmp_path, attachments={})
