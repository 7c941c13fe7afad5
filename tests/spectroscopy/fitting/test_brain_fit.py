"""Brain fit: the baseline stays stiff where that serves, and bends under what is no metabolite."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.brain_fit import FREEDOMS, MOST_LEFT, brain_fit
from hepatica.spectroscopy.reading.read import read_spectrum
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.spectrum import Spectrum
from hepatica.spectroscopy.signal.targets import BRAIN17

BRAIN = Acquisition(te_ms=30.0)
BASIS = simulate_basis(BRAIN, names=("NAA", "Cr", "GPC", "Ins", "Glu"))
TRUE = np.array([10.0, 8.0, 1.5, 6.0, 9.0])


def spectrum(*, strange: float) -> Spectrum:
    """A brain of known concentrations; `strange` is the height of a broad line upside down at 1.1 ppm."""
    time, rng = BRAIN.time_s, np.random.default_rng(0)
    upside_down = strange * np.exp((2j * np.pi * (1.1 - 4.65) * BRAIN.f0_mhz - np.pi * 30) * time)
    fid = (TRUE @ BASIS.fids) * np.exp(-np.pi * 6 * time) - upside_down
    noise = 0.2 * (rng.normal(size=time.size) + 1j * rng.normal(size=time.size))
    return Spectrum(fid=fid + noise, acquisition=BRAIN)


def test_a_baseline_is_as_stiff_as_it_can_be() -> None:
    fit, left = brain_fit(spectrum(strange=0.0), basis=BASIS)
    assert fit.model.freedom == FREEDOMS[0]
    assert left == pytest.approx(1, abs=0.15)
    np.testing.assert_allclose(fit.concentration[0, :5], TRUE, rtol=0.08)


def test_it_bends_under_what_is_strange_and_tells_what_is_left() -> None:
    fit, left = brain_fit(spectrum(strange=40.0), basis=BASIS)
    assert fit.model.freedom > FREEDOMS[0]
    assert fit.model.freedom == FREEDOMS[-1] or left < MOST_LEFT
    naa, creatine = fit.concentration[0, :2]
    assert naa / creatine == pytest.approx(TRUE[0] / TRUE[1], rel=0.05)
    assert brain_fit(spectrum(strange=2000.0), basis=BASIS)[1] > MOST_LEFT


def test_a_basis_without_creatine_is_refused() -> None:
    with pytest.raises(SettingsError, match="no Cr"):
        brain_fit(spectrum(strange=0.0), basis=BASIS.select(["NAA"]))


@pytest.mark.parametrize("with_water", [True, False])
def test_osprey_s_lipids_from_outside_do_not_make_naag_of_naa(real, with_water) -> None:
    """With 6 degrees of freedom NAAG took nine tenths of NAA's peak."""
    folder = real / "osprey"
    water = folder / "sub-01_PRESS_35_ref.sdat" if with_water else None
    read = read_spectrum(folder / "sub-01_PRESS_35_act.sdat", water=water)
    fit, left = brain_fit(read, basis=simulate_basis(replace(read.acquisition, tr_ms=None), names=BRAIN17))
    found = dict(zip(fit.model.names, fit.concentration[0], strict=True))
    assert fit.converged.all()
    assert fit.model.freedom == 12
    assert left < MOST_LEFT
    assert found["NAAG"] < 0.2 * found["NAA"]
