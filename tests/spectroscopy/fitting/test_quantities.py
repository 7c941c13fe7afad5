"""Quantities: sums, what is not reported, and what is flagged."""

from dataclasses import replace

import numpy as np
import pytest
from vectors import vector_of

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.least_squares import nls
from hepatica.spectroscopy.fitting.quantities import COLUMNS, Quantities, quantities_of
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.signal.acquisition import Acquisition

UNKNOWN = (0.10, 0.12, 0.10)
"""Shares of all values, of metabolites and of lipids."""

NAMES = ("Cho", "GPC", "PCh", "Lac")
COVARIANCE = np.array([[[4, -3, 0, 0], [-3, 4, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]])


def quantities(**changes) -> Quantities:
    usual = {
        "names": NAMES, "method": "nls", "unit": "mM", "concentration": np.array([[3.0, 5.0, 8.0, 0.0]]),
        "covariance": COVARIANCE, "bound": COVARIANCE, "flags": (("noticed",),),
    }  # fmt: skip
    return Quantities(**usual | changes)


def test_a_sum_has_the_standard_deviation_of_its_covariance():
    """Variance of Cho + GPC + PCh: 4 + 4 + 1 - 2 · 3 = 3."""
    table = quantities().with_sums()
    assert table.names == (*NAMES, "tCho")
    assert table.concentration[0, 4] == 16
    assert table.sd[0] == pytest.approx([2, 2, 1, 1, np.sqrt(3)])
    assert table.crlb[0, 4] == pytest.approx(np.sqrt(3))


def test_what_is_unsure_is_not_told_as_a_number():
    """Cho: an SD of 2 of 3 is too much; GPC: 2 of 8 will do; Lac: nothing found."""
    table = quantities(concentration=np.array([[3.0, 8.0, 8.0, 0.0]])).to_table().set_index("target")
    assert list(table.reset_index().columns) == ["target", *(name for name in COLUMNS if name != "target")]
    assert table.loc["Cho", "reported"] == "not quantifiable: the standard deviation is 67% of the value"
    assert np.isnan(table.loc["Cho", "value"])
    assert table.loc["GPC", "reported"] == "8 ± 2 mM"
    assert table.loc["GPC", "value"] == 8
    assert table.loc["GPC", "crlb_percent"] == pytest.approx(25)
    assert table.loc["Lac", "reported"] == "not quantifiable: nothing found"
    assert (table["flags"] == "noticed").all()


def test_a_method_that_is_unsure_itself_is_not_told():
    """A network may say ± 6 of 8 where the spectrum allows ± 1."""
    table = quantities(covariance=np.diag([4, 4, 36.0, 1])[None]).to_table().set_index("target")
    assert table.loc["PCh", "reported"] == "not quantifiable: the standard deviation is 75% of the value"
    assert np.isnan(table.loc["PCh", "value"])


def test_lipids_are_scaled_with_all_that_is_said_of_them():
    spectra = {
        name: np.repeat(value, 2, axis=0)
        for name, value in {
            "concentration": np.array([[3.0, 5.0]]),
            "covariance": np.array([[[4.0, 1.0], [1.0, 1.0]]]),
            "bound": np.array([[[1.0, 0.5], [0.5, 1.0]]]),
        }.items()
    }
    found = quantities(names=("Cho", "Lip13"), flags=((), ()), prior_covariance=np.eye(2), **spectra)
    scaled = found.with_lipids([2.0, 4.0], unknown=UNKNOWN)
    assert scaled.concentration.tolist() == [[3, 10], [3, 20]]
    assert scaled.covariance[0].tolist() == [[4, 2], [2, 4]]
    unknown = [[9 * (0.1**2 + 0.12**2), 30 * 0.1**2], [30 * 0.1**2, 100 * (0.1**2 + 0.1**2)]]  # of all, of each kind
    assert scaled.unknown_scale is not None
    np.testing.assert_allclose(scaled.unknown_scale[0], unknown)
    np.testing.assert_allclose(scaled.sd[0], np.sqrt([4 + unknown[0][0], 4 + unknown[1][1]]))
    both = scaled.combined({"both": ("Cho", "Lip13")})
    assert both.sd[0, 0] == pytest.approx(np.sqrt(4 + 4 + 2 * 2 + np.sum(unknown)))
    assert replace(found, unit="institutional units").with_lipids([2.0, 4.0], unknown=UNKNOWN).unknown_scale is None
    assert scaled.bound[1].tolist() == [[1, 2], [2, 16]]
    assert scaled.prior_covariance is not None
    assert scaled.prior_covariance.tolist() == [[1, 0], [0, 9]]
    assert (found.with_lipids(1.0, unknown=UNKNOWN).concentration == found.concentration).all()


def test_what_comes_from_the_prior_is_not_told():
    """PCh: a variance of 1 is below half of the prior's 4; GPC: one of 4 is not below half of 7."""
    known = quantities(concentration=np.array([[3.0, 8.0, 8.0, 0.0]]), prior_covariance=np.diag([1.0, 7.0, 4.0, 4.0]))
    assert known.quantifiable.tolist() == [[False, False, True, False]]
    assert "adds little to the prior" in known.to_table().reported.iloc[1]


def test_without_water_the_unit_says_so():
    assert quantities(unit="institutional units").to_table().reported.iloc[2] == "8 ± 1 institutional units"


def test_shapes_and_sums_are_checked():
    with pytest.raises(SettingsError, match="wanted"):
        quantities(flags=())
    with pytest.raises(SettingsError, match="Tau"):
        quantities().combined({"x": ("Cho", "Tau")})


def test_a_fit_tells_its_troubles():
    """A spectrum of another make: lines where the model has none."""
    model = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Cr")))
    other = SignalModel(basis=simulate_basis(Acquisition(), names=("Cho", "Cr", "Ala", "Lip09")))
    vector = vector_of(other, {"Cho": 3, "Cr": 3, "Ala": 8, "Lip09": 5}, lorentz_hz=5, gauss_hz=8)
    vector = np.repeat(vector, 2, axis=0)
    vector[1, 2:4] = 0
    values = other.evaluate(vector)
    rng = np.random.default_rng(0)
    values = values + rng.normal(size=values.shape) + 1j * rng.normal(size=values.shape)
    fit = nls(values, model=model, noise_sd=1.0)
    found = quantities_of(fit, method="nls", unit="mM")
    assert "does not describe" in "; ".join(found.flags[0])
    assert found.flags[1] == ()
    assert found.concentration[1] == pytest.approx([3, 3], rel=0.05)
    assert found.crlb[1] == pytest.approx(fit.sd[1], rel=0.01)
    assert fit.chi2[0] > 2
    assert found.crlb[0] == pytest.approx(np.sqrt(fit.chi2[0]) * fit.sd[0])
    assert (found.sd > found.crlb).all()
