from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hepatica.cohort.errors import CohortError, SettingsError
from hepatica.spectroscopy.priors.concentrations import (
    Distribution,
    Fat,
    FromPatients,
    Measured,
    Range,
    Ranges,
    logarithms,
    mean_sd,
)
from hepatica.spectroscopy.priors.priors import read_priors


@given(st.floats(0.01, 10), st.floats(1, 10), st.booleans(), st.floats(0, 1))
def test_a_range_keeps_its_ends(low: float, factor: float, log: bool, share: float) -> None:
    value = Range(low=low, high=low * factor, log=log).at(np.array([share]))[0]
    assert low * (1 - 1e-12) <= value <= low * factor * (1 + 1e-12)


def test_the_middle_of_a_logarithmic_range_is_its_geometric_mean() -> None:
    assert Range(low=5, high=80, log=True).at(np.array(0.5)) == pytest.approx(20)


@pytest.mark.parametrize(
    ("distribution", "mean", "sd"),
    [
        (Range(low=-10, high=10), 0, 20 / np.sqrt(12)),
        (Range(low=3, high=3), 3, 0),
        (Range(low=1, high=np.e, log=True), np.e - 1, np.sqrt((np.e**2 - 1) / 2 - (np.e - 1) ** 2)),
    ],
)
def test_moments(distribution: Distribution, mean: float, sd: float) -> None:
    assert mean_sd(distribution) == pytest.approx((mean, sd), abs=1e-5)


def test_logarithms_of_a_uniform_number_are_exponential() -> None:
    logs = logarithms(Range(low=0, high=3))
    assert logs.mean() == pytest.approx(np.log(3) - 1, abs=2e-3)
    assert logs.var() == pytest.approx(1, abs=5e-3)


def test_measured_values_run_from_the_least_to_the_greatest() -> None:
    measured = Measured(values=(3.0, 1.0, 2.0))
    assert measured.at(np.array([0.0, 0.5, 1.0])).tolist() == [1, 2, 3]
    assert measured.digested == Measured(values=(1.0, 2.0, 3.0)).digested


OF_PATIENTS = FromPatients(
    names=("Cho", "Lip13"), log_mean=np.array([0.5, 3.0]), log_covariance=np.array([[0.2, 0.1], [0.1, 0.4]]), freedom=12
)


def test_triglyceride_of_a_fat_fraction() -> None:
    fat = Fat(
        lipids=("Lip13",), pdff_percent=Range(low=10, high=10), ratio_log_sd=0, triglyceride_protons=100,
        water_protons_mm=100_000,
    )  # fmt: skip
    assert fat.triglyceride_mm(np.array([10.0])) == pytest.approx([100])  # 10 000 of 100 000 mM of protons are of fat


@pytest.mark.parametrize("concentrations", [read_priors().concentrations, OF_PATIENTS], ids=["ranges", "patients"])
def test_moments_are_those_of_the_draws(concentrations: Ranges | FromPatients) -> None:
    logs = np.log(concentrations.sample(np.random.default_rng(0), n=100_000))
    assert logs.mean(axis=0) == pytest.approx(concentrations.log_mean, abs=0.02)
    assert np.cov(logs.T) == pytest.approx(concentrations.log_covariance, abs=0.04)
    np.linalg.cholesky(concentrations.log_covariance)


def test_metabolites_stay_in_their_ranges_and_lipids_go_together() -> None:
    priors = read_priors()
    drawn = priors.concentrations.sample(np.random.default_rng(0), n=5000)
    choline, lipids = drawn[:, priors.names.index("Cho")], np.log(drawn[:, -5:])
    assert 0 <= choline.min() < 0.01
    assert 1.99 < choline.max() <= 2
    assert np.std(lipids - lipids.mean(axis=1, keepdims=True)) == pytest.approx(0.15 * np.sqrt(4 / 5), rel=0.02)


def test_a_concentration_held_fixed_leaves_a_covariance_with_an_inverse() -> None:
    concentrations = read_priors().concentrations
    assert isinstance(concentrations, Ranges)
    fixed = replace(concentrations, metabolites=dict(concentrations.metabolites) | {"Cho": Range(low=1, high=1)})
    assert np.linalg.cond(fixed.log_covariance) < 1e9


def test_no_patient_is_drawn_far_out() -> None:
    logs = np.log(OF_PATIENTS.sample(np.random.default_rng(0), n=100_000))
    strays = np.abs(logs - OF_PATIENTS.log_mean) / np.sqrt(np.diag(OF_PATIENTS.log_covariance))
    assert 3.9 < strays.max() <= 4 + 1e-9


@pytest.mark.parametrize("concentrations", [read_priors().concentrations, OF_PATIENTS], ids=["ranges", "patients"])
def test_components_are_chosen_by_name(concentrations: Ranges | FromPatients) -> None:
    chosen = concentrations.select(["Lip13", "Cho"])
    assert chosen.names == ("Lip13", "Cho")
    place = concentrations.names.index("Lip13")
    assert chosen.log_mean[0] == concentrations.log_mean[place]
    assert chosen.log_covariance[0, 0] == concentrations.log_covariance[place, place]
    with pytest.raises(SettingsError, match="have no Gold"):
        concentrations.select(["Gold"])


def test_patients_who_do_not_differ_are_none_to_draw_others_from() -> None:
    same = replace(OF_PATIENTS, log_covariance=np.zeros_like(OF_PATIENTS.log_covariance))
    with pytest.raises(CohortError, match="whose concentrations do not differ"):
        same.sample(np.random.default_rng(0), n=3)
