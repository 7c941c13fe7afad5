"""qCNN quantify: quantities of the networks, and of the Gauss-Newton steps from where they point."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import voigt_profile

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.least_squares import map_fit
from hepatica.spectroscopy.fitting.prior_terms import gaussian_prior_of
from hepatica.spectroscopy.fitting.signal_model import SHARED, SignalModel
from hepatica.spectroscopy.networks.qcnn_quantify import qcnn, qcnn_gn, tcho_snr, voigt_hz
from hepatica.spectroscopy.networks.qcnn_training import parameters_of
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL
from hepatica.spectroscopy.simulation.simulate import simulate

PRIORS = read_priors()


@pytest.fixture(scope="module")
def known(trained_qcnn):
    """What both functions take beside the spectra, and twelve of these with their truth."""
    drawn = trained_qcnn.samples.other(5).at(np.arange(12))
    how = {"network": trained_qcnn.network, "model": trained_qcnn.samples.model, "priors": PRIORS}
    return drawn, {**how, "noise_sd": drawn.noise_sd}


def test_quantities_have_bounds_correlations_and_no_negative_value(known) -> None:
    drawn, how = known
    found = qcnn(drawn.values, **how)
    assert found.method == "qcnn"
    assert found.concentration.shape == (12, 20)
    assert (found.concentration >= 0).all()
    assert (found.crlb > 0).all()
    network = how["network"]
    wanted = network.correlation.numpy()[:20, :20]
    made = found.covariance[0] / np.outer(found.sd[0], found.sd[0])
    np.testing.assert_allclose(made, wanted, atol=1e-5)
    assert found.with_sums().sd.shape == (12, 25)


def test_gauss_newton_comes_to_the_map_fit(known) -> None:
    drawn, how = known
    found = qcnn_gn(drawn.values, **how, steps=12)
    fitted = map_fit(
        drawn.values,
        model=how["model"],
        prior=gaussian_prior_of(PRIORS, names=how["model"].names),
        noise_sd=drawn.noise_sd,
    )
    assert found.method == "qcnn+gn"
    near = np.abs(found.concentration - fitted.concentration) < 0.3 * fitted.sd
    assert near.mean() > 0.9
    assert not any("not converged" in each for flags in found.flags for each in flags)


def test_more_steps_are_no_worse(known) -> None:
    drawn, how = known
    error = [
        np.abs(qcnn_gn(drawn.values, **how, steps=steps).concentration - drawn.truth[:, :20]).mean() for steps in (1, 6)
    ]
    assert error[1] < error[0]


def test_spectra_unlike_any_are_flagged_and_usual_ones_are_not(known) -> None:
    drawn, how = known
    for strange in (drawn.values.conj(), drawn.values[:, ::-1].copy()):
        found = qcnn(strange, **how).flags
        assert (
            sum(any("unlike the training spectra of the networks" in each for each in flags) for flags in found) >= 11
        )
    usual = qcnn(drawn.values, **how).flags
    assert sum(any("unlike" in each for each in flags) for flags in usual) <= 1


def test_noise_alone_is_flagged(known) -> None:
    how = known[1]
    noise = np.random.default_rng(0).normal(size=(2, 12, how["model"].ppm.size))
    white = (1e4 * (noise[0] + 1j * noise[1])).astype(np.complex64)
    assert all(qcnn(white, **{**how, "noise_sd": np.full(12, 1e4)}).flags)


def test_lines_broader_than_any_learnt_are_flagged_after_the_steps(known, trained_qcnn) -> None:
    how = known[1]
    wide = replace(trained_qcnn.samples, priors=PRIORS.having(gauss_hz=75.0, snr=80.0)).at(np.arange(8))
    found = qcnn_gn(wide.values, **{**how, "noise_sd": wide.noise_sd}, steps=12).flags
    assert sum(any("line width in Hz" in each for each in flags) for flags in found) >= 6


def test_an_snr_outside_of_what_was_learnt_is_flagged(known) -> None:
    drawn, how = known
    found = qcnn(drawn.values, **{**how, "noise_sd": 1000 * drawn.noise_sd}).flags
    assert all(any("SNR of tCho" in each for each in flags) for flags in found)


def test_the_snr_is_that_of_the_simulation(known) -> None:
    how = known[1]
    made = simulate(PRIORS, how["model"].basis, n=20, seed=1, effects=replace(OF_MODEL, shifts=False))
    shared = [made.nuisance[name] for name in SHARED]
    vector = parameters_of(np.column_stack([made.concentrations, *shared]))
    found = tcho_snr(vector, model=how["model"], noise_sd=made.noise_sd)
    np.testing.assert_allclose(found, made.nuisance["snr_tcho"], rtol=0.02)


@pytest.mark.parametrize(("lorentz", "gauss"), [(10.0, 0.0), (0.0, 10.0), (8.0, 14.0)])
def test_the_width_of_a_line_is_that_of_its_peak(lorentz: float, gauss: float) -> None:
    hz = np.linspace(-40, 40, 8001)
    height = voigt_profile(hz, gauss / np.sqrt(8 * np.log(2)) + 1e-9, lorentz / 2)
    wanted = np.ptp(hz[height >= height.max() / 2])
    assert voigt_hz(np.array(lorentz), np.array(gauss)) == pytest.approx(wanted, rel=0.005)


def test_networks_of_other_components_are_refused(known) -> None:
    drawn, how = known
    basis = simulate_basis(how["model"].basis.acquisition, names=("Cho", "Cr", "Lip13"))
    with pytest.raises(SettingsError, match="use the components of the networks' training"):
        qcnn(drawn.values, **{**how, "model": SignalModel(basis=basis)})
