"""Cohort table: what is read, and every fault of a hand-made folder by file, row and column."""

from pathlib import Path

import numpy as np
import pytest

from hepatica.cohort import CohortError, Months, Status, Target, load_cohort

PATIENTS_HEADER = "patient_id,recurrence_months,recurrence_event"
HEAD = 'name = "x"\n[endpoints.recurrence]\ntime = "recurrence_months"\nevent = "recurrence_event"\n'
DIAGNOSIS = 'name = "x"\n[endpoints.hcc]\nlabel = "hcc"\n'
SPECIMENS_HEADER = "patient_id,specimen_id,modality,path,mpp"


def patients_with(row, *, header=PATIENTS_HEADER):
    return f"{header}\nP1,6,1\n{row}\n"


def specimen_at(path, *, mpp=""):
    return f"{SPECIMENS_HEADER}\nP1,S1,slide,{path},{mpp}\n"


@pytest.fixture
def fault(tmp_path, write_cohort):
    """The message with which a folder of these tables is refused, its own name left out."""

    def refused(**tables):
        with pytest.raises(CohortError) as caught:
            load_cohort(write_cohort(tmp_path, **tables))
        return str(caught.value).removeprefix(f"{tmp_path} has ")

    return refused


@pytest.fixture
def patient_fault(fault):
    def refused(row):
        return fault(head=HEAD, patients=patients_with(row), specimens=specimen_at("slides/1.svs"))

    return refused


def test_a_valid_folder_is_read_whole(tmp_path, write_cohort):
    cohort = load_cohort(write_cohort(tmp_path))
    assert (cohort.name, cohort.hospital, cohort.phantom, cohort.notes) == ("tiny", "Tiny General", False, "")
    assert list(cohort.patients.index) == ["P1", "P2", "P3", "P4", "P5", "P6"]
    assert cohort.patients.index.name == "patient_id"
    assert cohort.patients["recurrence_months"].tolist() == [6, 30, 11, 50, 24, 9]
    assert cohort.patients["recurrence_event"].tolist() == [1, 0, 1, 0, 1, 0]
    np.testing.assert_array_equal(cohort.patients["afp_ng_ml"], [400, 5.5, np.nan, 12, 80, 3])
    assert cohort.patients["treatment"].tolist()[1:3] == ["none", "sorafenib"]
    first, second = cohort.specimens[:2]
    assert (first.patient_id, first.specimen_id, first.modality, first.mpp, first.row) == ("P1", "S1", "slide", 0.25, 2)
    assert (second.specimen_id, second.mpp, second.row) == ("S2", None, 3)
    assert all(specimen.path.is_file() for specimen in cohort.specimens)


def test_a_specimen_root_is_where_paths_start(tmp_path, write_cohort):
    head = 'name = "x"\nspecimen_root = "slides"\n'
    cohort = load_cohort(write_cohort(tmp_path, head=head, specimens=specimen_at("1.svs")))
    assert cohort.specimens[0].path == tmp_path / "slides" / "1.svs"


def test_a_windows_separator_is_understood(tmp_path, write_cohort):
    cohort = load_cohort(write_cohort(tmp_path, specimens=specimen_at(r"slides\1.svs")))
    assert cohort.specimens[0].path == tmp_path / "slides" / "1.svs"


def test_a_link_placed_inside_the_folder_is_followed(tmp_path, write_cohort):
    outside = tmp_path / "archive"
    outside.mkdir()
    (outside / "1.svs").touch()
    folder = write_cohort(tmp_path / "cohort", specimens=specimen_at("archive/1.svs"))
    (folder / "archive").symlink_to(outside)
    assert load_cohort(folder).specimens[0].path.is_file()


def test_byte_order_marks_blank_rows_and_spaces_are_harmless(tmp_path, write_cohort):
    marked = write_cohort(
        tmp_path,
        head=b"\xef\xbb\xbf" + HEAD.encode(),
        patients=b"\xef\xbb\xbf" + f"{PATIENTS_HEADER},,\r\n\r\n P1 , 6,1,,\r\n,,,,\r\n".encode(),
        specimens=specimen_at("slides/1.svs") + "\n,,,,\n",
    )
    cohort = load_cohort(marked)
    assert list(cohort.patients.index) == ["P1"]
    assert list(cohort.patients.columns) == ["recurrence_months", "recurrence_event"]
    assert len(cohort.specimens) == 1


