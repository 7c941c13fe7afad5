"""Inputs: columns by quantity and unit: declared, named, converted, refused."""

import numpy as np
import pandas as pd
import pytest

from hepatica.clinical.inputs import Inputs
from hepatica.cohort.errors import CohortError, SettingsError


def read(units: object = None, *, want: str, **columns: object) -> list[float]:
    inputs = Inputs(pd.DataFrame(columns), units=units)  # type: ignore[arg-type]
    found = inputs[want].tolist()
    inputs.faults.raise_if_any("the table")
    return found


@pytest.mark.parametrize(
    ("column", "given", "want", "values"),
    [
        ("albumin_g_dl", [3.4], "albumin_g_l", [34]),
        ("albumin_g_l", [34], "albumin_g_dl", [3.4]),
        ("bilirubin_mg_dl", [2], "bilirubin_umol_l", [34.208]),
        ("bilirubin_umol_l", [51.312], "bilirubin_mg_dl", [3]),
        ("creatinine_umol_l", [88.42], "creatinine_mg_dl", [1]),
        ("platelets_per_ul", [93_000], "platelets_10e9_l", [93]),
        ("platelets_10e4_ul", [15], "platelets_10e9_l", [150]),
        ("afp_iu_ml", [100], "afp_ng_ml", [121]),
        ("ast_ukat_l", [1], "ast_u_l", [60]),
        ("hbv_dna_log10_copies_ml", [5], "hbv_dna_copies_ml", [1e5]),
        ("hbv_dna_iu_ml", [1000], "hbv_dna_copies_ml", [5820]),
        ("hbv_dna_copies_ml", [1e6], "hbv_dna_log10_copies_ml", [6]),
        ("tumour_size_mm", [30], "tumour_size_cm", [3]),
        ("Platelets_10e9_L", [93], "platelets_10e9_l", [93]),
        ("sex", ["Female", "male", None, ""], "sex", [0, 1, np.nan, np.nan]),
        ("cirrhosis", [0, 1, np.nan], "cirrhosis", [0, 1, np.nan]),
        ("cirrhosis", ["no", "Yes", "1"], "cirrhosis", [0, 1, 1]),
        ("dialysis", [True, False], "dialysis", [1, 0]),
        ("ascites", ["none", "moderate"], "ascites", [0, 2]),
    ],
)
def test_a_column_says_quantity_and_unit(column: str, given: object, want: str, values: list[float]) -> None:
    assert read(want=want, **{column: given}) == pytest.approx(values, rel=1e-12, nan_ok=True)


def test_a_declared_column() -> None:
    assert read({"platelets": "10^9/L"}, want="platelets_10e9_l", platelets=[90]) == [90]
    assert read({"platelets": "10*9/l"}, want="platelets_10e9_l", platelets=["90"]) == [90]
    assert read({"albumin": {"column": "Alb", "unit": "g/dL"}}, want="albumin_g_l", Alb=[3.5]) == [35]
    units = {"sex": {"column": "M", "values": {"1": "male", "0": "female"}}}
    assert read(units, want="sex", M=[1, 0]) == [1, 0]
    units = {"encephalopathy": {"column": "E", "values": {"None": 0, "Grade I/II": 1}}}
    assert read(units, want="encephalopathy", E=["None", "Grade I/II", ""]) == pytest.approx(
        [0, 1, np.nan], nan_ok=True
    )


