from pathlib import Path

import pytest

from hepatica.cohort.delimited import read_table
from hepatica.cohort.errors import EvaluationError
from hepatica.cohort.faults import Faults
from hepatica.evaluate.audit.rate_rows import RateRow, read_rate_rows


def read(path: Path) -> list[RateRow]:
    table = read_table(path, Faults(), wanted=(), unique=())
    assert table is not None
    return read_rate_rows(table, name=path.name)


def test_what_is_printed_is_read_and_blanks_are_not(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("row,outcome,n,tp,fp,fn,tn,ppv,kappa\nA,1 year,57,12,7,10,28,63.2%,\nB,,,,,,,,-0.05\n")
    a, b = read(path)
    assert (a.name, a.outcome, a.n, a.counts, list(a.printed)) == ("A", "1 year", 57, (12, 7, 10, 28), ["ppv"])
    assert (b.n, b.positives, b.counts, b.patients) == (None, None, None, "")
    assert b.printed["kappa"].value == -0.05


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("row,accurracy\na,0.5\n", "wanted row and some of"),
        ("row,accuracy\na,high\n", "row 2: got 'high'"),
        ("row,accuracy\na,85.3\n", "wanted a share from 0 to 1"),
        ("row,accuracy,n,positives\na,0.5,20,20\n", "some with and some without"),
        ("row,accuracy,n\na,0.5,20.5\n", "wanted a whole number"),
        ("row,tp,fp\na,5,6\n", "wanted one of accuracy"),
        ("row,accuracy,tp,fp\na,0.5,5,6\n", "wanted all or none"),
    ],
)
def test_what_is_no_table_of_rates(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(EvaluationError, match=told):
        read(path)
