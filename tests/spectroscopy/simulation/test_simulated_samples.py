"""Draws: spectra by their numbers, with the truth and the noise of each."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.spectroscopy.networks.qcnn_training import parameters_of
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulated_samples import HELD_OUT, STRAIGHT_PARTS, SWEPT, TEST, Draws

PLAN = SpectralPlan(effects="of_model")


@pytest.fixture(scope="module")
def draws() -> Draws:
    return Draws(priors=read_priors(), model=PLAN.model, seed=3, effects=PLAN.simulated)


def test_a_number_is_one_spectrum_in_whatever_batch(draws: Draws) -> None:
    whole = draws.at(np.arange(300))
    mixed = np.array([299, 5, 6, 7, 130])
    for part, other in zip(draws.at(mixed), whole, strict=True):
        np.testing.assert_array_equal(part, other[mixed])


def test_streams_and_seeds_are_other_spectra(draws: Draws) -> None:
    first = draws.at(np.arange(3)).values
    for other in (draws.other(1), draws.other(HELD_OUT), replace(draws, seed=4)):
        assert not np.isclose(first, other.at(np.arange(3)).values).any()
        assert other.name != draws.name


def test_what_tests_never_trained(draws: Draws) -> None:
    """One stream for two purposes would test networks on spectra that they were fitted to."""
    streams = (*range(PLAN.members), HELD_OUT, STRAIGHT_PARTS, SWEPT, TEST)
    found = [draws.other(stream).at(np.arange(1)).values for stream in streams]
    assert len({each.tobytes() for each in found}) == len(streams)


def test_the_name_tells_all_that_changes_spectra(draws: Draws) -> None:
    others = [
        replace(draws, priors=draws.priors.having(snr=20.0)),
        replace(draws, model=SpectralPlan(te_ms=30.0).model),
        replace(draws, effects=replace(OF_MODEL, noise=False)),
    ]
    assert len({draws.name, *(each.name for each in others)}) == 4


def test_truth_is_what_the_signal_model_makes_of_it(draws: Draws) -> None:
    """Without noise, baseline and shifts of single components nothing else is in a spectrum."""
    clean = replace(draws, effects=replace(OF_MODEL, noise=False, baseline="none", shifts=False))
    drawn = clean.at(np.arange(4))
    made = draws.model.evaluate(parameters_of(drawn.truth))
    np.testing.assert_allclose(drawn.values, made, atol=2e-3 * np.abs(made).max())


def test_noise_is_that_of_the_real_part(draws: Draws) -> None:
    noisy, clean = (replace(draws, effects=replace(OF_MODEL, noise=on)).at(np.arange(64)) for on in (True, False))
    rest = (noisy.values - clean.values).real / noisy.noise_sd[:, None]
    assert rest.std() == pytest.approx(1, rel=0.02)
