"""Quantities: sums, what is not reported, and what is flagged."""

import numpy as np
import pytest
from vectors import vector_of

from hepatica.cohort import SettingsError
from hepatica.spectroscopy.basis.simulated_basis import simulate_basis
from hepatica.spectroscopy.fitting.least_squares import nls
from hepatica.spectroscopy.fitting.quantities import COLUMNS, Quantities, quantities_of
from hepatica.spectroscopy.fitting.signal_model import SignalModel
from hepatica.spectroscopy.signal.acquisition import Acquisition

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
    """Cho: bound 2 of 3 is too much; GPC: 2 of 5 will do; Lac: nothing found."""
    table = quantities().to_table().set_index("target")
    assert list(table.reset_index().columns) == ["target", *(name for name in COLUMNS if name != "target")]
    assert table.loc["Cho", "reported"] == "not quantifiable: the bound is 67% of the value"
    assert np.isnan(table.loc["Cho", "value"])
    assert table.loc["GPC", "reported"] == "5 ± 2 mM"
    assert table.loc["GPC", "value"] == 5
    assert table.loc["GPC", "crlb_percent"] == pytest.approx(40)
    assert table.loc["Lac", "reported"] == "not quantifiable: nothing found"
    assert (table["flags"] == "noticed").all()


def test_a_method_that_is_unsure_itself_is_not_told():
    """A network may say ± 6 of 8 where the spectrum allows ± 1."""
    table = quantities(covariance=np.diag([4, 4, 36.0, 1])[None]).to_table().set_index("target")
    assert table.loc["PCh", "reported"] == "not quantifiable: the method's own deviation is 75% of the value"
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
    scaled = found.with_lipids([2.0, 4.0])
    assert scaled.concentration.tolist() == [[3, 10], [3, 20]]
    assert scaled.covariance[0].tolist() == [[4, 2], [2, 4]]
    assert scaled.bound[1].tolist() == [[1, 2], [2, 16]]
    assert scaled.prior_covariance is not None
    assert scaled.prior_covariance.tolist() == [[1, 0], [0, 9]]
    assert (found.with_lipids(1.0).concentration == found.concentration).all()


def test_what_was_believed_better_before_is_not_told():
    held = quantities(prior_covariance=np.diag([1.0, 1.0, 4.0, 4.0]))
    assert held.quantifiable.tolist() == [[False, False, True, False]]
    assert "less informative than the prior" in held.to_table().reported.iloc[1]


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
    assert found.crlb == pytest.approx(found.sd, rel=0.01)
