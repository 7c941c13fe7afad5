"""Belief: the Gaussian has the moments of the priors, each on the scale that suits it."""

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.gaussian_prior import belief_of
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition

NAMES = ("Cho", "Glc", "Lip13", "Lip21")
BELIEF = belief_of(read_priors(), names=NAMES)


def test_a_range_stays_as_it_is_and_a_lipid_becomes_its_logarithm():
    assert BELIEF.logs.tolist() == [False, False, True, True]


def test_moments_are_those_of_the_priors():
    """Uniform 0 to 2: mean 1, variance 4/12; 1 to 12: 6.5, 121/12; lipids: the priors' own log moments."""
    priors = read_priors().select(NAMES)
    assert BELIEF.mean == pytest.approx([1, 6.5, *priors.log_mean[2:]], rel=0.02)
    assert np.diag(BELIEF.covariance) == pytest.approx([1 / 3, 121 / 12, *np.diag(priors.log_covariance)[2:]], rel=0.03)
    assert BELIEF.covariance[2, 3] == pytest.approx(priors.log_covariance[2, 3], rel=0.03)
    assert np.diag(BELIEF.covariance_mm)[:2] == pytest.approx([1 / 3, 121 / 12], rel=0.03)


def test_it_is_the_same_each_time():
    assert (belief_of(read_priors(), names=NAMES).covariance == BELIEF.covariance).all()


def test_the_penalty_is_its_inverse_and_holds_the_rest_by_name():
    model = SignalModel(basis=simulate_basis(Acquisition(), names=NAMES))
    penalty = BELIEF.penalty(model)
    assert penalty.precision[:4, :4] @ BELIEF.covariance == pytest.approx(np.eye(4), abs=1e-9)
    lorentz = 8 + SHARED.index("lorentz_hz")
    assert penalty.mean[lorentz] == BELIEF.nonlinear["lorentz_hz"][0]
    assert penalty.precision[lorentz, lorentz] == pytest.approx(BELIEF.nonlinear["lorentz_hz"][1] ** -2)
    assert penalty.precision[4, 4] == pytest.approx(BELIEF.nonlinear["shift_hz"][1] ** -2)


def test_another_model_is_refused():
    model = SignalModel(basis=simulate_basis(Acquisition(), names=("Cr", "Cho")))
    with pytest.raises(SettingsError, match="for a model of Cr, Cho"):
        BELIEF.penalty(model)
