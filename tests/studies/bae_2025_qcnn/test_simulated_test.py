"""Simulated test: truth, estimate and bounds of one spectrum, target and method stand in one row."""

from itertools import count

import numpy as np
import pytest

from hepatica.spectroscopy.fitting.bounds import bayesian_bound, crlb
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.networks.qcnn_training import parameters_of
from hepatica.studies.bae_2025_qcnn import simulated_test
from hepatica.studies.bae_2025_qcnn.simulated_test import COLUMNS, quantified


@pytest.fixture
def table(few_samples, wrong, monkeypatch: pytest.MonkeyPatch):
    ticks = count(step=6)
    monkeypatch.setattr(simulated_test.time, "perf_counter", lambda: next(ticks))
    return quantified(
        few_samples.at(np.arange(12)), quantifier=wrong, priors=few_samples.priors, methods=("nls", "map")
    ).set_index(["method", "spectrum", "target"])


def test_a_row_a_spectrum_target_and_method(table) -> None:
    assert tuple(table.reset_index()[list(COLUMNS)].columns) == COLUMNS
    assert len(table) == 2 * 12 * 3
    assert not table.index.duplicated().any()


def test_values_stand_where_they_belong(table, few_samples) -> None:
    drawn = few_samples.at(np.arange(12))
    for place, target in enumerate(("GPC", "Lac", "Lip13")):
        for method, off in (("nls", 2.0), ("map", 1.0)):
            row = table.loc[(method, 7, target)]
            assert row["truth"] == drawn.truth[7, place]
            assert row["estimate"] == off * 7
            assert row["sd"] == drawn.noise_sd[7]


def test_bounds_are_those_at_the_truth(table, few_samples) -> None:
    drawn, model = few_samples.at(np.arange(12)), few_samples.model
    vector, known = parameters_of(drawn.truth), {"model": few_samples.model, "noise_sd": drawn.noise_sd}
    prior = gaussian_prior_of(few_samples.priors, names=model.names)
    row = table.loc[("map", 4, "Lac")]
    assert row["crlb"] == pytest.approx(crlb(vector, **known).sd[4, 1])
    assert row["bayesian"] == pytest.approx(bayesian_bound(vector, **known, prior=prior).sd[4, 1])
    assert (table["bayesian"] < table["crlb"]).all()


def test_seconds_are_of_one_spectrum(table) -> None:
    assert set(table["seconds"]) == {6 / 12}