def test_one_value_for_all_rows() -> None:
    assert read({"dialysis": {"value": "no"}}, want="dialysis", x=[1, 2]) == [0, 0]
    assert read({"ast_uln": {"value": 40, "unit": "U/L"}}, want="ast_uln_u_l", x=[1, 2]) == [40, 40]
    with pytest.raises(CohortError, match="wanted dialysis twice"):
        read({"dialysis": {"value": "sometimes"}}, want="dialysis", x=[1])


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ({"dcp": "mAU/mL"}, "got 'mAU/mL' for des-gamma-carboxyprothrombin, wanted ng/mL: 1 mAU is not 1 ng"),
        ({"pivka_ii": "ng/mL"}, "1 ng is not 1 mAU"),
        ({"albumin": "mg/L"}, "got 'mg/L' for albumin, wanted g/L, g/dL: it is not converted"),
        ({"albumin": {"column": "x"}}, r"\[albumin\] has no unit, wanted unit = one of g/L, g/dL"),
        (
            {"albumin": {"column": "x", "units": "g/L"}},
            "'units': 'g/L'.*, wanted a unit, or column, unit, value, values",
        ),
        ({"albumin": 10}, r"\[albumin\] got 10, wanted a unit"),
        ({"sex": {"unit": "cm"}}, "wanted no unit"),
        ({"platelet": "10^9/L"}, "did you mean platelets"),
    ],
)
def test_a_unit_that_is_not_one_is_refused(units: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Inputs(pd.DataFrame({"x": [1]}), units=units)  # type: ignore[arg-type]


def test_a_column_without_unit_is_refused_with_all_others() -> None:
    inputs = Inputs(pd.DataFrame({"Albumin": [34], "AST": [40], "age_years": [50]}))
    with pytest.raises(CohortError, match=r"Albumin \(one of g/L, g/dL\); AST \(one of U/L, IU/L, ukat/L\)"):
        inputs.refuse_undeclared()
    with pytest.raises(CohortError, match="wanted one for Albumin"):
        inputs["albumin_g_l"]


def test_a_declared_column_that_is_absent_is_refused() -> None:
    with pytest.raises(CohortError, match="no column 'Plt', declared as platelets; did you mean PLTs"):
        Inputs(pd.DataFrame({"PLTs": [1]}), units={"platelets": {"column": "Plt", "unit": "10^9/L"}})


def test_two_columns_of_a_quantity_are_refused() -> None:
    inputs = Inputs(pd.DataFrame({"albumin_g_l": [34], "albumin_g_dl": [3.4]}))
    with pytest.raises(CohortError, match="albumin_g_l, albumin_g_dl, wanted one"):
        inputs["albumin_g_l"]


@pytest.mark.parametrize(
    ("columns", "want", "message"),
    [
        ({"age_years": [50, -1]}, "age_years", "row 1 column age_years: got -1, wanted age of 0 to 120 years"),
        ({"age_years": [50, 150]}, "age_years", "got 150"),
        ({"albumin_g_l": [34, 3.4, 340]}, "albumin_g_l", "rows 1, 2 column albumin_g_l: got 3.4, 340"),
        ({"inr": [1, 0]}, "inr", "row 1 column inr: got 0, wanted INR of 0.3 to 20"),
        ({"sex": ["male", "x"]}, "sex", "row 1 column sex: got 'x', wanted sex: female, male"),
        ({"sex": [1, 0]}, "sex", "wanted sex: female, male"),
        ({"afp_ng_ml": ["5", "high"]}, "afp_ng_ml", "row 1 column afp_ng_ml: got 'high'"),
        ({"age_years": [50.0, np.inf]}, "age_years", "got inf"),
        ({"hbv_dna_log10_copies_ml": [5, 14]}, "hbv_dna_copies_ml", "wanted HBV DNA of -inf to 13 log10 copies/mL"),
    ],
)
def test_an_impossible_value_is_named_by_row_and_column(columns: object, want: str, message: str) -> None:
    with pytest.raises(CohortError, match=message):
        read(want=want, **columns)  # type: ignore[arg-type]


def test_values_in_another_unit_are_counted_and_not_averaged() -> None:
    mixed = [99, 150, 210, 180, *[93_000, 120_000, 210_000]]
    with pytest.raises(CohortError, match="3 of 7 values look like /µL; a column has one unit"):
        read(want="platelets_10e9_l", platelets_10e9_l=mixed)
    with pytest.raises(CohortError, match="4 of 7 values look like 10\\^9/L"):
        read(want="platelets_10e9_l", platelets_per_ul=mixed)


def test_a_median_of_another_unit_is_refused() -> None:
    with pytest.raises(CohortError, match=r"the median of total bilirubin is 0.9 µmol/L, which looks like mg/dL"):
        read(want="bilirubin_umol_l", bilirubin_umol_l=[0.9] * 8)
    with pytest.raises(CohortError, match="is 14 mg/dL, which looks like µmol/L"):
        read(want="bilirubin_umol_l", bilirubin_mg_dl=[14] * 8)
    assert read(want="bilirubin_umol_l", bilirubin_umol_l=[0.9] * 7) == [0.9] * 7  # too few to tell
    assert read(want="bilirubin_umol_l", bilirubin_umol_l=[12] * 8) == [12] * 8
