"""Least squares: right on phantoms, close to the bounds, and the same whatever the phase, shift and batch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import vector_of

from hepatica.cohort import SettingsError, SpecimenError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.bounds import bayesian_bound, crlb
from hepatica.spectroscopy.fitting.least_squares import likely, map_fit, nls, refine, shared_fit
from hepatica.spectroscopy.fitting.prior_terms import Ratio, SoftConstraints, gaussian_prior_of
from hepatica.spectroscopy.fitting.signal_model import SHARED, Parameters, SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulate import simulate

NAMES = ("Cho", "Cr", "Gln", "Lac", "Lip13", "Lip21")
MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=NAMES))


TRIGLYCERIDE = tuple(
    Ratio(of=name, to={"Lip13": 1.0}, value=1.0, sd=0.15) for name in ("Lip09", "Lip16", "Lip21", "Lip28")
)
"""Lipids of one triglyceride, of which a millimole of each line is as much (lipids.toml), within 15 % (ours)."""


def phantoms(n: int, *, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, p) and spectra (n, w) with a bent baseline and noise."""
    rng = np.random.default_rng(seed)
    vector = Parameters(
        concentration=rng.uniform([1, 1, 3, 2, 1, 1], [3, 3, 8, 5, 3, 3], (n, 6)), shift_hz=rng.normal(0, 1, (n, 6)),
        common_hz=rng.uniform(-8, 8, n), lorentz_hz=rng.uniform(3, 8, n), gauss_hz=rng.uniform(6, 14, n),
        phase0=rng.uniform(-0.4, 0.4, n), phase1=rng.uniform(-0.05, 0.05, n),
    ).vector  # fmt: skip
    splines = rng.normal(size=(n, MODEL.splines)) + 1j * rng.normal(size=(n, MODEL.splines))
    clean = MODEL.evaluate(vector) + 50 * splines @ MODEL.baseline.design.T
    return vector, clean + noise * (rng.normal(size=clean.shape) + 1j * rng.normal(size=clean.shape))


def test_without_noise_the_truth_comes_back():
    vector, values = phantoms(10, noise=0)
    fit = nls(values, model=MODEL, noise_sd=1e-2)
    assert fit.converged.all()
    assert fit.concentration == pytest.approx(vector[:, :6], rel=1e-4)
    assert fit.parameters.lorentz_hz == pytest.approx(vector[:, -4], rel=1e-3)


def test_errors_are_unbiased_and_of_the_size_of_the_bound():
    """300 phantoms: z = error / bound has mean 0 within 4 standard errors, and spread 1 within 15 %."""
    vector, values = phantoms(300, noise=4.0)
    fit = nls(values, model=MODEL, noise_sd=4.0)
    z = (fit.concentration - vector[:, :6]) / crlb(vector, model=MODEL, noise_sd=4.0).sd
    assert fit.converged.all()
    assert np.abs(z.mean(axis=0)).max() < 4 / np.sqrt(300)
    spread = 1.4826 * np.median(np.abs(z), axis=0)
    assert np.median(spread) == pytest.approx(1, abs=0.15)
    assert fit.chi2.mean() == pytest.approx(1, abs=0.02)


def test_a_batch_is_a_loop():
    _, values = phantoms(5, noise=4.0)
    whole = nls(values, model=MODEL, noise_sd=4.0)
    alone = [nls(row[None], model=MODEL, noise_sd=4.0).concentration[0] for row in values]
    assert whole.concentration == pytest.approx(np.array(alone), rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=10)
@given(st.floats(-3, 3), st.floats(0.01, 100))
def test_a_turned_and_scaled_spectrum_has_turned_and_scaled_parameters(phase, scale):
    _, values = phantoms(1, noise=0.4)
    fit = nls(values, model=MODEL, noise_sd=0.4)
    other = nls(scale * values * np.exp(1j * phase), model=MODEL, noise_sd=scale * 0.4)
    turn = other.parameters.phase0 - fit.parameters.phase0
    assert other.concentration / scale == pytest.approx(fit.concentration, rel=0.02, abs=0.02)
    assert np.exp(1j * turn) == pytest.approx(np.exp([1j * phase]), abs=0.02)


def test_a_shifted_spectrum_has_a_shifted_fit():
    vector, values = phantoms(4, noise=0)
    moved = vector.copy()
    moved[:, 2 * 6 + SHARED.index("common_hz")] += 6
    moved_values = values + MODEL.evaluate(moved) - MODEL.evaluate(vector)
    a, b = (nls(each, model=MODEL, noise_sd=1e-2) for each in (values, moved_values))
    places = [each.parameters.common_hz[:, None] + each.parameters.shift_hz for each in (a, b)]
    assert places[1] - places[0] == pytest.approx(np.full((4, 6), 6.0), abs=0.01)
    assert b.concentration == pytest.approx(a.concentration, rel=1e-3)


def test_noise_that_is_not_told_is_found():
    _, values = phantoms(20, noise=4.0)
    fit = nls(values, model=MODEL)
    assert fit.noise_sd.mean() == pytest.approx(4, rel=0.05)