def test_words_that_pandas_takes_for_missing_are_kept(tmp_path, write_cohort):
    patients = "patient_id,grade\nNA,None\nnull,nan\nP1,\n"
    cohort = load_cohort(
        write_cohort(
            tmp_path,
            head='name = "x"',
            patients=patients,
            specimens=specimen_at("slides/1.svs") + "NA,NA,slide,slides/2.svs,\n",
        )
    )
    assert list(cohort.patients.index) == ["NA", "null", "P1"]
    assert cohort.patients["grade"].tolist()[:2] == ["None", "nan"]
    assert cohort.patients["grade"].isna().tolist() == [False, False, True]
    assert cohort.specimens[1].patient_id == "NA"


def test_many_covariates_are_read_without_a_warning(tmp_path, write_cohort):
    genes = [f"gene_{number}" for number in range(300)]
    patients = f"patient_id,{','.join(genes)}\nP1,{','.join('1' for _ in genes)}\n"
    cohort = load_cohort(
        write_cohort(tmp_path, head='name = "x"', patients=patients, specimens=specimen_at("slides/1.svs"))
    )
    assert list(cohort.patients.columns) == genes


def test_the_digest_changes_with_any_of_the_three_tables(tmp_path, write_cohort):
    folder = write_cohort(tmp_path)
    digests = {load_cohort(folder).digest}
    for name in ("cohort.toml", "patients.csv", "specimens.csv"):
        (folder / name).write_text((folder / name).read_text() + "\n")
        digests.add(load_cohort(folder).digest)
    assert len(digests) == 4


def test_select_keeps_the_order_of_the_cohort(tmp_path, write_cohort):
    chosen = load_cohort(write_cohort(tmp_path)).select(["P3", "P1"])
    assert list(chosen.patients.index) == ["P1", "P3"]
    assert [specimen.specimen_id for specimen in chosen.specimens] == ["S1", "S2", "S4"]


def test_an_endpoint_that_is_not_there_names_those_that_are(tmp_path, write_cohort):
    cohort = load_cohort(write_cohort(tmp_path))
    assert cohort.endpoint("recurrence").time == "recurrence_months"
    with pytest.raises(CohortError, match=r"no endpoint 'relapse' \(has: overall_survival, recurrence\)"):
        cohort.endpoint("relapse")


def test_a_diagnosis_is_read_with_what_is_unknown(tmp_path, write_cohort):
    patients = "patient_id,hcc,sex\nP1,1,male\nP2,0,female\nP3,,male\n"
    cohort = load_cohort(
        write_cohort(tmp_path, head=DIAGNOSIS, patients=patients, specimens=specimen_at("slides/1.svs"))
    )
    assert cohort.endpoints == {"hcc": Status(name="hcc", column="hcc")}
    np.testing.assert_array_equal(cohort.patients["hcc"], [1, 0, np.nan])
    target = Target(endpoint="hcc", horizon=Months(0))
    np.testing.assert_array_equal(cohort.label(target), [1, 0, np.nan])
    assert cohort.known(target) == ("P1", "P2")


def test_a_diagnosis_is_no_survival(tmp_path, write_cohort):
    head, patients = DIAGNOSIS + HEAD.removeprefix('name = "x"\n'), f"{PATIENTS_HEADER},hcc\nP1,6,1,1\n"
    cohort = load_cohort(write_cohort(tmp_path, head=head, patients=patients, specimens=specimen_at("slides/1.svs")))
    assert cohort.survival("recurrence").event == "recurrence_event"
    with pytest.raises(CohortError, match="endpoint hcc of x has no follow-up, wanted time and event"):
        cohort.survival("hcc")


