"""Macromolecules: lines and ratios of the table, and LCModel's own result on its test data."""

from dataclasses import replace

import numpy as np
import pytest

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.lcmodel_basis import read_lcmodel_basis
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.macromolecules import brain_held, brain_model, lorentzian, with_macromolecules
from hepatica.spectroscopy.fitting.nls import nls
from hepatica.spectroscopy.reading.lcmodel_raw import read_lcmodel_raw
from hepatica.spectroscopy.signal.acquisition import Acquisition
from hepatica.spectroscopy.signal.header import Header
from hepatica.spectroscopy.signal.spectrum import to_spectrum

BASIS = simulate_basis(Acquisition(), names=("Cr", "Ala"))


def test_a_proton_is_as_high_as_one_of_creatine():
    """MM20 has 1.33 + 0.33 + 0.33 + 0.4 protons, -CrCH2 minus 2; a proton of our basis is 1 high, here 10."""
    added = with_macromolecules(replace(BASIS, fids=10 * BASIS.fids))
    first = dict(zip(added.names, added.fids[:, 0], strict=True))
    assert first["MM20"] == pytest.approx(23.9, rel=0.02)
    assert first["-CrCH2"] == pytest.approx(-20, rel=0.02)
    assert (added.fids[:2] == 10 * BASIS.fids).all()


def test_what_the_basis_has_is_not_added_again():
    once = with_macromolecules(BASIS)
    assert with_macromolecules(once).names == once.names


def test_a_basis_without_creatine_is_refused():
    with pytest.raises(SettingsError, match="no Cr"):
        with_macromolecules(BASIS.select(["Ala"]))


def test_widths_add_up_as_voigt_has_them():
    assert lorentzian(0.14, 0.14) == 0
    assert lorentzian(0.0, 0.2) == pytest.approx(0.2, rel=1e-3)
    width = lorentzian(0.14, 0.17)
    assert 0.5346 * width + np.sqrt(0.2166 * width**2 + 0.14**2) == pytest.approx(0.17)


def test_what_is_held_is_in_hertz():
    held = brain_held(f0_mhz=100.0)
    assert held.shift_sd_hz == pytest.approx(0.4)
    assert held.own_shift_sd_hz["MM17"] == pytest.approx(3)
    assert held.shared["lorentz_hz"] == pytest.approx((2 / np.pi, 0.4 / np.pi))


def test_lcmodel_s_own_result_comes_out(real, published):
    """All rows surer than 20 % within 2 of LCModel's standard deviations, as ratios to Cr+PCr and as they are.

    Source: test_lcm of schorschinho/LCModel, out_ref_build.ps.
    """
    folder = real / "lcmodel"
    basis = read_lcmodel_basis(folder / "3t.basis", te_ms=30.0)
    told = Header(f0_mhz=127.786142, bandwidth_hz=2000.0, te_ms=30.0)
    decay = read_lcmodel_raw(folder / "data.raw", told=told).fids[0, 0]
    model = brain_model(basis)
    fit = nls(model.window(to_spectrum(decay))[None], model=model, held=brain_held(f0_mhz=127.786142))
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
