"""Delimited: what a spreadsheet writes is read as it was meant, or refused in one sentence that says what to do."""

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hepatica.cohort.delimited import is_absent, read_columns, read_table
from hepatica.cohort.faults import Faults

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0\ufeff", exclude_categories=["Cs"]), max_size=8)


def read(folder, text, *, unique=("patient_id",), encoding="utf-8"):
    path = folder / "patients.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    faults = Faults()
    table = read_table(path, faults, wanted=("patient_id",), unique=unique)
    return (None if table is None else table.to_dict("list")), str(faults)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6), st.sampled_from(",;\t"))
def test_whatever_the_cells_hold_comes_back_stripped(rows, separator):
    faults = Faults()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patients.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=separator).writerows([["a", "b", "c"], *rows])
        read = read_table(path, faults, wanted=(), unique=("a", "b", "c"))
    kept = {row: cells for row, raw in enumerate(rows, start=2) if any(cells := [cell.strip() for cell in raw])}
    assert read is not None
    assert read.index.tolist() == list(kept)
    assert read.to_numpy().tolist() == list(kept.values())
    assert ("has no rows" in str(faults)) == (not kept)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separators_and_encodings_of_spreadsheets_are_read(tmp_path, separator, encoding):
    text = "patient_id,name\r\nP1,Müller\r\n".replace(",", separator)
    assert read(tmp_path, text, encoding=encoding) == ({"patient_id": ["P1"], "name": ["Müller"]}, "")


def test_the_mark_of_excel_names_the_separator_and_is_no_row(tmp_path):
    table, faults = read(tmp_path, "sep=;\npatient_id;a, b\nP1;x\nP1;y\n")
    assert table == {"patient_id": ["P1", "P1"], "a, b": ["x", "y"]}
    assert faults == "patients.csv row 3 column patient_id: the same patient_id is in row 2 already"


def test_a_header_with_two_separators_is_read_where_the_rows_leave_one(tmp_path):
    assert read(tmp_path, "patient_id;age, years;x\nP1;50;1\n")[0] == {
        "patient_id": ["P1"],
        "age, years": ["50"],
        "x": ["1"],
    }
    table, faults = read(tmp_path, "patient_id,a;b\nP1,2;3\n")
    assert table is None
    assert faults == (
        "patients.csv is not a readable UTF-8 CSV table: its header has commas and semicolons; put names that have one"
        " in quotes, or use one separator"
    )


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_become_points(tmp_path, separator):
    text = "patient_id;afp;size;note;n\n1,5;3,5;1,234;a, b;4\n2;,5;12;c;\n".replace(";", separator)
    table, faults = read(tmp_path, text)
    assert faults == ""
    assert table == {
        "patient_id": ["1,5", "2"],
        "afp": ["3.5", ".5"],
        "size": ["1.234", "12"],
        "note": ["a, b", "c"],
        "n": ["4", ""],
    }


@pytest.mark.parametrize(
    "rows",
    [
        "patient_id;afp\nP1;1,234\nP2;17\n",  # decimal or of thousands: nothing in the table says
        "patient_id;afp\nP1;3,5\nP2;3.5\n",
        "patient_id;afp\nP1;1.234,5\nP2;17\n",
        "patient_id;afp\nP1;1,234.5\nP2;17\n",
        "patient_id;afp;b\nP1;1,234,567;2,5\n",
        'patient_id,afp\nP1,"3,5"\nP2,17\n',
        'patient_id,segments\nP1,"5,6"\nP2,7\n',
    ],
)
def test_a_comma_that_may_be_something_else_is_refused(tmp_path, rows):
    faults = read(tmp_path, rows)[1]
    assert "whose comma may be decimal, of thousands or of a list; write numbers as 1234.5, lists with spaces" in faults
    assert faults.count("; ") == 1
    assert "patients.csv row 2 column" in faults


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "is an Excel workbook, wanted a text table; save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0rest", "is an Excel workbook"),
        (
            b"patient_id\nP\xe9\n",
            "is not a readable UTF-8 CSV table (invalid continuation byte at byte 12); save it as CSV",
        ),
        (
            "patient_id\nP1\n".encode("utf-16-le"),
            "is not a readable UTF-8 CSV table (it has zero bytes); save it as CSV",
        ),
        (b"\xff\xfe\x00", "is not a readable UTF-8 CSV table"),
        (b'patient_id\n"P1\n', "is not a readable UTF-8 CSV table"),
        (b"", "is empty"),
        (b"age\n5\n", "has no column patient_id; it has age"),
        (b"Patient ID\n5\n", "has no column patient_id; did you mean Patient ID?"),
    ],
)
def test_what_is_no_table_is_one_sentence(tmp_path, content, message):
    assert f"patients.csv {message}" in read(tmp_path, content)[1]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("patients.xlsx", "; there is patients.xlsx: save it as CSV UTF-8, named patients.csv"),
        ("Patients.tsv", "; there is Patients.tsv: save it as CSV UTF-8, named patients.csv"),
        ("patient.csv", "; there is patient.csv: rename it, or move it elsewhere"),
        ("truth.csv", ""),
    ],
)
def test_a_file_of_another_name_or_kind_is_pointed_at(tmp_path, name, remedy):
    (tmp_path / name).touch()
    faults = Faults()
    assert read_table(tmp_path / "patients.csv", faults, wanted=(), unique=()) is None
    assert str(faults) == f"patients.csv is missing{remedy}"
    optional = Faults()
    assert is_absent(tmp_path / "patients.csv", optional)
    assert bool(optional) == bool(remedy)


def test_some_columns_of_a_large_table_by_their_spreadsheet_rows(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text("case ; day;x\n\n P1;1;2\nP2;3;4\n")
    faults = Faults()
    table = read_columns(path, ["case"], faults)
    assert str(faults) == ""
    assert table["case"].to_dict() == {3: "P1", 4: "P2"}
    assert read_columns(path, ["cases"], faults) is None
    assert str(faults) == "visits.csv has no column cases, which cohort.toml names; did you mean case?"
