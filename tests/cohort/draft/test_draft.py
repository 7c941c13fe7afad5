"""Draft: what a hospital's folder and sheet become, and what of them must never come through."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from hepatica.cohort import CohortError, SettingsError, load_cohort
from hepatica.cohort.draft import draft_cohort
from hepatica.cohort.draft.found import Found, Owners, find_files, mask_column
from hepatica.cohort.draft.roles import roles

SHEET = [
    ["Resections 2010 to 2020"],
    [],
    ["Study-ID", "Patient Name", "MRN", "Date of Birth", "OP-Datum", "Recurrence date", "Date of death",
     "Last follow up", "AFP (ng/mL)", "Treatment", "HCC", "Remarks"],
    ["HB-001", "Muster, Max", 90001, date(1950, 3, 4), date(2012, 1, 1), date(2012, 7, 1), None,
     date(2015, 1, 1), "3,5", "resection", "yes", "seen in clinic"],
    ["HB-002", "Doe, Jane", 90002, date(1918, 3, 4), date(2012, 2, 1), None, date(2014, 2, 1), date(2014, 1, 1),
     1200.5, "resection", "no", "a call"],
    ["HB-003", "Roe, Richard", 90003, date(1961, 3, 4), date(2012, 3, 1), None, None, date(2017, 3, 1), "n/a",
     "resection", "yes", ""],
    ["HB-004", "Poe, Anna", 90004, date(1961, 3, 4), date(2012, 3, 1), None, None, None, 4, "resection", "yes", ""],
]  # fmt: skip
CSV = """\
record_id;surgery_date;rfs_months;recurrence;OS (days);vital status
1;03/04/2012;12,5;1;730;dead
2;13/04/2012;20,0;0;1461;alive
3;14/05/2013;3,25;1;100;alive
4;15/05/2013;8,5;0;90;dead
"""


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    folder = tmp_path / "slides"
    for name in ("HB-001_a.svs", "HB_1_b.svs", "90002.ndpi", "more/hb003/s.tif", "unknown.svs", "m.mrxs", "m/Data.dat"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    pytest.importorskip("openpyxl", reason="openpyxl is a dependency since this test; ./run installs it")
    with pd.ExcelWriter(tmp_path / "table.xlsx") as book:
        pd.DataFrame(SHEET).to_excel(book, sheet_name="Patients", header=False, index=False)
        pd.DataFrame([["BCLC", "stage"]]).to_excel(book, sheet_name="Legend", header=False, index=False)
    return tmp_path / "table.xlsx"


def test_a_number_within_a_longer_name_is_no_sure_owner() -> None:
    owners = Owners({"7": ["7"], "HB-001": ["HB-001"]})
    assert owners.of("LV1005 HE 7.tif") == "7"
    assert owners.unsure("LV1005 HE 7.tif")
    assert not owners.unsure("7_a.svs")
    assert not owners.unsure("slides/7/a.svs")
    assert not owners.unsure("x HB-001.svs")
    assert not owners.unsure("LV1005.tif")


def test_a_file_that_one_number_gives_to_a_patient_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "slides").mkdir()
    for name in ("1_a.svs", "LV1005 HE 2.svs"):
        (tmp_path / "slides" / name).write_bytes(b"x")
    (tmp_path / "t.csv").write_text(CSV, encoding="utf-8")
    notes = draft_cohort(tmp_path / "slides", tmp_path / "out", table=tmp_path / "t.csv").notes
    assert "given to a patient by one number within a longer name, check 1: LV1005 HE 2.svs" in notes


def test_files_of_no_known_kind_are_counted_and_not_named(tmp_path: Path, sheet: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name in ("HB-001_a.svs", "HB-002 Doe.docx", "a.png", "b.PNG", "notes"):
        (folder / name).write_bytes(b"x")
    notes = draft_cohort(folder, tmp_path / "out", table=sheet).notes
    assert "left out, not known as slide, scan or spectrum: 1 .docx, 2 .png, 1 without suffix" in notes
    assert find_files(folder / "none").left_out == ""
    (tmp_path / "empty").mkdir()
    notes = draft_cohort(tmp_path / "empty", tmp_path / "other", table=sheet).notes
    assert f"no slide, scan or spectrum was found in {tmp_path / 'empty'}" in notes


def test_a_workbook_becomes_a_cohort_without_a_name_in_it(slides: Path, sheet: Path, tmp_path: Path) -> None:
    made = draft_cohort(slides, tmp_path / "out", table=sheet)
    cohort = load_cohort(made.folder)
    follow = cohort.patients
    assert follow["recurrence_months"].tolist() == [5.98, 24.02, 59.99]  # 182, 731 and 1826 days
    assert follow["recurrence_event"].tolist() == [1, 2, 0]  # a death without recurrence competes
    assert follow["overall_survival_event"].tolist() == [0, 1, 0]
    assert follow["age_years"].tolist() == [61, 90, 50]  # 93 years would identify
    assert follow["afp_ng_ml"].tolist()[:2] == [3.5, 1200.5]
    assert follow["hcc"].tolist() == [1, 0, 1]
    assert "treatment" not in follow  # it would exclude every patient from training
    owners = {each.path.name: each.patient_id for each in cohort.specimens}
    assert owners == {"HB-001_a.svs": "HB-001", "HB_1_b.svs": "HB-001", "90002.ndpi": "HB-002", "s.tif": "HB-003"}
    text = "".join((made.folder / name).read_text() for name in ("patients.csv", "cohort.toml")).lower()
    assert not [word for word in ("muster", "doe", "9000", "1950", "2012", "clinic", "unknown") if word in text]
    assert made.columns["MRN"] == "dropped: record number"
    assert any("left out, 1: row 7" in note for note in made.notes)
    assert any("unknown.svs" in note and "m.mrxs" in note for note in made.notes)


def test_a_text_table_in_days_with_semicolons(slides: Path, tmp_path: Path) -> None:
    (tmp_path / "redcap.csv").write_text(CSV)
    made = draft_cohort(slides, tmp_path / "out", table=tmp_path / "redcap.csv")
    patients = pd.read_csv(made.folder / "patients.csv")
    assert patients["overall_survival_months"].tolist() == [23.98, 48.0, 3.29, 2.96]
    assert patients["overall_survival_event"].tolist() == [1, 0, 0, 1]
    assert patients["recurrence_months"].tolist() == [12.5, 20.0, 3.25, 8.5]
    assert made.columns["surgery_date"] == "index date, day-first; dropped once used"


def test_dates_that_may_be_either_are_asked_for(slides: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,surgery date,death date,last visit\n1,03/04/2012,,05/10/2013\n")
    with pytest.raises(CohortError, match="--dates day-first"):
        draft_cohort(slides, tmp_path / "out", table=tmp_path / "t.csv")
    draft_cohort(slides, tmp_path / "out", table=tmp_path / "t.csv", order="month-first")
    assert pd.read_csv(tmp_path / "out/patients.csv")["overall_survival_months"].tolist() == [14.19]  # 432 days


def test_a_column_is_corrected_by_its_role(slides: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("who,months,gone\nA,3,no\nB,4,yes\n")
    given = {"patient_id": "who", "overall_survival_time": "months", "overall_survival_event": "gone"}
    draft_cohort(slides, tmp_path / "out", table=tmp_path / "t.csv", given=given)
    assert pd.read_csv(tmp_path / "out/patients.csv")["overall_survival_event"].tolist() == [0, 1]
    with pytest.raises(SettingsError, match="did you mean months"):
        draft_cohort(slides, tmp_path / "o2", table=tmp_path / "t.csv", given={"overall_survival_time": "month"})


def test_without_a_table_folders_and_files_are_patients(slides: Path, tmp_path: Path) -> None:
    draft_cohort(slides, tmp_path / "out")
    assert sorted(load_cohort(tmp_path / "out").patients.index) == [
        "90002", "HB-001_a", "HB_1_b", "m", "more", "unknown",
    ]  # fmt: skip


def test_numbers_as_ids_are_found_where_a_name_begins() -> None:
    owners = Owners({str(number): [str(number)] for number in range(1, 20)})
    assert owners.of("slides/12_HE_2.svs") == "12"
    assert owners.of("slides/0012_HE.svs") == "12"
    assert owners.of("slides/HE_7_of_9.svs") is None


def test_identifiers_are_known_within_longer_names_and_times_by_their_unit() -> None:
    cells = ["12", "40", "7", "90"]
    names = ("Name of the patient (full)", "Recurrence-free survivl [days]", "gene")
    found = roles(pd.DataFrame(dict.fromkeys(names, cells)))
    assert {name: role.key for name, role in found.items()} == {names[0]: "name", names[1]: "recurrence_time"}


def test_codes_that_may_mean_either_are_no_events_and_names_no_ids() -> None:
    rows = {
        "Patient": ["Max Muster", "Jane Doe", "Richard Roe", "Anna Poe"],
        "vital status": ["1", "2", "2", "1"],
        "recurrence": ["0", "2", "1", "0"],
        "date of diagnosis": ["2010-01-01"] * 4,
        "OP-Datum": ["2011-01-01"] * 4,
        "history of HBV": ["yes", "no", "no", "no"],
    }
    found = roles(pd.DataFrame(rows))
    assert {name: role.key for name, role in found.items()} == {
        "recurrence": "recurrence_event", "OP-Datum": "index_date",
    }  # fmt: skip


def test_mostly_one_and_some_two_are_no_events() -> None:
    assert roles(pd.DataFrame({"vital status": ["1"] * 9 + ["2"]})) == {}


def test_codes_of_competing_events_and_short_tables_of_names(tmp_path: Path) -> None:
    rows = "".join(f"{who},{k},{k % 3},2{k}\n" for k, who in enumerate(["Max", "Jane", "Rick", "Anna"], start=1))
    (tmp_path / "t.csv").write_text(f"Patient,id,recurrence,recurrence months\n{rows}")
    draft_cohort(tmp_path, tmp_path / "out", table=tmp_path / "t.csv")
    patients = pd.read_csv(tmp_path / "out/patients.csv")
    assert patients["recurrence_event"].tolist() == [1, 2, 0, 1]
    assert "Max" not in (tmp_path / "out/patients.csv").read_text()


def test_an_event_without_a_date_has_no_time_and_a_last_visit_stands_for_death(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,surgery date,recurrence,recurrence date,vital status,last visit\n"
        "1,2012-01-01,yes,,alive,2015-01-01\n"  # recurred, nobody knows when: not at the last visit
        "2,2012-01-01,no,2013-01-01,dead,2014-01-01\n"  # the event is taken, and its time is that of the last visit
        "3,2012-01-01,yes,2012-07-01,alive,2016-01-01\n"
    )
    made = draft_cohort(tmp_path, tmp_path / "out", table=tmp_path / "t.csv")
    patients = pd.read_csv(made.folder / "patients.csv")
    assert patients["recurrence_months"].tolist() == [24.02, 5.98]
    assert patients["overall_survival_months"].tolist() == [24.02, 48.0]
    assert patients["overall_survival_event"].tolist() == [1, 0]
    assert any("an event but no date of it: row 2" in note for note in made.notes)
    assert any("a date but no event; the event is taken: row 3" in note for note in made.notes)


def _drafted(tmp_path: Path, **columns: list[str]) -> tuple[pd.DataFrame, str]:
    """patients.csv of a table of six patients with these columns, with `_` for spaces; and what is said."""
    dated = {"ID": [f"H{n}" for n in range(6)], "surgery date": ["13.01.2018"] * 6, "last visit": ["14.01.2020"] * 6}
    pd.DataFrame(dated | {name.replace("_", " "): cells for name, cells in columns.items()}).to_csv(
        tmp_path / "table.csv", index=False
    )
    (tmp_path / "files").mkdir()
    made = draft_cohort(tmp_path / "files", tmp_path / "out", table=tmp_path / "table.csv")
    return pd.read_csv(tmp_path / "out" / "patients.csv", dtype=str, keep_default_na=False), " | ".join(made.notes)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("status_(0=dead,_1=alive)", ["0", "1"]),
        ("status_(1=dead,_2=alive)", ["1", "2"]),
        ("alive_(1=no,_2=yes)", ["1", "2"]),
        ("alive", ["dead", "alive"]),
    ],
)
def test_codes_mean_what_their_column_says(tmp_path: Path, name: str, cells: list[str]) -> None:
    table, _ = _drafted(tmp_path, **{name: cells * 3, "OS_months": [*"123456"]})
    assert [*table["overall_survival_event"]] == ["1", "0"] * 3


def test_a_date_of_death_that_cannot_be_read_is_no_survival(tmp_path: Path) -> None:
    table, said = _drafted(
        tmp_path, death_date=["05/2019", "31.02.2019", "no", "01.05.2019", "02.05.2019", "01.01.2199"]
    )
    assert dict(zip(table["patient_id"], table["overall_survival_event"], strict=True)) == {
        "H2": "0",
        "H3": "1",
        "H4": "1",
    }
    assert "'death date' is no day of the past, taken for unknown: rows 2, 3, 7" in said


def test_recurrences_after_the_last_visit_and_codes_of_2_are_pointed_at(tmp_path: Path) -> None:
    _, said = _drafted(tmp_path, recurrence_date=["15.01.2020", "", "", "", "", ""], dead=[*"012012"])
    assert "later than death or the last visit; check: row 2" in said
    assert "2 in 'dead' is taken for a competing event" in said


def test_days_that_a_spreadsheet_took_for_months_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="exchanged day and month"):
        _drafted(tmp_path, death_date=["2019-03-02", "2019-05-11", "2019-04-04", "31/03/2019", "", ""])


def test_totals_are_no_patients_and_rows_that_differ_give_no_outcome(tmp_path: Path) -> None:
    table, said = _drafted(
        tmp_path, ID=["H0", "H0", "H1", "H1", "H2", "Total"], OS_months=[*"111199"], dead=["0", "1", "1", "1", "0", "2"]
    )
    assert [*table["patient_id"]] == ["H1", "H2"]
    assert "row 7 left out: totals, not patients" in said
    assert "rows of one patient differ in 'dead'" in said


def test_numbers_by_which_someone_is_found_do_not_come_through(tmp_path: Path) -> None:
    table, _ = _drafted(
        tmp_path,
        患者姓名=["王伟", "李娜"] * 3,
        身份证号码=[f"11010119800101{n:04}" for n in range(6)],
        Tel=[f"0171/12345{n}" for n in range(6)],
        chart=[f"00451{n}" for n in range(6)],
        histo=[f"H{n}-200{n}" for n in range(6)],
        scan_two=[f"0{n + 1}/2019" for n in range(6)],
        third_scan=["2019-03-04", "none", "none", "none", "none", "none"],
        Age=["94", "61", "62", "63", "64", "65"],
        Platelets=[f"{187 + n}000" for n in range(6)],
    )
    assert [*table] == ["patient_id", "age", "platelets"]
    assert table["age"][0] == "90"  # as one that is computed


def test_dates_without_signs_and_grades_of_three_are_read(tmp_path: Path) -> None:
    table, _ = _drafted(tmp_path, MVI=[*"012012"], death_date=["20190113", "", "", "", "", ""])
    assert [*table["mvi"]] == [*"012012"]
    assert [*table["overall_survival_months"]][:2] == ["11.99", "24.02"]


def test_links_are_followed_once_and_those_to_nowhere_passed_over(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.svs").write_bytes(b"x")
    (tmp_path / "in").mkdir()
    for name, target in {"store": tmp_path / "store", "again": tmp_path / "in", "gone": tmp_path / "nowhere"}.items():
        (tmp_path / "in" / name).symlink_to(target)
    assert [each.path.name for each in find_files(tmp_path / "in").specimens] == ["a.svs"]


def test_names_of_groups_of_columns_are_no_header(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "Clinic;;Outcome;\nID;age;dead;OS months\nH1;60;0;9\nH2;61;1;8\nH3;62;1;7\nH4;63;0;6\n"
    )
    (tmp_path / "files").mkdir()
    assert draft_cohort(tmp_path / "files", tmp_path / "out", table=tmp_path / "t.csv").endpoints == (
        "overall_survival",
    )


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("LIV-001_nodules.nii.gz", "nodule_mask"),
        ("outlines/LIV-001.nii.gz", "mask"),
        ("masks/LIV-001_liver.nii.gz", "liver_mask"),
        ("LIV-001_tumor.nrrd", "mask"),
        ("LIV-001_liver.nii.gz", ""),  # a scan of the liver, for all that its name says
        ("LIV-001_arterial.nii.gz", ""),
        ("tumour_trial/LIV-001.nii.gz", ""),
    ],
)
def test_masks_are_known_by_their_own_name_or_that_of_their_folder(name: str, column: str) -> None:
    assert mask_column(Path(name)) == column


def test_outlines_of_a_radiologist_lie_beside_the_scan_and_are_no_scans(tmp_path: Path) -> None:
    for name in ("CT/LIV-001.nii.gz", "CT/LIV-002.nii.gz", "outlines/LIV-001_nodule.nii.gz", "outlines/LIV-001.nii.gz"):
        (tmp_path / "ct" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "ct" / name).write_bytes(b"x")
    (tmp_path / "t.csv").write_text("Study ID,HCC at pathology,Cirrhosis\nLIV-001,yes,no\nLIV-002,no,yes\n")
    made = draft_cohort(tmp_path / "ct", tmp_path / "out", table=tmp_path / "t.csv")
    table = pd.read_csv(tmp_path / "out/specimens.csv", keep_default_na=False)
    assert [*table["path"]] == ["files/CT/LIV-001.nii.gz", "files/CT/LIV-002.nii.gz"]
    assert [*table["nodule_mask"]] == ["files/outlines/LIV-001_nodule.nii.gz", ""]
    assert [*table["mask"]] == ["files/outlines/LIV-001.nii.gz", ""]
    assert made.endpoints == ("hcc",)
    assert "nodule_mask: masks by their names, 1 of them" in made.notes


def test_columns_that_may_be_the_outcome_are_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Study ID,Cancer,Size\n1,yes,3\n2,no,4\n")
    (tmp_path / "ct").mkdir()
    made = draft_cohort(tmp_path / "ct", tmp_path / "out", table=tmp_path / "t.csv")
    assert made.endpoints == ()
    assert any("may be 'Cancer'" in note for note in made.notes)


def test_studies_of_no_modality_are_counted_and_are_no_specimens(tmp_path: Path) -> None:
    (tmp_path / "ct").mkdir()
    (tmp_path / "ct/a.zip").write_bytes(b"")
    (tmp_path / "ct/b.zip").write_bytes(b"")
    studies = [Found(path=tmp_path / "ct/a.zip", modality="ct"), Found(path=tmp_path / "ct/b.zip", modality="")]
    made = draft_cohort(tmp_path / "ct", tmp_path / "out", split=lambda folder, into: studies)
    assert made.specimens == 1
    assert "archives that are damaged or hold no image, left out: 1" in made.notes
