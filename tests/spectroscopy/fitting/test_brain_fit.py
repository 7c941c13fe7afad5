"""Brain fit: macromolecules and soft constraints are LCModel's, the baseline is freed where residuals are large."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.lcmodel_basis import read_lcmodel_basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.brain_fit import (
    FREEDOMS,
    MOST_LEFT,
    brain_constraints,
    brain_fit,
    brain_model,
    lorentzian,
    with_macromolecules,
)
from hepatica.spectroscopy.fitting.least_squares import nls
from hepatica.spectroscopy.reading.lcmodel_raw import read_lcmodel_raw
from hepatica.spectroscopy.reading.read import read_spectrum
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import Spectrum, to_spectrum
from hepatica.spectroscopy.signal.targets import BRAIN17

OF_TWO = simulate_basis(Acquisition(), names=("Cr", "Ala"))


def test_a_proton_is_as_high_as_one_of_creatine():
    """MM20 has 1.33 + 0.33 + 0.33 + 0.4 protons, -CrCH2 minus 2; a proton of our basis is 1 high, here 10."""
    added = with_macromolecules(replace(OF_TWO, fids=10 * OF_TWO.fids))
    first = dict(zip(added.names, added.fids[:, 0], strict=True))
    assert first["MM20"] == pytest.approx(23.9, rel=0.02)
    assert first["-CrCH2"] == pytest.approx(-20, rel=0.02)
    assert (added.fids[:2] == 10 * OF_TWO.fids).all()


def test_what_the_basis_has_is_not_added_again():
    once = with_macromolecules(OF_TWO)
    assert with_macromolecules(once).names == once.names


def test_macromolecules_without_creatine_are_refused():
    with pytest.raises(SettingsError, match="no Cr"):
        with_macromolecules(OF_TWO.select(["Ala"]))


def test_widths_add_up_as_voigt_has_them():
    assert lorentzian(0.14, 0.14) == 0
    assert lorentzian(0.0, 0.2) == pytest.approx(0.2, rel=1e-3)
    width = lorentzian(0.14, 0.17)
    assert 0.5346 * width + np.sqrt(0.2166 * width**2 + 0.14**2) == pytest.approx(0.17)


def test_what_is_held_is_in_hertz():
    constraints = brain_constraints(f0_mhz=100.0)
    assert constraints.shift_sd_hz == pytest.approx(0.4)
    assert constraints.own_shift_sd_hz["MM17"] == pytest.approx(3)
    assert constraints.shared["lorentz_hz"] == pytest.approx((2 / np.pi, 0.4 / np.pi))


def test_lcmodel_s_own_result_comes_out(real, published):
    """All rows surer than 20 % within 2 of LCModel's standard deviations, as ratios to Cr+PCr and as they are.

    Source: test_lcm of schorschinho/LCModel, out_ref_build.ps.
    """
    folder = real / "lcmodel"
    basis = read_lcmodel_basis(folder / "3t.basis", te_ms=30.0)
    overrides = Header(f0_mhz=127.786142, bandwidth_hz=2000.0, te_ms=30.0)
    decay = read_lcmodel_raw(folder / "data.raw", header_overrides=overrides).fids[0, 0]
    model = brain_model(basis)
    fit = nls(model.window(to_spectrum(decay))[None], model=model, constraints=brain_constraints(f0_mhz=127.786142))
    assert fit.converged.all()
    table = published(folder / "out_ref_build.ps")
    sure = {name: row for name, row in table.items() if row[1] < 20 and set(name.split("+")) <= set(model.names)}
    by_name = dict(zip(model.names, fit.concentration[0], strict=True))
    found = {name: sum(by_name[part] for part in name.split("+")) for name in sure}
    away = {name: (found[name] - value) / (percent / 100 * value) for name, (value, percent, _) in sure.items()}
    apart = {
        name: (found[name] / found["Cr+PCr"] - ratio) / (percent / 100 * ratio)
        for name, (_, percent, ratio) in sure.items()
    }
    assert len(sure) == 17
    assert max(np.abs(list(away.values()))) < 2, away
    assert max(np.abs(list(apart.values()))) < 2, apart


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