def test_a_bad_label_is_named(fault):
    message = fault(head=DIAGNOSIS, patients="patient_id,hcc\nP1,benign\n", specimens=specimen_at("slides/1.svs"))
    wanted = "wanted 1 (present), 0 (absent) or an empty cell (unknown)"
    assert message == f"1 fault: patients.csv row 2 column hcc: got 'benign', {wanted}"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("P1,7,0", "patients.csv row 3 column patient_id: the same patient_id stands in row 2 already"),
        ("P2,7,2", "patients.csv row 3 column recurrence_event: got '2', wanted 1 (happened) or 0 (censored)"),
        ("P2,7,-1", "row 3 column recurrence_event: got '-1'"),
        ("P2,7,yes", "row 3 column recurrence_event: got 'yes'"),
        ("P2,7,True", "row 3 column recurrence_event: got 'True'"),
        ("P2,7,NA", "row 3 column recurrence_event: got 'NA'"),
        ("P2,7,", "row 3 column recurrence_event: got ''"),
        ("P2,7,0.5", "row 3 column recurrence_event: got '0.5'"),
        ("P2,-0.1,1", "patients.csv row 3 column recurrence_months: got '-0.1', wanted months of follow-up, 0 to 1200"),
        ("P2,3650,1", "row 3 column recurrence_months: got '3650', wanted months of follow-up, 0 to 1200"),
        ("P2,,1", "row 3 column recurrence_months: got ''"),
        ("P2,nan,1", "row 3 column recurrence_months: got 'nan'"),
        ("P2,inf,1", "row 3 column recurrence_months: got 'inf'"),
        ("P2,-inf,1", "row 3 column recurrence_months: got '-inf'"),
        ("P2,1e999,1", "row 3 column recurrence_months: got '1e999'"),
        ("P2,two years,1", "row 3 column recurrence_months: got 'two years'"),
        ("P2,0x10,1", "row 3 column recurrence_months: got '0x10'"),
        (",7,1", "patients.csv row 3 column patient_id: is blank"),
        ("P2,12,5,1", "patients.csv row 3: got 4 cells, wanted 3 as in the header"),
        ("P2,7", "patients.csv row 3: got 2 cells, wanted 3 as in the header"),
    ],
)
def test_a_bad_patient_row_is_named(patient_fault, row, message):
    assert message in patient_fault(row)


@pytest.mark.parametrize("row", ["P2,7,2", "P2,inf,1", "P2,,1", "P1,7,1"])
def test_one_bad_cell_is_one_fault(patient_fault, row):
    assert patient_fault(row).startswith("1 fault: ")


def test_a_time_with_a_decimal_comma_in_every_row_does_not_shift_the_columns(fault):
    message = fault(head=HEAD, patients=f"{PATIENTS_HEADER}\nP1,6,5,1\nP2,7,5,0\n")
    assert "row 2: got 4 cells, wanted 3" in message
    assert "row 3: got 4 cells, wanted 3" in message


def test_rows_are_counted_as_a_spreadsheet_does_past_blank_and_folded_rows(patient_fault):
    assert "row 5 column recurrence_event: got '2'" in patient_fault('\n"P\n2",7,0\nP3,7,2')


@pytest.mark.parametrize(
    "path",
    [
        "../1.svs",
        "slides/../../1.svs",
        "/etc/hostname",
        "C:/slides/1.svs",
        r"C:\slides\1.svs",
        "C:1.svs",
        r"\slides\1.svs",
        r"\\server\share\1.svs",
        r"slides\..\..\1.svs",
        "//server/share/1.svs",
    ],
)
def test_a_path_out_of_the_folder_is_refused(fault, path):
    expected = f"specimens.csv row 2 column path: got {path!r}, wanted a path inside the cohort folder"
    assert fault(specimens=specimen_at(path)) == f"1 fault: {expected}"


@pytest.mark.parametrize("path", ["slides/9.svs", "slides", "9" * 400, "s3://bucket/1.svs", "~/1.svs"])
def test_a_file_that_is_not_there_is_named(fault, path):
    message = fault(specimens=specimen_at(path))
    assert message == f"1 fault: specimens.csv row 2 column path: no such file: ./{path}"


@pytest.mark.parametrize("root", ["..", "/slides", "D:\\\\slides"])
def test_a_specimen_root_out_of_the_folder_is_refused(fault, root):
    message = fault(head=f'name = "x"\nspecimen_root = "{root}"\n', specimens=specimen_at("1.svs"))
    assert message.startswith("1 fault: cohort.toml specimen_root")


@pytest.mark.parametrize("mpp", ["0", "-0.25", "nan", "inf", "40x", "0.25 um"])
def test_a_resolution_is_a_positive_number(fault, mpp):
    message = fault(specimens=specimen_at("slides/1.svs", mpp=mpp))
    expected = f"specimens.csv row 2 column mpp: got {mpp!r}, wanted micrometres per pixel, such as 0.25"
    assert message == f"1 fault: {expected}"


