"""Signal model: against formulas of single lines and finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import vector_of

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.fitting.signal_model import SHARED, Parameters, SignalModel
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import to_spectrum

ACQUISITION = Acquisition()
LINES = {"Cho": (3.2, 9.0), "Cr": (3.03, 3.0), "Lac": (1.31, 3.0), "Lip13": (1.3, 66.0)}


def lines(acquisition: Acquisition = ACQUISITION) -> Basis:
    hz = [(ppm - acquisition.reference_ppm) * acquisition.f0_mhz for ppm, _ in LINES.values()]
    fids = [
        protons * np.exp(2j * np.pi * each * acquisition.time_s)
        for each, (_, protons) in zip(hz, LINES.values(), strict=True)
    ]
    return Basis(names=tuple(LINES), fids=np.array(fids), acquisition=acquisition)


MODEL = SignalModel(basis=lines())


def vectors(n: int, *, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    k = len(LINES)
    return Parameters(
        concentration=rng.uniform(0, 5, (n, k)), shift_hz=rng.normal(0, 2, (n, k)), common_hz=rng.uniform(-8, 8, n),
        lorentz_hz=rng.uniform(2, 12, n), gauss_hz=rng.uniform(3, 25, n), phase0=rng.uniform(-3, 3, n),
        phase1=rng.uniform(-0.2, 0.2, n),
    ).vector  # fmt: skip


def test_one_line_is_the_formula():
    """A decay written out, transformed whole, phased and cut to the window."""
    vector = vector_of(MODEL, {"Cho": 2}, common_hz=3, lorentz_hz=5, gauss_hz=8, phase0=0.4, phase1=0.1)
    time, ppm = ACQUISITION.time_s, ACQUISITION.ppm
    hz = (3.2 - 4.65) * ACQUISITION.f0_mhz + 3
    decay = 18 * np.exp(2j * np.pi * hz * time - np.pi * 5 * time - (np.pi * 8 * time) ** 2 / (4 * np.log(2)))
    phased = np.exp(1j * (0.4 + 0.1 * (ppm - 3.2))) * to_spectrum(decay)
    inside = (ppm >= 0.4) & (ppm <= 4.2)
    assert MODEL.ppm == pytest.approx(ppm[inside])
    assert MODEL.evaluate(vector)[0] == pytest.approx(phased[inside])
    assert MODEL.window(phased) == pytest.approx(phased[inside])


def test_widths_are_full_widths_at_half_maximum():
    """Alone, a Lorentzian of 20 Hz and a Gaussian of 20 Hz each have half their height 10 Hz off."""
    fine = lines(Acquisition(points=16384))
    model = SignalModel(basis=fine)
    for widths in ({"lorentz_hz": 20}, {"gauss_hz": 20}):
        real = model.evaluate(vector_of(model, {"Cho": 1}, **widths))[0].real
        wide = (real > real.max() / 2).sum() * fine.acquisition.bandwidth_hz / fine.acquisition.points
        assert wide == pytest.approx(20, rel=0.02)


def test_jacobian_is_that_of_finite_differences():
    vector = vectors(3)
    fitted, slopes = MODEL.jacobian(vector)
    assert fitted == pytest.approx(MODEL.evaluate(vector), rel=1e-9, abs=1e-6)
    for column in range(MODEL.size):
        step = np.zeros(MODEL.size)
        step[column] = 1e-5
        differences = (MODEL.evaluate(vector + step) - MODEL.evaluate(vector - step)) / 2e-5
        assert slopes[:, column] == pytest.approx(differences, rel=1e-5, abs=1e-5 * np.abs(differences).max())


def test_normal_equations_are_those_of_the_whitened_rest():
    """Cost and gradient by differences, the baseline being free; the Hessian is symmetric and not negative."""
    vector, noise = vectors(2), np.array([0.5, 2.0])
    values = MODEL.evaluate(vectors(2, seed=1))
    half, gradient, hessian = MODEL.normal_equations(vector, values, noise_sd=noise)
    best = MODEL.baseline.smooth(values - MODEL.evaluate(vector))
    left = np.abs(values - MODEL.evaluate(vector) - best) ** 2
    assert half == pytest.approx(0.5 * left.sum(axis=1) / noise**2)
    for column in range(MODEL.size):
        step = np.zeros(MODEL.size)
        step[column] = 1e-5
        up, down = (MODEL.normal_equations(vector + sign * step, values, noise_sd=noise)[0] for sign in (1, -1))
        assert gradient[:, column] == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-6 * half.max())
    assert hessian == pytest.approx(hessian.swapaxes(1, 2))
    assert (np.linalg.eigvalsh(hessian) > -1e-6 * np.abs(hessian).max()).all()


def test_components_add_up_and_a_batch_is_a_loop():
    vector = vectors(5)
    whole = MODEL.evaluate(vector)
    assert MODEL.components(vector).sum(axis=1) == pytest.approx(whole)
    assert np.concatenate([MODEL.evaluate(row[None]) for row in vector]) == pytest.approx(whole)


@settings(deadline=None, max_examples=20)
@given(st.floats(-5, 5), st.floats(-3, 3), st.integers(0, 100))
def test_a_shift_of_all_is_a_shift_of_each_and_phase_only_turns(shift, phase, seed):
    vector = vectors(1, seed=seed)
    k = len(LINES)
    together, each, turned = vector.copy(), vector.copy(), vector.copy()
    together[:, 2 * k] += shift
    each[:, k : 2 * k] += shift
    turned[:, 2 * k + SHARED.index("phase0")] += phase
    assert MODEL.evaluate(together) == pytest.approx(MODEL.evaluate(each))
    assert MODEL.evaluate(turned) == pytest.approx(MODEL.evaluate(vector) * np.exp(1j * phase))


def test_any_number_of_points_will_do():
    model = SignalModel(basis=lines(Acquisition(points=1000)))
    vector = vector_of(model, {"Lac": 1}, lorentz_hz=5)
    vector[:, len(LINES) : 2 * len(LINES)] = 3
    moved = vector_of(model, {"Lac": 1}, lorentz_hz=5, common_hz=3)
    assert model.evaluate(vector) == pytest.approx(model.evaluate(moved))


def test_parameters_come_back_from_their_vector():
    vector = vectors(4)
    assert (Parameters.of(vector).vector == vector).all()
    assert Parameters.of(vector).gauss_hz == pytest.approx(vector[:, -3])


def test_a_window_of_too_few_points_is_refused():
    with pytest.raises(SettingsError, match="widen the window"):
        SignalModel(basis=lines(), window_ppm=(3.1, 3.3))
