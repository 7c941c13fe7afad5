"""Imputation: Rubin's rules by hand, gaps filled as other columns say, and nothing learnt from whom it is used on."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import EvaluationError
from hepatica.evaluate import complete_by_fold, cox, fit_imputation, pool, pooled_cox


@pytest.fixture
def related() -> pd.DataFrame:
    """120 patients, two columns of correlation 0.9; a third of the second is missing, more where the first is high."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=120)
    second = 0.9 * first + np.sqrt(1 - 0.81) * rng.normal(size=120)
    gone = rng.random(120) < 1 / (1 + np.exp(0.8 - first))
    return pd.DataFrame({"first": first, "second": np.where(gone, np.nan, second), "whole": second})


def test_rubins_rules_by_hand() -> None:
    # 1, 2, 3 of variance 1 each: between 1, in all 1 + 4 / 3; degrees 2 (1 + 3 / 4)² = 6.125, of which t is
    # 2.435 between the 2.447 of 6 and the 2.365 of 7 (tables).
    found = pool([1, 2, 3], variances=[1, 1, 1], n=50)
    assert found.value == 2
    assert found.high - found.value == pytest.approx(2.435 * np.sqrt(7 / 3), abs=2e-3)
    assert pool([2, 2], variances=[1, 1], n=50).high == pytest.approx(2 + 1.959964)
    with pytest.raises(EvaluationError, match="one completion"):
        pool([1], variances=[1], n=50)


def test_gaps_follow_the_other_column_and_undo_the_bias(related: pd.DataFrame) -> None:
    tables = fit_imputation(related[["first", "second"]], draws=5).complete(related[["first", "second"]])
    gone = related["second"].isna()
    drawn = np.mean([each.loc[gone, "second"] for each in tables], axis=0)
    assert np.corrcoef(drawn, related.loc[gone, "whole"])[0, 1] > 0.7
    bias = related["second"].mean() - related["whole"].mean()
    filled = np.mean([each["second"].mean() for each in tables]) - related["whole"].mean()
    assert abs(filled) < abs(bias) / 2
    assert all(each.loc[~gone, "second"].equals(related.loc[~gone, "second"]) for each in tables)
    assert tables[0].loc[gone, "second"].nunique() == gone.sum()
    assert not np.allclose(tables[0], tables[1])


def test_what_is_filled_does_not_depend_on_who_else_is_there(related: pd.DataFrame) -> None:
    fitted = fit_imputation(related[["first", "second"]].iloc[:80], draws=2)
    one, two = fitted.complete(related.iloc[80:]), fitted.complete(related.iloc[80:])
    assert all(first.equals(second) for first, second in zip(one, two, strict=True))


def test_a_fold_is_filled_by_the_others_alone(related: pd.DataFrame) -> None:
    columns, fold = ["first", "second"], np.arange(120) % 3
    before = complete_by_fold(related[columns], fold=fold, draws=2)
    changed = related[columns].mask(pd.Series(fold == 0), related[columns] * 5)
    after = complete_by_fold(changed, fold=fold, draws=2)
    assert before[0].index.equals(related.index)
    assert not after[0][fold == 1].equals(before[0][fold == 1])  # they learn from fold 0
    alone = fit_imputation(related.loc[fold != 0, columns], draws=2).complete(changed[fold == 0])
    assert after[0][fold == 0].equals(alone[0])  # which taught fold 0 nothing


def test_text_and_absent_columns_are_refused() -> None:
    table = pd.DataFrame({"sex": ["m", "f"]})
    with pytest.raises(EvaluationError, match=r"\['sex'\] are no numbers"):
        fit_imputation(table)
    with pytest.raises(EvaluationError, match="lacks"):
        fit_imputation(pd.DataFrame({"a": [1.0, 2, 3], "b": [1.0, 2, np.nan]}), draws=2).complete(table)


def test_pooled_hazard_ratios_of_pbc_use_all_patients() -> None:
    path = Path(os.environ.get("HEPATICA_DATA", "")) / "clinical" / "pbc.csv"
    if not path.is_file():
        pytest.skip("pbc is not at hand; HEPATICA_DATA names the folder")
    table = pd.read_csv(path)
    names = ["age", "bili", "protime", "albumin", "copper"]
    covariates = table[names].apply(lambda column: column if column.name == "age" else np.log(column))
    time, event = table["time"].to_numpy(), (table["status"] == 2).to_numpy(int)
    pooled = pooled_cox(fit_imputation(covariates, draws=3).complete(covariates), time=time, event=event)
    known = covariates.notna().all(axis=1)
    whole = cox(covariates[known], time=time[known], event=event[known])
    assert pooled["age"].ratio.n == 418 > known.sum()
    for name in ("age", "bili"):
        few, all_ = whole[name].ratio, pooled[name].ratio
        assert few.low < all_.value < few.high
        assert np.log(all_.high / all_.low) < np.log(few.high / few.low)
        assert pooled[name].p < 0.001
