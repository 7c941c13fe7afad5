from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kruskal

from hepatica.cohort.errors import EvaluationError
from hepatica.evaluate.audit.audit import audit

PUBLISHED = Path(__file__).parent / "published"

HEADER = "characteristic,level,a,b,p\n"


def test_table_4_of_paper_001() -> None:
    """Five characteristics have 31 and 48 patients; BCLC sums to 89, and HBsAg has its rows for columns."""
    found = {each.row: each for each in audit(PUBLISHED / "li_2025_table_4.csv")}
    wrong = {row for row, each in found.items() if each.contradictions}
    assert wrong == {"HBsAg", "BCLC stage"}
    assert found["BCLC stage"].contradictions == (
        "recurrence: sums to 58, most others to 48",
        "all groups: 89 patients, most others have 79",
    )
    assert found["BCLC stage"].repairs == ("recurrence: 3 for 13 (then P is that of Fisher's exact test)",)
    assert found["HBsAg"].contradictions[0] == "no recurrence: sums to 13, most others to 31"
    (swapped,) = found["HBsAg"].repairs
    assert swapped.startswith("rows and columns are swapped (then P is that of ")


def test_without_p_every_count_that_may_be_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "characteristic,level,a,b\nsex,m,10,20\nsex,f,5,6\nage,old,9,12\nage,young,6,14\nstage,1,8,9\nstage,2,7,19\n"
    )
    assert audit(path)[2].repairs == ("b: 7 for 9", "b: 17 for 19")


def test_a_p_that_comes_out_of_no_test(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(HEADER + "sex,m,14,18,0.321\nsex,f,17,30,\nage,old,14,18,0.658\nage,young,17,30,\n")
    sex, age = audit(path)
    assert sex.contradictions == (
        "P 0.321 is not that of any test of these counts: chi-square without correction 0.498; chi-square with Yates'"
        " correction 0.658; Fisher's exact test 0.639",
    )
    assert age.contradictions == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("characteristic,a,b\nsex,1,2\n", "wanted characteristic, level"),
        (HEADER + "sex,m,1,many,\n", "not a whole number"),
        (HEADER + "sex,m,1,2,\nage,old,2,2,\n", "no two characteristics have the same totals"),
    ],
)
def test_what_is_no_table_of_counts(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(EvaluationError, match=told):
        audit(path)


def test_counts_with_percentages_and_a_column_of_totals(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "characteristic,level,Total,a,b,p\nsex,m,32,14 (45.2),18 (37.5%),0.658\nsex,f,48,17 (54.8),30 (62.5),\n"
        "age,old,32,14,18,\nage,young,47,17,30,\n"
    )
    sex, age = audit(path)
    assert sex.contradictions == ("f: Total is 48, the groups sum to 47",)
    assert age.contradictions == ()


def test_a_rank_test_of_ordered_levels_may_give_p(tmp_path: Path) -> None:
    counts = np.array([[30, 12], [25, 20], [15, 28]])
    p = kruskal(*(np.repeat(np.arange(3), column) for column in counts.T)).pvalue
    path = tmp_path / "table.csv"
    rows = "".join(f"grade,{level},{a},{b},{p if level == 0 else ''}\n" for level, (a, b) in enumerate(counts))
    path.write_text(HEADER + rows + "sex,m,40,30,\nsex,f,30,30,\n")
    assert [each.contradictions for each in audit(path)] == [(), ()]


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        ("male,128 (85.3),56 (87.5)\nsex,female,22 (14.7),8 (12.5)", None),
        ("male,128 (69.6),56 (30.4)\nsex,female,22 (73.3),8 (26.7)", None),
        (
            "male,128 (83.5),56 (87.5)\nsex,female,22 (14.7),8 (12.5)",
            "128 of 150 are 85.33%, printed is 83.5%; 125 would be 83.33%",
        ),
    ],
)
def test_percentages_are_those_of_their_counts(tmp_path: Path, cells: str, wrong: str | None) -> None:
    """Of the column, or of the row."""
    path = tmp_path / "table.csv"
    path.write_text(f"characteristic,level,training,validation\nsex,{cells}\nage,old,100,40\nage,young,50,24\n")
    found = audit(path)[0].contradictions
    assert [each.partition(": ")[2] for each in found] == ([] if wrong is None else [wrong])
