from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.errors import SettingsError
from hepatica.spectroscopy.basis.basis import Basis
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.priors.priors import read_priors
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import to_spectrum
from hepatica.spectroscopy.simulation.nuisance import OF_MODEL, STANDARD, Effects
from hepatica.spectroscopy.simulation.simulate import BLOCK, Simulated, basis_digest, simulate

PRIORS = read_priors()
PEAKS = {"Cho": (3.185, 9), "GPC": (3.212, 9), "PCh": (3.208, 9), "Glu": (2.34, 2), "Lip13": (1.3, 66)}
CLEAN = replace(OF_MODEL, baseline="none", noise=False)


def stand_in(acquisition: Acquisition = Acquisition(points=512)) -> Basis:  # noqa: B008
    """Singlets."""
    hz = np.array([(ppm - acquisition.reference_ppm) * acquisition.f0_mhz for ppm, _ in PEAKS.values()])
    protons = np.array([count for _, count in PEAKS.values()])
    fids = protons[:, None] * np.exp(2j * np.pi * hz[:, None] * acquisition.time_s)
    return Basis(names=tuple(PEAKS), fids=fids, acquisition=acquisition)


BASIS = stand_in()
WHOLE = simulate(PRIORS, BASIS, n=300, seed=7)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 299), st.integers(1, 300))
def test_an_index_is_the_same_spectrum_in_any_batch(start: int, n: int) -> None:
    n = min(n, 300 - start)
    part = simulate(PRIORS, BASIS, n=n, seed=7, start=start)
    assert np.array_equal(part.values, WHOLE.values[start : start + n])
    assert np.array_equal(part.concentrations, WHOLE.concentrations[start : start + n])
    assert np.array_equal(part.shift_hz, WHOLE.shift_hz[start : start + n])
    assert part.nuisance.equals(WHOLE.nuisance.loc[start : start + n - 1])


def test_seeds_and_indices_differ() -> None:
    other = simulate(PRIORS, BASIS, n=300, seed=8)
    firsts = np.concatenate([WHOLE.concentrations[:, 0], other.concentrations[:, 0]])
    assert len(set(firsts)) == 600
    assert len(set(np.concatenate([WHOLE.values[:, 0], other.values[:, 0]]))) == 600


def model_values(simulated: Simulated, basis: Basis) -> tuple[np.ndarray, np.ndarray]:
    """The signal model's spectra of what was drawn, and those simulated, both within the window of the fits."""
    model = SignalModel(basis=basis)
    shared = simulated.nuisance[["common_hz", "lorentz_hz", "gauss_hz", "phase0", "phase1"]].to_numpy()
    vector = np.concatenate([simulated.concentrations, simulated.shift_hz, shared], axis=1).astype(float)
    return model.evaluate(vector), model.window(simulated.values)


@pytest.mark.parametrize("points", [512, 1024, 1500, 777])
def test_without_noise_and_baseline_it_is_the_signal_model(points: int) -> None:
    basis = stand_in(Acquisition(points=points))
    wanted, found = model_values(simulate(PRIORS, basis, n=50, seed=1, effects=CLEAN), basis)
    error = np.abs(found - wanted).max(axis=1) / np.abs(wanted).max(axis=1)
    assert error.max() < 1e-6


def test_the_baseline_of_splines_is_one_that_the_fits_have() -> None:
    with_baseline = simulate(PRIORS, BASIS, n=20, seed=1, effects=replace(CLEAN, baseline="splines"))
    wanted, found = model_values(with_baseline, BASIS)
    left = SignalModel(basis=BASIS).baseline.whiten(found - wanted)
    assert np.abs(left).max() < 1e-5 * np.abs(found).max()
    assert np.abs(found - wanted).max() > 1e-3 * np.abs(found).max()


@pytest.mark.parametrize(("peak", "column"), [("tCho", "snr_tcho"), ("highest", "snr")])
def test_snr_as_asked(peak: str, column: str) -> None:
    priors = replace(PRIORS.having(snr=25, phase0_deg=0, phase1_deg_per_ppm=0), snr_peak=peak)
    quiet = replace(OF_MODEL, baseline="none")
    noisy = simulate(priors, BASIS, n=50, seed=3, effects=quiet)
    clean = simulate(priors, BASIS, n=50, seed=3, effects=replace(quiet, noise=False))
    noise = noisy.values - clean.values
    within = np.abs(BASIS.acquisition.ppm - 3.2) < 0.18
    top = clean.values.real[:, within].max(axis=1) if peak == "tCho" else clean.values.real.max(axis=1)
    assert top / noise.real.std(axis=1) == pytest.approx(25, rel=0.15)
    assert noise.real.std() == pytest.approx(noise.imag.std(), rel=0.05)
    assert noise.real.std(axis=1) == pytest.approx(noisy.noise_sd, rel=0.15)
    assert noisy.nuisance[column].to_numpy() == pytest.approx(25)
    assert (clean.noise_sd == 0).all()


