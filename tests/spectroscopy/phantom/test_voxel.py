"""Voxel: HCC raises what it should, nothing else tells it, and the decays have the noise and water they should."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort.phantom import CIRRHOSIS, draw_patients
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.water_scaling import water_scale
from hepatica.spectroscopy.phantom.settings import HOSPITALS, STANDARD, PhantomSettings
from hepatica.spectroscopy.phantom.voxel import Voxel, concentrations, draw_voxel
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Spectrum, to_spectrum
from hepatica.spectroscopy.signal.targets import LIVER20

BASIS = simulate_basis(Acquisition(points=512))
LEAN = replace(STANDARD, pdff_percent=0.01)


def liver(settings: PhantomSettings = STANDARD, *, hcc_share: float = 0) -> dict[str, float]:
    patient = draw_patients(1, population=replace(CIRRHOSIS, hcc_share=hcc_share))[0]
    return concentrations(patient, difficulty=0, settings=settings)


def voxel(mm: dict[str, float], *, hospital: str = "A", seed: int = 0) -> Voxel:
    rng = np.random.default_rng(seed)
    return draw_voxel(rng, mm, basis=BASIS, hospital=HOSPITALS[hospital], settings=STANDARD)


def test_nuisance_does_not_know_the_diagnosis() -> None:
    well, ill = (liver(hcc_share=share) for share in (0, 1))
    assert well["Cho"] != ill["Cho"]
    assert voxel(well).nuisance == voxel(ill).nuisance
    assert voxel(well).noise_sd == voxel(ill).noise_sd


def test_the_noise_is_that_of_the_snr() -> None:
    drawn = voxel(liver(LEAN))
    ppm = BASIS.acquisition.ppm
    clean = to_spectrum(drawn.water).real[(ppm > 3.1) & (ppm < 3.3)]
    noise = drawn.noise_sd * np.sqrt(512)
    tcho = drawn.nuisance["snr"] * noise
    assert tcho < clean.max() < 20 * tcho  # on the foot of the water


def test_the_reference_tells_the_scale() -> None:
    drawn = voxel(liver(LEAN))
    acquisition = replace(BASIS.acquisition, tr_ms=STANDARD.tr_ms)
    spectrum = Spectrum(fid=3 * drawn.suppressed, water=3 * drawn.water, acquisition=acquisition)
    scale = water_scale(spectrum, settings=STANDARD.liver)
    times = STANDARD.liver
    seen = (1 - np.exp(-2000 / times.t1_metabolites_ms)) * np.exp(-35 / times.t2_metabolites_ms)
    assert scale.metabolites * 3 * seen == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(("name", "kind"), [("Cho", "metabolites"), ("Lip28", "lipids")])
def test_relaxation_is_that_of_the_component(name: str, kind: str) -> None:
    lean = liver(LEAN)
    first = voxel(lean | {name: lean[name] + 1}).water[0] - voxel(lean).water[0]
    fat = 102.86 / 5 if kind == "lipids" else 0  # protons that water gave way
    t1, t2 = getattr(STANDARD.liver, f"t1_{kind}_ms"), getattr(STANDARD.liver, f"t2_{kind}_ms")
    of_water = (1 - np.exp(-2000 / STANDARD.liver.t1_water_ms)) * np.exp(-35 / STANDARD.liver.t2_water_ms)
    wanted = BASIS.fids[BASIS.names.index(name), 0] * (1 - np.exp(-2000 / t1)) * np.exp(-35 / t2) - fat * of_water
    assert first == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("name", ["lorentz_hz", "gauss_hz", "snr"])
def test_hospitals_differ(name: str) -> None:
    a, b = (
        np.mean([voxel(liver(), hospital=each, seed=seed).nuisance[name] for seed in range(40)]) for each in ("A", "B")
    )
    assert (a > 1.3 * b) if name == "snr" else (b > 1.2 * a)


def logs(count: int, *, difficulty: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Logarithms of concentrations, and who has HCC."""
    people = draw_patients(count, population=CIRRHOSIS)
    table = pd.DataFrame([concentrations(each, difficulty=difficulty, settings=STANDARD) for each in people])
    return np.log(table), np.array([each.tumour.hcc for each in people])


def test_every_target_has_a_concentration() -> None:
    table, _ = logs(37, difficulty=0.5)
    assert set(table.columns) == set(LIVER20)
    assert np.isfinite(table).all(axis=None)


@pytest.mark.parametrize(("difficulty", "effect"), [(0.0, 2.5), (0.6, 1.0), (1.0, 0.0)])
def test_choline_and_lipids_rise_with_hcc_as_far_as_the_difficulty_lets_them(difficulty: float, effect: float) -> None:
    table, hcc = logs(2000, difficulty=difficulty)
    rise = table[hcc].mean() - table[~hcc].mean()
    for name in LIVER20:
        sd = STANDARD.fat_sd if name.startswith("Lip") else STANDARD.between_sd
        raised = name.startswith("Lip") or name in ("Cho", "GPC", "PCh")
        assert rise[name] / sd == pytest.approx(effect if raised else 0, abs=0.17)


def test_patients_are_spread_as_the_settings_say() -> None:
    table, _ = logs(2000, difficulty=1)
    assert table.Tau.std() == pytest.approx(STANDARD.between_sd, rel=0.06)
    assert table.Tau.mean() == pytest.approx(np.log(STANDARD.medians_mm["Tau"]), abs=0.03)
    assert table.GPC.corr(table.PCh) == pytest.approx(STANDARD.shared, abs=0.06)
    assert table.Gln.corr(table.Glu) == pytest.approx(0, abs=0.07)
    assert table.Lip13.std() == pytest.approx(np.hypot(STANDARD.fat_sd, STANDARD.lipid_sd), rel=0.06)


def test_the_median_fat_is_that_of_the_settings() -> None:
    table, _ = logs(2000, difficulty=1)
    protons = np.exp(table.Lip13.median()) * 102.86
    assert protons / 82_800 == pytest.approx(0.025, rel=0.06)