def test_lipid_ratios_hold_a_lipid_that_noise_hides():
    """With much noise, Lip21 comes nearer to its ratio to Lip13 when that is held."""
    vector, _ = phantoms(40, noise=0)
    vector[:, 4], vector[:, 5] = 0.5, 0.5
    rng = np.random.default_rng(1)
    clean = MODEL.evaluate(vector)
    values = clean + 60 * (rng.normal(size=clean.shape) + 1j * rng.normal(size=clean.shape))
    free = nls(values, model=MODEL, noise_sd=60.0)
    held = nls(values, model=MODEL, noise_sd=60.0, constraints=SoftConstraints(ratios=TRIGLYCERIDE))
    assert np.abs(held.concentration[:, 5] - 0.5).mean() < 0.7 * np.abs(free.concentration[:, 5] - 0.5).mean()


@pytest.mark.parametrize("scale", [1e-12, 1e9])
def test_any_unit_will_do(scale):
    _, values = phantoms(3, noise=4.0)
    usual, other = nls(values, model=MODEL), nls(values * scale, model=MODEL)
    assert other.converged.all()
    assert other.concentration / scale == pytest.approx(usual.concentration, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("value", [0.0, 3.0 + 1.0j])
def test_a_spectrum_without_noise_is_refused(value):
    with pytest.raises(SpecimenError, match="without noise"):
        nls(np.full((2, MODEL.ppm.size), value), model=MODEL)


def test_noise_alone_gives_numbers_within_their_bounds_and_no_warning():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, MODEL.ppm.size)) + 1j * rng.normal(size=(6, MODEL.ppm.size))
    fit = nls(values, model=MODEL, noise_sd=1.0)
    assert np.isfinite(fit.concentration).all()
    assert (fit.concentration >= 0).all()
    assert np.isfinite(fit.sd).all()


WITH_GPC = ("Cho", "GPC", "Cr", "Gly", "Lip13", "Lip21")
MODEL_WITH_GPC = SignalModel(basis=simulate_basis(Acquisition(), names=WITH_GPC))
GAUSSIAN = gaussian_prior_of(read_priors(), names=WITH_GPC)
PHANTOMS = simulate(read_priors().having(snr=30.0), MODEL_WITH_GPC.basis, n=150, seed=3, effects=OF_MODEL)
VALUES = MODEL_WITH_GPC.window(PHANTOMS.values).astype(complex)


def truth() -> np.ndarray:
    shared = {name: PHANTOMS.nuisance[name].to_numpy(float) for name in SHARED}
    concentration, shift = PHANTOMS.concentrations.astype(float), PHANTOMS.shift_hz.astype(float)
    return Parameters(concentration=concentration, shift_hz=shift, **shared).vector


@pytest.fixture(scope="module")
def fit():
    return map_fit(VALUES, model=MODEL_WITH_GPC, prior=GAUSSIAN, noise_sd=PHANTOMS.noise_sd)


def test_errors_are_of_the_size_of_the_bayesian_bound(fit):
    """Root mean square of z = error / bound within 15 % of 1 for each component, over 150 phantoms."""
    bound = bayesian_bound(truth(), model=MODEL_WITH_GPC, noise_sd=PHANTOMS.noise_sd, prior=GAUSSIAN)
    z = (fit.concentration - PHANTOMS.concentrations) / bound.sd
    assert fit.converged.all()
    assert np.sqrt((z**2).mean(axis=0)) == pytest.approx(np.ones(6), abs=0.15)


def test_its_own_standard_deviations_are_right(fit):
    z = (fit.concentration - PHANTOMS.concentrations) / fit.sd
    assert np.mean(np.abs(z) < 1.96) == pytest.approx(0.95, abs=0.025)


def test_it_errs_less_than_least_squares(fit):
    free = nls(VALUES, model=MODEL_WITH_GPC, noise_sd=PHANTOMS.noise_sd)
    errors = [np.abs(each.concentration - PHANTOMS.concentrations).mean(axis=0) for each in (fit, free)]
    assert (errors[0] < 1.05 * errors[1]).all()
    assert errors[0][0] < 0.9 * errors[1][0]


def test_without_signal_it_says_what_was_believed():
    """Noise beyond all signal: means of ranges, the logarithms' means of lipids."""
    values = VALUES[:3] * 1e-6
    found = map_fit(values, model=MODEL_WITH_GPC, prior=GAUSSIAN, noise_sd=1e9)
    wanted = np.where(GAUSSIAN.logs, np.exp(np.where(GAUSSIAN.logs, GAUSSIAN.mean, 0)), GAUSSIAN.mean)
    assert found.concentration == pytest.approx(np.tile(wanted, (3, 1)), rel=0.02)


def test_with_little_noise_it_says_what_the_spectrum_says():
    clean = MODEL_WITH_GPC.evaluate(truth()[:5])
    found = map_fit(clean, model=MODEL_WITH_GPC, prior=GAUSSIAN, noise_sd=1e-2)
    assert found.concentration == pytest.approx(PHANTOMS.concentrations[:5], rel=1e-3, abs=1e-3)


