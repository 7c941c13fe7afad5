"""Expression: scales, identifiers, gaps and faults of molecular matrices."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import CohortError, load_cohort
from hepatica.cohort.further_table import KINDS
from hepatica.omics.room import (
    all_features,
    centred_log_ratio,
    feature_names,
    log_per_million,
    matrix_of,
    read_features,
)

HEAD = """
name = "x"
{missing}
[tables.expression]
path = "genes.{ending}"
patient = "patient_id"
{more}
"""


@pytest.fixture
def cohort_of(tmp_path, write_cohort):
    def make(text: str, *, kind: str = "log2", names: str | None = None, missing: str = ""):
        more = (f'kind = "{kind}"\n' if kind else "") + ('names = "names.csv"' if names else "")
        write_cohort(tmp_path, head=HEAD.format(more=more, missing=missing, ending="csv"))
        (tmp_path / "genes.csv").write_text(text)
        if names:
            (tmp_path / "names.csv").write_text(names)
        return load_cohort(tmp_path)

    return make


def read(cohort, *names: str) -> np.ndarray:
    return read_features(cohort, features=[f"expression.{name}" for name in names])[0].values


def test_centred_log_ratio_by_hand() -> None:
    parts = np.array([[1, 2, 4], [10, 20, 40], [0, 2, 4], [np.nan, 1, 4]])
    log2 = np.log(2)
    wanted = [[-log2, 0, log2]] * 3 + [[np.nan, -log2, log2]]  # 0 becomes 1, half of 2
    np.testing.assert_allclose(centred_log_ratio(parts), wanted, atol=1e-12)


def test_counts_become_the_logarithm_of_counts_per_million() -> None:
    counts = np.array([[1, 3, 0], [10, 30, 0]])
    np.testing.assert_allclose(log_per_million(counts), [[np.log2(250_001), np.log2(750_001), 0]] * 2)


def test_features_of_every_patient_in_the_order_asked(cohort_of) -> None:
    cohort = cohort_of("patient_id,TP53,ALB\nP2,1.5,\nP1,2,3\n")
    store, report = read_features(cohort, features=("expression.ALB", "expression.TP53", "expression.AFP"))
    assert store.columns == ("expression.ALB", "expression.TP53", "expression.AFP")
    np.testing.assert_array_equal(store.values[:2], np.array([[3, 2, np.nan], [np.nan, 1.5, np.nan]]))
    assert store.index["patient_id"].tolist() == ["P1", "P2"]
    assert store.failures["patient_id"].tolist() == ["P3", "P4", "P5", "P6"]
    assert report["patients"].tolist() == [1, 2, 0]
    assert report["identifiers"].fillna("").tolist() == ["ALB", "TP53", ""]


def test_identifiers_lose_version_and_entrez_number_and_take_the_users_names(cohort_of) -> None:
    cohort = cohort_of(
        "patient_id,ENSG00000141510.17,ALB|213,?|100130426,ENSG00000000003\nP1,1,2,3,4\n",
        names="id,symbol\nENSG00000141510,TP53\nENSG00000000003.9,\n",
    )
    names = feature_names(matrix_of(cohort, "expression"))
    assert list(names.values()) == ["TP53", "ALB", "?|100130426", "ENSG00000000003"]
    assert all_features(cohort, tables=["expression"])[-1] == "expression.TP53"


def test_identifiers_of_one_name_are_averaged_and_reported(cohort_of) -> None:
    cohort = cohort_of("patient_id,TP53|7157,TP53,ALB\nP1,1,4,9\nP2,,4,9\n")
    store, report = read_features(cohort, features=("expression.TP53",))
    assert store.values[:2, 0].tolist() == [2.5, 4]
    assert report["identifiers"].tolist() == ["TP53|7157 TP53"]


def test_declared_codes_are_missing(cohort_of) -> None:
    cohort = cohort_of("patient_id,A,B\nP1,-999,2\nP2,NA,3\n", missing='missing = [-999, "NA"]')
    assert np.isnan(read(cohort, "A", "B")[:2, 0]).all()


def test_z_scores_far_out_count_as_ten(cohort_of) -> None:
    """As in a public table of TCGA-LIHC, whose largest one is 3,965.5."""
    assert read(cohort_of("patient_id,A,B\nP1,3965.5,0\nP2,-0.5,3\n", kind="z"), "A")[:2, 0].tolist() == [10, -0.5]


def test_parquet_gives_what_csv_gives(cohort_of, tmp_path, write_cohort) -> None:
    text = "patient_id,A,B\nP1,0.5,2\nP2,,3\n"
    found = read(cohort_of(text), "A", "B")
    pd.read_csv(tmp_path / "genes.csv").to_parquet(tmp_path / "genes.parquet")
    write_cohort(tmp_path, head=HEAD.format(more='kind = "log2"', missing="", ending="parquet"))
    np.testing.assert_array_equal(read(load_cohort(tmp_path), "A", "B"), found)


def test_semicolons_and_decimal_commas_are_read_the_slow_way(cohort_of) -> None:
    assert read(cohort_of("patient_id;A;B\nP1;0,5;2\nP2;1,5;3\n"), "A")[:2, 0].tolist() == [0.5, 1.5]


def test_an_undeclared_scale_is_an_error(cohort_of) -> None:
    with pytest.raises(CohortError, match=r'add kind to \[tables.expression\] in cohort.toml, such as kind = "log2"'):
        read(cohort_of("patient_id,A\nP1,1\n", kind=""), "A")


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("counts", "1.5", "row 3 column A: got 1.5, wanted counts: whole numbers of 0 or more"),
        ("counts", "-1", "row 3 column A: got -1.0, wanted counts"),
        ("tpm", "2000000", "row 3 column A: got 2000000.0, wanted transcripts or reads per million: 0 to 1,000,000"),
        ("log2", "5000", "row 3 column A: got 5000.0, wanted logarithms to base 2: -30 to 40"),
        ("beta", "1.01", "wanted methylated shares: 0 to 1"),
        ("copy_number", "200", "wanted log2 ratios or levels of copy number: -10 to 10"),
        ("mutation", "2", r"wanted 1 (mutated) or 0"),
        ("abundance", "-0.1", "wanted amounts or concentrations: 0 or more"),
        ("microbiome", "-0.1", "wanted counts or shares of taxa: 0 or more"),
        ("z", "3", "rows 2, 3 column A: got 1.0, 3.0, wanted z-scores, some of them below 0"),
        ("log2", "high", "column A: got text, wanted logarithms to base 2"),
        ("log2", "inf", "row 3 column A: got inf, wanted logarithms"),
    ],
)
def test_values_off_their_scale_are_faults(cohort_of, kind, value, message) -> None:
    with pytest.raises(CohortError) as caught:
        read(cohort_of(f"patient_id,A,B\nP1,1,0\nP2,{value},1\n", kind=kind), "A")
    assert message in str(caught.value)


def test_every_kind_takes_zero_and_one(cohort_of) -> None:
    for kind in KINDS.keys() - {"z"}:
        assert np.isfinite(read(cohort_of("patient_id,A,B\nP1,1,0\nP2,0,1\n", kind=kind), "A")[:2]).all()


def test_a_patient_with_two_rows_is_a_fault(cohort_of) -> None:
    with pytest.raises(CohortError, match=r"row 3 column patient_id: the same patient_id is in row 2 already"):
        read(cohort_of("patient_id,A\nP1,1\nP1,2\n"), "A")


def test_a_table_without_any_of_the_features_names_the_nearest(cohort_of) -> None:
    with pytest.raises(CohortError, match=r"has none of 1 features, TP35: did you mean TP53\?"):
        read(cohort_of("patient_id,TP53\nP1,1\n"), "TP35")


def test_a_table_that_the_cohort_lacks_is_missing_where_it_has_another(cohort_of) -> None:
    cohort = cohort_of("patient_id,A\nP1,1\n")
    store, report = read_features(cohort, features=("expression.A", "mirna.B"))
    assert store.values[0, 0] == 1
    assert np.isnan(store.values[:, 1]).all()
    assert report["patients"].tolist() == [1, 0]
    with pytest.raises(CohortError, match="has no table 'mirna'"):
        read_features(cohort, features=("mirna.B",))


def test_real_tables_of_tcga_lihc_are_on_the_scale_that_they_are_declared_on(tmp_path) -> None:
    data = Path(os.environ.get("HEPATICA_DATA", "")) / "omics"
    if not data.is_dir():
        pytest.skip("HEPATICA_DATA names no folder with the tables of TCGA-LIHC")
    genes = pd.read_csv(data / "porpoise_tcga_lihc_all_clean.csv.zip").drop_duplicates("case_id")
    genes = genes.set_index("case_id").filter(regex="_rnaseq$").rename_axis("patient_id")
    mirna = pd.read_csv(data / "deepprog_tcga_lihc_mir.tsv.gz", sep="\t", index_col=0).rename_axis("patient_id")
    mirna.index = mirna.index.str[:12].str.replace(".", "-")
    shared = genes.index.intersection(mirna.index).sort_values()
    for name, table in (("z", genes.loc[shared]), ("tpm", mirna.loc[shared])):
        table.reset_index().to_parquet(tmp_path / f"{name}.parquet")
    pd.DataFrame(index=shared).to_csv(tmp_path / "patients.csv")
    tables = "\n".join(
        f'[tables.{n}]\npath = "{n}.parquet"\npatient = "patient_id"\nkind = "{n}"' for n in ("z", "tpm")
    )
    (tmp_path / "cohort.toml").write_text(f'name = "x"\n{tables}')
    cohort = load_cohort(tmp_path)
    store, _ = read_features(cohort, features=all_features(cohort, tables=("z", "tpm")))
    assert store.values.shape == (329, 1550 + 365)
    assert genes.max().max() == pytest.approx(3965.4866)
    assert store.values[:, :1550].max() == 10
    assert (2 ** store.values[:, 1550:].astype(float) - 1).sum(axis=1) == pytest.approx(1e6, rel=0.05)
