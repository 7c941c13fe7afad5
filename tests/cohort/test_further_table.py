"""Further table: checked when the cohort is loaded, read when it is asked for, in months."""

import numpy as np
import pytest

from hepatica.cohort import CohortError, load_cohort

HEAD = """
name = "x"
[tables.visits]
path = "tables/visits.csv"
patient = "case"
time = "day"
unit = "days"
[tables.genes]
path = "genes.tsv"
patient = "patient_id"
"""


@pytest.fixture
def folder(tmp_path, write_cohort):
    write_cohort(tmp_path, head=HEAD)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "visits.csv").write_text("case;day;alt;note\nP1;0;50,5;well\nP2;365,25;40;\n\nP1;-10;7;x\n")
    (tmp_path / "genes.tsv").write_text("patient_id\tTP53\tCTNNB1\nP2\t1.5\t0\nP1\t\t2\n")
    return tmp_path


def test_a_table_is_read_by_patient_in_months(folder):
    cohort = load_cohort(folder)
    visits = cohort.table("visits")
    assert visits.columns.tolist() == ["patient_id", "months", "alt", "note"]
    assert visits["patient_id"].tolist() == ["P1", "P2", "P1"]
    assert visits["months"].tolist() == pytest.approx([0, 12, -10 * 12 / 365.25])
    assert visits["alt"].tolist() == [50.5, 40, 7]
    assert cohort.table("genes").set_index("patient_id").loc["P2"].tolist() == [1.5, 0]
    assert cohort.select(["P2"]).table("visits")["months"].tolist() == [12]
    assert "tables: visits, genes" in repr(cohort)


def test_the_last_value_is_not_from_after_the_index_date(folder):
    with (folder / "tables" / "visits.csv").open("a") as file:
        file.write("P1;200;99;later\n")
    last = load_cohort(folder).last("visits", column="alt")
    assert last["P1"] == 50.5
    assert np.isnan(last["P2"])
    assert load_cohort(folder).last("genes", column="CTNNB1")["P1"] == 2


def test_an_absent_table_names_those_there_are(folder):
    with pytest.raises(
        CohortError, match=r"cohort x has no table 'claims' \(has: genes, visits\); add \[tables.claims\]"
    ):
        load_cohort(folder).table("claims")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case,day\nP1,1\nP9,2\n", "visits.csv row 3 column case: the patient is not in patients.csv"),
        ("patient,day\nP1,1\n", "visits.csv has no column case, which cohort.toml names; it has patient, day"),
        ("case,date\nP1,1\n", "visits.csv has no column day, which cohort.toml names; "),
        ("", "visits.csv is empty"),
        (b"PK\x03\x04", "visits.csv is an Excel workbook"),
        (None, "visits.csv is missing"),
    ],
)
def test_file_columns_and_patients_are_checked_with_the_cohort(folder, text, message):
    path = folder / "tables" / "visits.csv"
    path.unlink()
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CohortError) as caught:
        load_cohort(folder)
    assert str(caught.value).startswith(f"{folder} has 1 fault: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case,day\nP1,1\nP2,\n", "row 3 column day: got '', wanted a number of days since the index date"),
        ("case,day\nP1,1\nP2,soon\n", "row 3 column day: got 'soon', wanted a number of days"),
        ("case,day,x\nP1,1,2\n,2,3\n", "row 3 column case: is blank"),
        ("case,day\nP1,1,5\n", "row 2: got 3 cells, wanted 2"),
        ("case,day,months\nP1,1,5\n", "column months: hepatica gives this name to another column; rename it"),
    ],
)
def test_the_cells_are_checked_when_they_are_read(folder, text, message):
    (folder / "tables" / "visits.csv").write_text(text)
    with pytest.raises(CohortError, match=r"visits\.csv has 1 fault") as caught:
        load_cohort(folder).table("visits")
    assert message in str(caught.value)


def test_a_table_of_thousands_of_genes_is_read(folder):
    names = [f"gene_{number:05d}" for number in range(4_000)]
    (folder / "genes.tsv").write_text(
        "\n".join("\t".join(row) for row in (["patient_id", *names], ["P1", *["0.5"] * 4_000]))
    )
    assert load_cohort(folder).table("genes").shape == (1, 4_001)


SPECIMEN = "patient_id,specimen_id,modality,path\nP1,S1,slide,slides/1.svs\n"
FOLLOWED = """
name = "x"
[endpoints.death]
time = "months"
event = "event"
[tables.visits]
path = "visits.csv"
patient = "patient_id"
time = "day"
unit = "UNIT"
"""


def test_visits_after_the_end_of_follow_up_raise_a_doubt_about_their_unit(tmp_path, write_cohort):
    """Days declared as months: up to 900, of patients who were followed for 30 months."""
    patients = "patient_id,months,event\nP1,30,0\nP2,30,0\nP3,20,1\n"
    for unit in ("days", "months"):
        folder = write_cohort(
            tmp_path / unit, head=FOLLOWED.replace("UNIT", unit), patients=patients, specimens=SPECIMEN
        )
        (folder / "visits.csv").write_text("patient_id,day,alt\nP1,0,5\nP1,900,6\nP2,400,7\nP3,800,1\n")
    assert load_cohort(tmp_path / "days").table("visits")["months"].max() == pytest.approx(29.6, abs=0.1)
    with pytest.warns(UserWarning, match=r"2 of 2 patients without an event have rows after .*, up to month 900"):
        load_cohort(tmp_path / "months").table("visits")
