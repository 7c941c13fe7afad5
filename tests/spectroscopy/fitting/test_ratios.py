"""Ratios: Fieller's limits as simulated, what cancels, and what is not divided."""

import numpy as np
import pytest

from hepatica.spectroscopy.fitting.quantities import Quantities
from hepatica.spectroscopy.fitting.ratios import fieller, ratios

COVARIANCE = np.array([[0.25, 0.1], [0.1, 0.16]])


def test_intervals_hold_the_ratio_as_often_as_they_claim() -> None:
    """20,000 draws; the delta method would hold it in 0.93."""
    true = np.array([3.0, 2.0])
    drawn = np.random.default_rng(0).multivariate_normal(true, COVARIANCE, size=20_000)
    held = [low <= 1.5 <= high for low, high in (fieller(each, covariance=COVARIANCE) for each in drawn)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.005)


def test_a_common_scale_cancels_and_an_equal_part_is_certain() -> None:
    value = np.array([3.0, 2.0])
    shared = 0.04 * np.outer(value, value)
    assert fieller(value, covariance=shared) == pytest.approx((1.5, 1.5))
    alone = fieller(value, covariance=COVARIANCE)
    assert fieller(value, covariance=COVARIANCE + shared) == pytest.approx(alone, rel=0.05)


def quantities(**changes: object) -> Quantities:
    names = ("Cr", "PCr", "tCr", "tCho", "Lac")
    covariance = np.diag([0.25, 0.25, 0.16, 0.04, 9.0])[None]
    usual = {
        "names": names, "method": "nls", "unit": "mM", "concentration": np.array([[5.0, 3.0, 8.0, 2.0, 1.0]]),
        "covariance": covariance, "bound": covariance, "flags": ((),),
    }  # fmt: skip
    return Quantities(**usual | changes)  # type: ignore[arg-type]


def test_only_what_is_reported_is_divided_by_what_is_reported() -> None:
    """Lac is not; creatine is summed with phosphocreatine; no lipids."""
    found = ratios(quantities()).set_index("target")
    assert list(found.index) == ["Cr/tCr", "PCr/tCr", "tCho/tCr"]
    row = found.loc["tCho/tCr"]
    assert (row["value"], row["unit"]) == (0.25, "")
    assert 0.25 - row["low"] == pytest.approx(1.96 * np.hypot(0.2 / 8, 0.25 * 0.4 / 8), rel=0.1)
    of_water = ratios(quantities(), water_mm=40_000.0).set_index("target")
    assert of_water.loc["tCho/water", ["value", "low", "high"]].tolist() == pytest.approx(
        [0.05, 0.0402, 0.0598], rel=1e-4
    )
    assert ratios(quantities(covariance=100 * quantities().covariance)).empty


def test_what_is_not_known_of_the_scale_counts_where_it_differs() -> None:
    """Of both by one factor: next to nothing. To water: all of it."""
    concentration = quantities().concentration
    scale = 0.04 * concentration[:, :, None] * concentration[:, None, :]
    sure, unsure = (ratios(quantities(unknown_scale=each), water_mm=40_000.0).set_index("target")
                    for each in (None, scale))  # fmt: skip
    width = {name: each.loc[:, "high"] - each.loc[:, "low"] for name, each in (("sure", sure), ("unsure", unsure))}
    assert width["unsure"]["tCho/tCr"] == pytest.approx(width["sure"]["tCho/tCr"], rel=0.1)
    assert width["unsure"]["tCho/water"] > 2 * width["sure"]["tCho/water"]
