from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from hepatica.cohort import SpecimenError, load_cohort
from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.cohorts.fit_priors import fit_patients, fit_priors, next_patient
from hepatica.spectroscopy.cohorts.spectra import prepare
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.phantom import phantom_spectra
from hepatica.spectroscopy.priors.priors import read_priors

PRIORS = read_priors().select(["Cho", "GPC", "Lip13"])
MEANS = np.log([[1.0, 2.0, 20.0], [1.8, 2.0, 60.0]])
COVARIANCE = np.array([[0.04, 0.02, 0.0], [0.02, 0.06, 0.0], [0.0, 0.0, 0.3]])


def patients(n: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Concentrations of n patients of each of two classes, in turn."""
    rng = np.random.default_rng(seed)
    classes = np.tile([0, 1], n)
    return np.exp(MEANS[classes] + rng.multivariate_normal(np.zeros(3), COVARIANCE, 2 * n)), classes


def nuisance(n: int) -> dict[str, np.ndarray]:
    """Nuisance that tells the classes apart, as it must not."""
    classes = np.tile([0, 1], n)
    return {"gauss_hz": 10 + 5.0 * classes + np.linspace(0, 1, 2 * n), "snr": 20 + 20.0 * classes}


def test_planted_means_and_covariances_are_found() -> None:
    fitted = fit_priors(*patients(2000), based_on=PRIORS, nuisance={})
    for label in (0, 1):
        drawn = np.log(fitted[label].concentrations.sample(np.random.default_rng(1), n=20_000))
        assert fitted[label].log_mean == pytest.approx(MEANS[label], abs=0.03)
        assert fitted[label].log_covariance == pytest.approx(COVARIANCE, abs=0.02)
        assert drawn.mean(axis=0) == pytest.approx(MEANS[label], abs=0.03)
        assert np.cov(drawn.T) == pytest.approx(COVARIANCE, abs=0.02)


def test_a_next_patient_lies_within_what_was_said_of_him_as_often_as_said() -> None:
    """Over many draws of ten patients, 90 % intervals hold an eleventh in 90 %."""
    rng = np.random.default_rng(0)
    inside = []
    for trial in range(400):
        logs = rng.multivariate_normal(np.zeros(3), np.eye(3) * 0.2, 11)
        drawn = next_patient(logs[:10], names=("a", "b", "c")).sample(np.random.default_rng(trial), n=500)
        low, high = np.quantile(np.log(drawn), [0.05, 0.95], axis=0)
        inside.append((low < logs[10]) & (logs[10] < high))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.02)


def test_ten_patients_leave_long_tails() -> None:
    logs = np.random.default_rng(0).normal(size=(10, 3))
    few = next_patient(logs, names=("a", "b", "c"))
    assert few.freedom == 12
    strays = (np.log(few.sample(np.random.default_rng(1), n=100_000)) - few.log_mean) / np.sqrt(
        np.diag(few.log_covariance)
    )
    assert (np.abs(strays) > 3).mean() == pytest.approx(2 * t.sf(3 * np.sqrt(12 / 10), 12), rel=0.1)


def test_nuisance_is_pooled_over_the_classes() -> None:
    fitted = fit_priors(*patients(10), based_on=PRIORS, nuisance=nuisance(10))
    first, second = fitted[0], fitted[1]
    assert first.nuisance == second.nuisance
    share = np.linspace(0, 1, 50)
    assert np.array_equal(np.unique(first.nuisance["snr"].at(np.array([0, 1]))), [20, 40])
    assert (first.nuisance["gauss_hz"].at(share) == second.nuisance["gauss_hz"].at(share)).all()
    assert first.nuisance["lorentz_hz"] == PRIORS.nuisance["lorentz_hz"]
    assert not np.allclose(first.log_mean, second.log_mean)


def test_nuisance_of_each_class_for_the_ablation() -> None:
    fitted = fit_priors(*patients(10), based_on=PRIORS, nuisance=nuisance(10), nuisance_per_class=True)
    assert fitted[0].nuisance["snr"].at(np.array([0.5])) == 20
    assert fitted[1].nuisance["snr"].at(np.array([0.5])) == 40


def test_patients_in_whom_it_was_not_measured_say_nothing() -> None:
    given = nuisance(10) | {"snr": np.where(np.arange(20) < 4, np.nan, 30.0)}
    assert fit_priors(*patients(10), based_on=PRIORS, nuisance=given)[0].nuisance["snr"].at(np.array(0.5)) == 30


def test_an_estimate_of_zero_is_raised_to_a_floor() -> None:
    concentrations, classes = patients(10)
    concentrations[0, 0] = 0
    fitted = fit_priors(concentrations, classes, based_on=PRIORS, nuisance={})[0]
    floor = PRIORS.log_mean[0] - 2 * np.sqrt(PRIORS.log_covariance[0, 0])
    others = np.log(concentrations[2::2, 0])
    assert fitted.log_mean[0] == pytest.approx((others.sum() + floor) / 10)


def test_fewer_patients_than_components_leave_a_covariance_of_full_rank() -> None:
    priors = read_priors()
    rng = np.random.default_rng(0)
    concentrations = np.exp(priors.log_mean + 0.3 * rng.standard_normal((20, 20)))
    fitted = fit_priors(concentrations, np.tile([0, 1], 10), based_on=priors, nuisance={})
    assert np.linalg.matrix_rank(fitted[1].log_covariance) == 20
    assert fitted[0].names == priors.names


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"concentrations": np.ones((20, 2))}, "one column per name"),
        ({"concentrations": np.full((20, 3), np.nan)}, "negative or not numbers"),
        ({"concentrations": -np.ones((20, 3))}, "negative or not numbers"),
        ({"classes": np.array([0] * 17 + [1] * 3)}, "3 of class 1, wanted 4 or more"),
        ({"nuisance": {"warmth": np.ones(20)}}, "nuisance warmth"),
        ({"nuisance": {"snr": np.ones(3)}}, "one value a patient"),
        ({"nuisance": {"snr": np.tile([np.nan, 20], 10)}}, "no snr of one of the classes"),
        ({"nuisance": {"phase0_deg": np.full(20, 400.0)}}, "wanted -180 to 180"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(wrong: dict[str, object], message: str) -> None:
    concentrations, classes = patients(10)
    given = {"concentrations": concentrations, "classes": classes, "nuisance": {}} | wrong
    with pytest.raises(SettingsError, match=message):
        fit_priors(based_on=PRIORS, **given)


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
