"""Simulated samples: spectra by their numbers, with the truth and the noise of each."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.spectroscopy.networks.qcnn_training import parameters_of
from hepatica.spectroscopy.networks.spectral_plan import SpectralPlan
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulated_samples import HELD_OUT, STRAIGHT_PARTS, SWEPT, TEST, SimulatedSamples

PLAN = SpectralPlan(effects="of_model")


@pytest.fixture(scope="module")
def samples() -> SimulatedSamples:
    return SimulatedSamples(priors=read_priors(), model=PLAN.model, seed=3, effects=PLAN.simulated)


def test_a_number_is_one_spectrum_in_whatever_batch(samples: SimulatedSamples) -> None:
    whole = samples.at(np.arange(300))
    mixed = np.array([299, 5, 6, 7, 130])
    for part, other in zip(samples.at(mixed), whole, strict=True):
        np.testing.assert_array_equal(part, other[mixed])


def test_streams_and_seeds_are_other_spectra(samples: SimulatedSamples) -> None:
    first = samples.at(np.arange(3)).values
    for other in (samples.other(1), samples.other(HELD_OUT), replace(samples, seed=4)):
        assert not np.isclose(first, other.at(np.arange(3)).values).any()
        assert other.name != samples.name


def test_what_tests_never_trained(samples: SimulatedSamples) -> None:
    """One stream for two purposes would test networks on spectra that they were fitted to."""
    streams = (*range(PLAN.members), HELD_OUT, STRAIGHT_PARTS, SWEPT, TEST)
    found = [samples.other(stream).at(np.arange(1)).values for stream in streams]
    assert len({each.tobytes() for each in found}) == len(streams)


def test_the_name_tells_all_that_changes_spectra(samples: SimulatedSamples) -> None:
    others = [
        replace(samples, priors=samples.priors.having(snr=20.0)),
        replace(samples, model=SpectralPlan(te_ms=30.0).model),
        replace(samples, effects=replace(OF_MODEL, noise=False)),
    ]
    assert len({samples.name, *(each.name for each in others)}) == 4


def test_truth_is_what_the_signal_model_makes_of_it(samples: SimulatedSamples) -> None:
    """Without noise, baseline and shifts of single components nothing else is in a spectrum."""
    clean = replace(samples, effects=replace(OF_MODEL, noise=False, baseline="none", shifts=False))
    drawn = clean.at(np.arange(4))
    made = samples.model.evaluate(parameters_of(drawn.truth))
    np.testing.assert_allclose(drawn.values, made, atol=2e-3 * np.abs(made).max())


def test_noise_is_that_of_the_real_part(samples: SimulatedSamples) -> None:
    noisy, clean = (replace(samples, effects=replace(OF_MODEL, noise=on)).at(np.arange(64)) for on in (True, False))
    rest = (noisy.values - clean.values).real / noisy.noise_sd[:, None]
    assert rest.std() == pytest.approx(1, rel=0.02)