def test_a_spectrum_in_a_wrong_unit_ends_in_a_flag_and_no_warning():
    found = map_fit(VALUES[:2] * 1e12, model=MODEL_WITH_GPC, prior=GAUSSIAN, noise_sd=1.0)
    assert np.isfinite(found.concentration).all()
    assert (found.chi2 > 100).all()


def test_only_logarithms_are_raised_from_nothing():
    start = likely(np.zeros((1, MODEL_WITH_GPC.size)), prior=GAUSSIAN)
    assert (start[0, :4] == 0).all()
    assert start[0, 4:6] == pytest.approx(np.exp(GAUSSIAN.mean - 2 * np.sqrt(np.diag(GAUSSIAN.covariance)))[4:6])


THREE = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Cr", "Lip13")))
TRUE = vector_of(
    THREE, {"Cho": 4, "Cr": 3, "Lip13": 1}, common_hz=5, lorentz_hz=6, gauss_hz=12, phase0=0.5, phase1=0.05
)


def test_what_is_shared_comes_back_and_nothing_else_moves():
    start = vector_of(THREE, {"Cho": 4, "Cr": 3, "Lip13": 1}, common_hz=3, lorentz_hz=4, gauss_hz=8, phase0=0.1)
    values = THREE.evaluate(TRUE) + 3 * THREE.ppm
    found = shared_fit(
        start, values, model=THREE, noise_sd=np.ones(1), penalty=SoftConstraints().penalty(THREE, start[:, :3])
    )
    assert found == pytest.approx(TRUE, rel=1e-3)


def test_of_mere_noise_it_says_what_was_held():
    constraints = SoftConstraints(shared={"common_hz": (2.0, 1.0), "gauss_hz": (15.0, 2.0)})
    penalty = constraints.penalty(THREE, TRUE[:, :3])
    found = shared_fit(TRUE, 0 * THREE.evaluate(TRUE), model=THREE, noise_sd=np.full(1, 1e9), penalty=penalty)
    assert found[0, -5] == pytest.approx(2, abs=0.1)
    assert found[0, -3] == pytest.approx(15, abs=0.2)


def test_derivatives_are_those_of_the_whole_model():
    vector = TRUE.copy()
    vector[0, 3:6] = [1.0, -2.0, 0.5]
    fitted, slopes = THREE.shared_jacobian(vector[:, -len(SHARED) :], THREE.undamped(vector))
    whole, all_slopes = THREE.jacobian(vector)
    assert fitted == pytest.approx(whole)
    assert slopes == pytest.approx(all_slopes[:, -len(SHARED) :], abs=1e-6 * np.abs(all_slopes).max())


STEP_NAMES = ("Cho", "Cr", "Gly", "Lip13", "Lip21")
STEP_MODEL = SignalModel(basis=simulate_basis(Acquisition(), names=STEP_NAMES))
PRIORS = read_priors().having(snr=40.0)
STEP_PHANTOMS = simulate(PRIORS, STEP_MODEL.basis, n=40, seed=4, effects=OF_MODEL)
KNOWN = {
    "values": STEP_MODEL.window(STEP_PHANTOMS.values).astype(complex), "model": STEP_MODEL,
    "noise_sd": STEP_PHANTOMS.noise_sd,
    "prior": gaussian_prior_of(PRIORS, names=STEP_NAMES),
}  # fmt: skip
ROUGH = STEP_PHANTOMS.concentrations * np.random.default_rng(0).uniform(0.8, 1.2, STEP_PHANTOMS.concentrations.shape)


def test_a_network_s_start_comes_to_the_map_fit():
    wanted = map_fit(**KNOWN)
    found = refine(ROUGH, steps=6, **KNOWN)
    away = np.abs(found.concentration - wanted.concentration) / wanted.sd
    assert np.median(away) < 0.02
    assert np.quantile(away, 0.95) < 0.5


def test_steps_help_and_say_whether_they_were_enough():
    fits = [refine(ROUGH, steps=steps, **KNOWN) for steps in (1, 3, 8)]
    errors = [np.abs(fit.concentration - STEP_PHANTOMS.concentrations).mean() for fit in fits]
    assert errors[0] >= errors[1] >= 0.98 * errors[2]
    assert fits[0].converged.mean() < fits[2].converged.mean() > 0.9
    assert (fits[1].iterations <= 3).all()


def test_whole_vectors_start_where_they_say():
    whole = map_fit(**KNOWN)
    again = refine(whole.parameters.vector, steps=1, **KNOWN)
    assert again.concentration == pytest.approx(whole.concentration, rel=1e-2, abs=1e-2)
    assert again.converged.all()


@pytest.mark.parametrize(
    ("start", "message"),
    [(ROUGH[:, :3], "wanted"), (-ROUGH, "negative"), (np.full_like(ROUGH, np.nan), "not a number")],
)
def test_impossible_starts_are_refused(start, message):
    with pytest.raises(SettingsError, match=message):
        refine(start, **KNOWN)
