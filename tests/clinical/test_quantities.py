"""Quantities: names of columns and units, and ranges that hold what is usual."""

import pytest

from hepatica.clinical.quantities import COLUMNS, QUANTITIES, unit_key


@pytest.mark.parametrize(
    ("unit", "key"),
    [
        ("10^9/L", "10e9_l"),
        ("10*9/l", "10e9_l"),
        ("µmol/L", "umol_l"),
        ("μmol/l", "umol_l"),
        ("/µL", "per_ul"),
        ("%", "percent"),
        ("log10 copies/mL", "log10_copies_ml"),
        (" mAU/mL ", "mau_ml"),
    ],
)
def test_a_unit_as_in_the_name_of_a_column(unit: str, key: str) -> None:
    assert unit_key(unit) == key


def test_names_of_columns_are_those_of_the_cohorts() -> None:
    assert COLUMNS["platelets_10e9_l"] == ("platelets", "10^9/L")
    assert COLUMNS["afp_l3_percent"] == ("afp_l3", "%")
    assert {"age_years", "sex", "albumin_g_l", "bilirubin_umol_l", "alt_u_l", "inr", "afp_ng_ml"} <= set(COLUMNS)
    assert {"tumour_size_cm", "tumour_number", "vascular_invasion", "child_pugh", "aetiology"} <= set(COLUMNS)


def test_what_is_usual_is_possible() -> None:
    for quantity in QUANTITIES.values():
        low, high = quantity.possible
        assert low < high
        assert quantity.typical[0] >= low or not quantity.units
        assert not (quantity.units and quantity.levels)
        assert not quantity.units or next(iter(quantity.units.values())) == 1
