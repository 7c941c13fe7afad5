"""Penalty: its gradient and its Hessian are those of its cost."""

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.prior_terms import Penalty, Ratio, SoftConstraints, gaussian_prior_of
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition


def nothing(n: int, p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(n), np.zeros((n, p)), np.zeros((n, p, p))


def test_the_gradient_is_that_of_the_cost():
    root = np.random.default_rng(0).normal(size=(4, 4))
    penalty = Penalty(mean=np.arange(4.0), precision=root @ root.T)
    vector = np.array([[1.0, -1.0, 3.0, 0.5]])
    rows = np.arange(1)
    half, gradient, hessian = penalty.add(vector, rows, nothing(1, 4))
    for column in range(4):
        step = np.zeros(4)
        step[column] = 1e-5
        up, down = (penalty.add(vector + sign * step, rows, nothing(1, 4))[0] for sign in (1, -1))
        assert gradient[:, column] == pytest.approx((up - down) / 2e-5)
    assert hessian[0] == pytest.approx(root @ root.T)
    assert half[0] > 0


def test_each_spectrum_has_its_own_where_there_are_several():
    penalty = Penalty(mean=np.zeros(2), precision=np.array([np.eye(2), 4 * np.eye(2)]))
    half, _, hessian = penalty.add(np.ones((1, 2)), np.array([1]), nothing(1, 2))
    assert half == pytest.approx([4])
    assert hessian[0] == pytest.approx(4 * np.eye(2))


MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Lip09", "Lip13")))
ROUGH = np.array([[1.0, 0.7, 5.0]])


def cost(constraints: SoftConstraints, vector: np.ndarray) -> float:
    penalty = constraints.penalty(MODEL, ROUGH)
    nothing = np.zeros(1), np.zeros((1, MODEL.size)), np.zeros((1, MODEL.size, MODEL.size))
    return float(penalty.add(vector, np.zeros(1, int), nothing)[0][0])


def test_nothing_is_held_of_concentrations_and_little_of_the_rest():
    precision = np.diag(SoftConstraints(shift_sd_hz=2, own_shift_sd_hz={"Cho": 4}).penalty(MODEL, ROUGH).precision[0])
    assert (precision[:3] == 0).all()
    assert precision[3:6] == pytest.approx([1 / 16, 1 / 4, 1 / 4])
    assert (precision[6:] > 0).all()
    assert (precision[6:8] < 1e-3).all()


def test_what_is_shared_is_held_by_name():
    penalty = SoftConstraints(shared={"lorentz_hz": (0.6, 0.1)}).penalty(MODEL, ROUGH)
    place = 6 + SHARED.index("lorentz_hz")
    assert penalty.mean[place] == 0.6
    assert penalty.precision[0, place, place] == pytest.approx(100)


def test_a_ratio_costs_nothing_where_it_holds_and_a_half_one_sd_off():
    """Lip09 = 0.2 ± 0.03 of Lip13, which is roughly 5: one SD is 0.15."""
    constraints = SoftConstraints(ratios=(Ratio(of="Lip09", to={"Lip13": 1.0}, value=0.2, sd=0.03),))
    vector = constraints.penalty(MODEL, ROUGH).mean[None].copy()
    vector[0, :3] = [3, 1, 5]
    assert cost(constraints, vector) == pytest.approx(0, abs=1e-9)
    vector[0, 1] = 1.15
    assert cost(constraints, vector) == pytest.approx(0.5)


def test_a_ratio_to_a_weighted_sum():
    """To Cho + 2 Lip13 = 11: value 0.1 is 1.1, one SD 0.55."""
    constraints = SoftConstraints(ratios=(Ratio(of="Lip09", to={"Cho": 1.0, "Lip13": 2.0}, value=0.1, sd=0.05),))
    vector = constraints.penalty(MODEL, ROUGH).mean[None].copy()
    vector[0, :3] = [1, 1.1 + 0.55, 5]
    assert cost(constraints, vector) == pytest.approx(0.5)


def test_a_ratio_of_what_is_missing_does_not_count():
    constraints = SoftConstraints(ratios=(Ratio(of="Lip28", to={"Lip13": 1.0}, value=1, sd=0.1),))
    assert (constraints.penalty(MODEL, ROUGH).precision == SoftConstraints().penalty(MODEL, ROUGH).precision).all()


@pytest.mark.parametrize(
    "wrong", [{"shift_sd_hz": 0}, {"shared": {"width": (1.0, 1.0)}}, {"own_shift_sd_hz": {"Cho": -1}}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(SettingsError, match="wanted spreads above 0"):
        SoftConstraints(**wrong)


NAMES = ("Cho", "Glc", "Lip13", "Lip21")
GAUSSIAN = gaussian_prior_of(read_priors(), names=NAMES)


def test_a_range_stays_as_it_is_and_a_lipid_becomes_its_logarithm():
    assert GAUSSIAN.logs.tolist() == [False, False, True, True]


def test_moments_are_those_of_the_priors():
    """Uniform 0 to 2: mean 1, variance 4/12; 1 to 12: 6.5, 121/12; lipids: the priors' own log moments."""
    priors = read_priors().select(NAMES)
    assert GAUSSIAN.mean == pytest.approx([1, 6.5, *priors.log_mean[2:]], rel=0.02)
    assert np.diag(GAUSSIAN.covariance) == pytest.approx(
        [1 / 3, 121 / 12, *np.diag(priors.log_covariance)[2:]], rel=0.03
    )
    assert GAUSSIAN.covariance[2, 3] == pytest.approx(priors.log_covariance[2, 3], rel=0.03)
    assert np.diag(GAUSSIAN.covariance_mm)[:2] == pytest.approx([1 / 3, 121 / 12], rel=0.03)


def test_it_is_the_same_each_time():
    assert (gaussian_prior_of(read_priors(), names=NAMES).covariance == GAUSSIAN.covariance).all()


def test_the_penalty_is_its_inverse_and_holds_the_rest_by_name():
    model = SignalModel(basis=simulate_basis(Acquisition(), names=NAMES))
    penalty = GAUSSIAN.penalty(model)
    assert penalty.precision[:4, :4] @ GAUSSIAN.covariance == pytest.approx(np.eye(4), abs=1e-9)
    lorentz = 8 + SHARED.index("lorentz_hz")
    assert penalty.mean[lorentz] == GAUSSIAN.nonlinear["lorentz_hz"][0]
    assert penalty.precision[lorentz, lorentz] == pytest.approx(GAUSSIAN.nonlinear["lorentz_hz"][1] ** -2)
    assert penalty.precision[4, 4] == pytest.approx(GAUSSIAN.nonlinear["shift_hz"][1] ** -2)


def test_another_model_is_refused():
    model = SignalModel(basis=simulate_basis(Acquisition(), names=("Cr", "Cho")))
    with pytest.raises(SettingsError, match="for a model of Cr, Cho"):
        GAUSSIAN.penalty(model)
