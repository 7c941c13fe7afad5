"""Registry: columns of scores for a table: order, missing values, missing columns, and properties that must hold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.clinical.scores import SCORES, add_scores, find_score, score
from hepatica.cohort.errors import CohortError, SettingsError

TABLE = pd.DataFrame(
    {
        "age_years": [67, 30, 50],
        "sex": ["male", "female", "male"],
        "platelets_10e9_l": [99, 200, 150],
        "albumin_g_l": [34, 42, 38],
        "bilirubin_umol_l": [36, 9, 20],
    },
    index=["C", "A", "B"],
)


def test_a_score_has_the_order_and_index_of_the_table() -> None:
    found = score("page_b", TABLE)
    assert list(found.index) == ["C", "A", "B"]
    assert list(found.columns) == ["page_b", "page_b_band"]
    assert found["page_b"].tolist() == [23, 2, 18]
    assert found["page_b_band"].tolist() == ["high", "low", "high"]
    assert found["page_b_band"].cat.ordered


def test_all_that_the_table_allows() -> None:
    assert {each for each in add_scores(TABLE) if each in SCORES} == {"page_b", "mpage_b", "amap", "albi", "malbi"}


@pytest.mark.parametrize("name", ["page_b", "mpage_b", "amap", "albi"])
def test_a_row_with_a_missing_input_has_no_score(name: str) -> None:
    for column in SCORES[name].inputs:
        table = TABLE.astype({column: object})
        table.loc["A", column] = None
        found = score(name, table)
        assert found[name].isna().tolist() == [False, True, False]
        assert found[f"{name}_band"].isna().tolist() == [False, True, False]
        kept = score(name, TABLE)
        pd.testing.assert_frame_equal(found.drop(index="A"), kept.drop(index="A"))


def test_a_stage_is_an_ordered_category() -> None:
    table = pd.DataFrame({"tumour_number": [1, 5], "tumour_size_cm": [2, 6], "child_pugh": ["A", "a"], "ecog": [0, 0]})
    table = table.assign(vascular_invasion=[0, 1], extrahepatic_spread=[False, False])
    found = score("bclc", table)["bclc"]
    assert found.tolist() == ["0", "C"]
    assert found.cat.categories.tolist() == ["0", "A", "B", "C", "D"]
    assert found.max() == "C"


def test_what_is_absent_is_named() -> None:
    with pytest.raises(CohortError, match=r"lacks afp_ng_ml \(hap\), tumour_size_cm \(hap\)"):
        score("hap", TABLE)
    with pytest.raises(CohortError, match="inputs of no score"):
        add_scores(TABLE[["age_years"]])


def test_an_unknown_score_is_refused() -> None:
    with pytest.raises(SettingsError, match="did you mean page_b"):
        find_score("pageb")


def test_unconfirmed_scores_say_so() -> None:
    doubtful = {each.name for each in SCORES.values() if not each.confirmed}
    assert doubtful == {"cu_hcc", "gag_hcc_simplified", "malbi", "child_pugh_points_cholestatic"}
    assert len(SCORES) >= 30
    assert all(each.doi.startswith("10.") and each.scope and each.check.endswith(each.name) for each in SCORES.values())


ROWS = st.fixed_dictionaries(
    {
        "age_years": st.integers(18, 90),
        "sex": st.sampled_from(["female", "male"]),
        "platelets_10e9_l": st.integers(20, 600),
        "albumin_g_l": st.integers(15, 55),
        "bilirubin_umol_l": st.integers(4, 300),
        "ast_u_l": st.integers(10, 900),
        "alt_u_l": st.integers(10, 900),
        "ast_uln_u_l": st.just(40),
    }
)
RISING = {
    "age_years": ["page_b", "mpage_b", "amap", "fib_4"],
    "bilirubin_umol_l": ["amap", "albi"],
    "ast_u_l": ["fib_4", "apri"],
}
FALLING = {
    "platelets_10e9_l": ["page_b", "mpage_b", "amap", "fib_4", "apri"],
    "albumin_g_l": ["mpage_b", "amap", "albi"],
}


@settings(max_examples=25, deadline=None)
@given(row=ROWS, step=st.integers(1, 20))
def test_scores_rise_and_fall_with_their_inputs(row: dict[str, object], step: int) -> None:
    table = pd.DataFrame([row, row])
    for direction, names in ((1, RISING), (-1, FALLING)):
        for column, affected in names.items():
            changed = table.copy()
            changed.loc[1, column] += step
            found = add_scores(changed, names=affected)
            for name in affected:
                assert direction * (found[name][1] - found[name][0]) >= -1e-12


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=4))
def test_scores_do_not_depend_on_the_unit(rows: list[dict[str, object]]) -> None:
    table = pd.DataFrame(rows)
    other = pd.DataFrame(
        {
            "age_years": table["age_years"],
            "sex": table["sex"],
            "platelets_per_ul": table["platelets_10e9_l"] * 1000,
            "albumin_g_dl": table["albumin_g_l"] / 10,
            "bilirubin_mg_dl": table["bilirubin_umol_l"] / 17.104,
            "ast_ukat_l": table["ast_u_l"] / 60,
            "alt_ukat_l": table["alt_u_l"] / 60,
            "ast_uln_u_l": table["ast_uln_u_l"],
        }
    )
    names = ["page_b", "mpage_b", "amap", "albi", "fib_4", "apri"]
    found, same = add_scores(table, names=names), add_scores(other, names=names)
    for name in names:
        np.testing.assert_allclose(found[name], same[name], rtol=1e-7, atol=1e-7)
    assert (found["mpage_b"] == same["mpage_b"]).all()