def test_a_specimen_of_nobody_and_a_file_of_two_patients_are_faults(fault):
    rows = "P9,S1,slide,slides/1.svs,\nP1,S1,slide,slides/2.svs,\nP2,S3,slide,slides/2.svs,\n,S4,slide,slides/3.svs,\n"
    message = fault(specimens=f"{SPECIMENS_HEADER}\n{rows}")
    assert message.startswith("4 faults: ")
    assert "row 2 column patient_id: the patient is not in patients.csv" in message
    assert "row 3 column specimen_id: the same specimen_id stands in row 2 already" in message
    assert "row 4 column path: the same path stands in row 3 already" in message
    assert "row 5 column patient_id: is blank" in message


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("name = ", "cohort.toml is not valid TOML"),
        (b'name = "\xff"', "cohort.toml is not valid TOML"),
        ("", "has no name; add a line such as"),
        ('name = "x"\nhospitl = "y"', "unknown key 'hospitl'; known keys are endpoints, hospital"),
        ('name = "x"\nphantom = "yes"', "key 'phantom': got 'yes', wanted bool"),
        ('name = "x"\nendpoints = 3', "key 'endpoints': got 3, wanted dict"),
        ('name = "x"\nspecimen_root = 3', "key 'specimen_root': got 3, wanted str"),
        ("name = 3", "key 'name': got 3, wanted str"),
        ('name = "x"\n[endpoints.r]\ntime = "t"', "[endpoints.r] wants exactly the keys time and event"),
        ('name = "x"\n[endpoints.r]\ntime = "t"\nevent = ["e"]', "[endpoints.r] wants exactly"),
        ('name = "x"\n[endpoints.r]\ntime = "t"\nevent = "t"', "[endpoints.r] wants exactly"),
        ('name = "x"\n[endpoints]\nr = 1', "[endpoints.r] wants exactly"),
        ('name = "x"\n[endpoints.r]\nlabel = 1', "[endpoints.r] wants exactly"),
        ('name = "x"\n[endpoints.r]\nlabel = "l"\ntime = "t"', "[endpoints.r] wants exactly"),
        ('name = "x"\n[endpoints.hcc]\nlabel = "hcc"', "patients.csv has no column hcc, which cohort.toml names"),
        (
            'name = "x"\n[endpoints.r]\ntime = "recurrence_months"\nevent = "relapse"',
            "patients.csv has no column relapse, which cohort.toml names; it has patient_id, recurrence_months",
        ),
    ],
)
def test_a_bad_head_is_named(fault, head, message):
    assert message in fault(head=head)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("\n\n,,\n", "is empty"),
        (b"patient_id\nP\xe9\n", "is not a readable UTF-8 CSV table"),
        ("patient_id\nP1\n".encode("utf-16"), "is not a readable UTF-8 CSV table"),
        ('patient_id\n"P1\n', "is not a readable UTF-8 CSV table"),
        ("patient_id;age\nP1;50\n", "has no column patient_id; it has patient_id;age"),
        ("patient_id,age,age\nP1,1,2\n", "wanted a name of its own for each column, got 'age'"),
        ("patient_id,,age\nP1,1,2\n", "wanted a name of its own for each column, got ''"),
    ],
)
def test_a_table_that_is_none_is_named(fault, text, message):
    assert f"patients.csv {message}" in fault(head='name = "x"', patients=text)


def test_tables_without_rows_are_named(fault):
    message = fault(head='name = "x"', patients="patient_id\n", specimens=f"{SPECIMENS_HEADER}\n")
    assert message == "2 faults: patients.csv has no rows; specimens.csv has no rows"


@pytest.mark.parametrize("name", ["cohort.toml", "patients.csv", "specimens.csv"])
def test_a_missing_table_is_the_only_fault_that_it_makes(tmp_path, write_cohort, name):
    folder = write_cohort(tmp_path)
    (folder / name).unlink()
    with pytest.raises(CohortError, match=rf"has 1 fault: {name} is missing$"):
        load_cohort(folder)


def test_a_folder_that_is_not_there_misses_all_tables():
    with pytest.raises(CohortError, match="nowhere has 3 faults"):
        load_cohort(Path("nowhere"))


def test_every_fault_of_every_table_is_told_at_once(fault):
    message = fault(
        head=HEAD + "[endpoints.os]\ntime = 'os_months'\nevent = 'recurrence_event'\n[old]\n",
        patients=f"{PATIENTS_HEADER}\nP1,-6,1\nP1,7,2\n",
        specimens="patient_id,specimen_id,path\nP8,S1,../x\nP1,,slides/1.svs\n",
    )
    assert message.startswith("9 faults: ")
    assert message.count("; ") >= 8
    for part in (
        "cohort.toml has the unknown key 'old'",
        "patients.csv has no column os_months",
        "patients.csv row 2 column recurrence_months",
        "patients.csv row 3 column patient_id",
        "patients.csv row 3 column recurrence_event",
        "specimens.csv has no column modality",
        "specimens.csv row 2 column path",
        "specimens.csv row 2 column patient_id",
        "specimens.csv row 3 column specimen_id: is blank",
    ):
        assert part in message