def test_noise_is_white() -> None:
    noisy, quiet = (
        simulate(PRIORS, BASIS, n=200, seed=3, effects=replace(OF_MODEL, noise=noise)) for noise in (True, False)
    )
    noise = (noisy.values - quiet.values) / noisy.noise_sd[:, None]
    neighbours = (noise[:, 1:] * noise[:, :-1].conj()).mean()
    assert abs(neighbours) < 0.02
    assert abs((noise.real * noise.imag).mean()) < 0.02


SWITCHES = [
    "shifts",
    "phases",
    "lipid_width",
    "water",
    "ghost",
    "eddy_current",
    "respiration",
    "relaxation",
    "truncation",
]


@pytest.mark.parametrize("effect", [*SWITCHES, "noise"])
def test_each_effect_alone_changes_spectra(effect: str) -> None:
    none = Effects(baseline="none", **dict.fromkeys([*SWITCHES, "noise"], False))
    priors = PRIORS.having(
        ghost_share=1,
        truncation_share=1,
        truncation_ms=20,
        lipid_width_hz=3,
        respiration_hz=3,
        eddy_hz=2,
        water_height=1,
    )
    without = simulate(priors, BASIS, n=20, seed=1, effects=none)
    within = simulate(priors, BASIS, n=20, seed=1, effects=replace(none, **{effect: True}))
    assert np.array_equal(without.concentrations, within.concentrations)
    assert (np.abs(without.values - within.values).max(axis=1) > 0.01 * without.nuisance.tcho_peak).all()


def test_water_stands_where_it_was_put() -> None:
    priors = PRIORS.having(water_lines=1, water_ppm=4.7, water_height=20, water_width_hz=5)
    wet, dry = (simulate(priors, BASIS, n=20, seed=1, effects=replace(CLEAN, water=each)) for each in (True, False))
    water = np.abs(wet.values - dry.values)
    ppm = BASIS.acquisition.ppm[water.argmax(axis=1)]
    assert ppm == pytest.approx(4.7, abs=0.02)
    assert water.max(axis=1) == pytest.approx(20 * wet.nuisance.tcho_peak, rel=0.35)  # the top lies between points


def test_given_concentrations_are_used_in_their_place() -> None:
    rng = np.random.default_rng(0)
    concentrations = rng.uniform(1, 2, (BLOCK + 9, len(PEAKS)))
    given_ = simulate(
        PRIORS, BASIS, n=len(concentrations), seed=1, start=60, effects=CLEAN, concentrations=concentrations
    )
    assert given_.concentrations == pytest.approx(concentrations)
    wanted, found = model_values(given_, BASIS)
    assert np.abs(found - wanted).max() < 1e-6 * np.abs(wanted).max()
    drawn = simulate(PRIORS, BASIS, n=len(concentrations), seed=1, start=60, effects=CLEAN)
    assert drawn.nuisance.gauss_hz.equals(given_.nuisance.gauss_hz)


def test_the_manifest_tells_what_the_set_was_made_of() -> None:
    manifest = WHOLE.manifest
    assert (manifest["seed"], manifest["start"], manifest["n"]) == (7, 0, 300)
    assert manifest["priors"] == PRIORS.select(BASIS.names).digest
    assert manifest["basis"] == basis_digest(BASIS) != basis_digest(stand_in(Acquisition(te_ms=30, points=512)))
    assert manifest["effects"]["water"] is STANDARD.water
    assert manifest["units"]["concentrations"] == "mM"


def test_first_sample_is_halved() -> None:
    one = np.zeros((1, len(PEAKS)))
    one[0, 0] = 1
    priors = PRIORS.having(shift_hz=0, common_hz=0, phase0_deg=0, phase1_deg_per_ppm=0, lorentz_hz=10, gauss_hz=0)
    found = simulate(priors, BASIS, n=1, seed=0, effects=CLEAN, concentrations=one).values[0]
    wanted = to_spectrum(BASIS.fids[0] * np.exp(-np.pi * 10 * BASIS.acquisition.time_s))
    assert np.abs(found - wanted).max() < 1e-6 * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 0}, "n of 1 or more"),
        ({"start": -1}, "start = -1"),
        ({"concentrations": np.ones((2, 5))}, r"wanted \(3, 5\)"),
        ({"basis": replace(BASIS, names=("Cho", "GPC", "PCh", "Glu", "Gold"))}, "the priors have no Gold"),
    ],
)
def test_impossible_wishes_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        simulate(PRIORS, **({"basis": BASIS, "n": 3, "seed": 0} | wrong))


def test_noise_in_units_of_a_told_height_does_not_know_the_concentrations() -> None:
    """In units of its own peak, a spectrum of twice the choline has twice the noise: a classifier's cheat."""
    amounts = simulate(PRIORS, BASIS, n=64, seed=1).concentrations
    for height, ratio in ((5.0, 1.0), (None, 2.0)):
        priors = replace(PRIORS, height=height)
        once, twice = (simulate(priors, BASIS, n=64, seed=1, concentrations=times * amounts) for times in (1, 2))
        assert twice.noise_sd / once.noise_sd == pytest.approx(np.full(64, ratio), rel=1e-5)
    assert replace(PRIORS, height=5.0).digest != PRIORS.digest
