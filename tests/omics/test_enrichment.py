"""Enrichment: hypergeometric and Fisher P by hand, and false discoveries."""

from math import comb

import numpy as np
import pandas as pd
import pytest

from hepatica.cohort import CohortError
from hepatica.omics.enrichment import associated, enriched, read_gene_sets


def test_hypergeometric_p_and_q_by_hand() -> None:
    """Of ten genes four are chosen; three of them are in a set of four, one in another of four."""
    among = list("ABCDEFGHIJ")
    sets = {"cycle": {"A", "B", "C", "E", "OTHER"}, "other": {"D", "F", "G", "H"}, "absent": {"X"}}
    found = enriched(["A", "B", "C", "D"], among=among, sets=sets).set_index("set")
    three_or_more = (comb(4, 3) * comb(6, 1) + comb(4, 4)) / comb(10, 4)
    one_or_more = 1 - comb(6, 4) / comb(10, 4)
    assert found.loc["cycle", ["genes", "chosen"]].tolist() == [4, 3]
    assert found["p"].tolist() == pytest.approx([three_or_more, one_or_more])
    assert found["q"].tolist() == pytest.approx([2 * three_or_more, one_or_more])
    assert "absent" not in found.index


def test_mutations_by_fisher_with_false_discoveries_by_hand() -> None:
    groups = pd.Series(["S1"] * 4 + ["S2"] * 4, index=list("abcdefgh"))
    mutations = pd.DataFrame(
        {"TP53": [1, 1, 1, 1, 0, 0, 0, 0], "RB1": [1, 1, 0, 0, 1, 1, 0, np.nan], "ALB": 0}, index=groups.index
    )
    found = associated(groups, mutations=mutations).set_index("mutation")
    assert found.index.tolist() == ["TP53", "RB1"]
    assert found.loc["TP53", ["S1", "S2"]].tolist() == [1, 0]
    assert found.loc["TP53", "p"] == pytest.approx(2 / comb(8, 4))
    assert found.loc["RB1", "p"] == pytest.approx(1)
    assert found.loc["TP53", "q"] == pytest.approx(4 / comb(8, 4))


def test_gmt_is_read_and_another_file_refused(tmp_path) -> None:
    path = tmp_path / "sets.gmt"
    path.write_text("WNT\thttp://x\tAXIN2\tLGR5\t\nCYCLE\t\tMKI67\n\n")
    assert read_gene_sets(path) == {"WNT": {"AXIN2", "LGR5"}, "CYCLE": {"MKI67"}}
    path.write_text("WNT,AXIN2\n")
    with pytest.raises(CohortError, match=r"sets.gmt row 1: got 1 cells, wanted a name, a description, genes"):
        read_gene_sets(path)
