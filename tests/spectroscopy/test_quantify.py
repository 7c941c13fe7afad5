"""Quantify: every method behind one interface gives what it gives by itself, and says what it lacks."""

from typing import get_args

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.fitting.least_squares import map_fit, nls
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.fitting.quantities import Method
from hepatica.spectroscopy.networks.qcnn_quantify import qcnn, qcnn_gn
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.quantify import METHODS, Quantifier

PRIORS = read_priors()


@pytest.fixture(scope="module")
def drawn(trained_qcnn):
    return trained_qcnn.samples.other(6).at(np.arange(4))


@pytest.fixture(scope="module")
def whole(trained_qcnn) -> Quantifier:
    """A quantifier that lacks nothing."""
    return Quantifier(model=trained_qcnn.samples.model, priors=PRIORS, network=trained_qcnn.network)


def test_methods_are_those_there_are() -> None:
    assert get_args(Method) == METHODS == ("nls", "map", "qcnn", "qcnn+gn")


@pytest.mark.parametrize("method", METHODS)
def test_each_method_says_who_it_is_and_has_all_targets(whole: Quantifier, drawn, method: Method) -> None:
    found = whole.quantify(drawn.values, method=method, noise_sd=drawn.noise_sd)
    assert (found.method, found.unit, found.names) == (method, "mM", whole.model.names)
    assert found.concentration.shape == (4, 20)
    assert (found.prior_covariance is None) == (method == "nls")


def test_fits_are_those_of_their_own_functions(whole: Quantifier, drawn) -> None:
    known = {"model": whole.model, "noise_sd": drawn.noise_sd}
    fits = {
        "nls": nls(drawn.values, **known),
        "map": map_fit(drawn.values, **known, prior=gaussian_prior_of(PRIORS, names=whole.model.names)),
    }
    for method, fit in fits.items():
        found = whole.quantify(drawn.values, method=method, noise_sd=drawn.noise_sd)
        np.testing.assert_allclose(found.concentration, fit.concentration)
    assert not np.allclose(fits["nls"].concentration, fits["map"].concentration)


@pytest.mark.parametrize(("method", "alone"), [("qcnn", qcnn), ("qcnn+gn", qcnn_gn)])
def test_networks_are_those_of_their_own_functions(whole: Quantifier, drawn, method: Method, alone) -> None:
    wanted = alone(drawn.values, network=whole.network, model=whole.model, priors=PRIORS, noise_sd=drawn.noise_sd)
    found = whole.quantify(drawn.values, method=method, noise_sd=drawn.noise_sd)
    np.testing.assert_allclose(found.concentration, wanted.concentration, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.sd, wanted.sd, rtol=1e-5)


def test_an_unknown_method_is_refused(whole: Quantifier, drawn) -> None:
    with pytest.raises(SettingsError, match="unknown method 'lcm', wanted one of nls, map"):
        whole.quantify(drawn.values, method="lcm", noise_sd=drawn.noise_sd)


@pytest.mark.parametrize("method", METHODS[1:])
def test_all_but_least_squares_want_mm(whole: Quantifier, drawn, method: Method) -> None:
    with pytest.raises(SettingsError, match="give a water reference, or use nls"):
        whole.quantify(drawn.values, method=method, noise_sd=drawn.noise_sd, unit="institutional units")


def test_least_squares_keeps_the_unit_it_is_given(whole: Quantifier, drawn) -> None:
    found = Quantifier(model=whole.model).quantify(
        drawn.values, method="nls", noise_sd=drawn.noise_sd, unit="institutional units"
    )
    assert found.unit == "institutional units"


@pytest.mark.parametrize("method", METHODS[1:])
def test_priors_are_missed_by_name(whole: Quantifier, drawn, method: Method) -> None:
    with pytest.raises(SettingsError, match="needs priors"):
        Quantifier(model=whole.model, network=whole.network).quantify(
            drawn.values, method=method, noise_sd=drawn.noise_sd
        )


@pytest.mark.parametrize("method", METHODS[2:])
def test_networks_and_noise_are_missed_by_name(whole: Quantifier, drawn, method: Method) -> None:
    with pytest.raises(SettingsError, match="needs trained networks"):
        Quantifier(model=whole.model, priors=PRIORS).quantify(drawn.values, method=method, noise_sd=drawn.noise_sd)
    with pytest.raises(SettingsError, match="needs the noise"):
        whole.quantify(drawn.values, method=method, noise_sd=None)


@pytest.mark.parametrize("method", METHODS[:2])
def test_fits_find_the_noise_where_none_is_given(whole: Quantifier, drawn, method: Method) -> None:
    given, found = (whole.quantify(drawn.values, method=method, noise_sd=noise) for noise in (drawn.noise_sd, None))
    ratio = found.sd / given.sd
    assert 0.5 < np.median(ratio) < 1.5
    assert not np.allclose(found.sd, given.sd)
