"""Cohort table: what is read, and every fault of a hand-made folder by file, row and column."""

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


ADDED = {
    "cohort.toml": '[tables.visits]\npath = "visits.csv"\npatient = "p"\n',
    "patients.csv": "\n",
    "specimens.csv": "\n",
    "lesions.csv": "patient_id,specimen_id,lesion_id\nP1,S1,L1\n",
    "visits.csv": "P1,2\n",
}


def test_the_digest_changes_with_any_of_the_tables(tmp_path, write_cohort):
    folder = write_cohort(tmp_path)
    (folder / "visits.csv").write_text("p,x\nP1,1\n")
    digests = {load_cohort(folder).digest}
    for name in ("cohort.toml", "patients.csv", "specimens.csv", "lesions.csv", "visits.csv"):
        with (folder / name).open("a") as file:
            file.write(ADDED[name])
        digests.add(load_cohort(folder).digest)
    (folder / "specimens.csv").unlink()
    (folder / "lesions.csv").unlink()
    digests.add(load_cohort(folder).digest)
    assert len(digests) == 7


def test_select_keeps_the_order_of_the_cohort(tmp_path, write_cohort):
    chosen = load_cohort(write_cohort(tmp_path)).select(["P3", "P1"])
    assert list(chosen.patients.index) == ["P1", "P3"]
    assert [specimen.specimen_id for specimen in chosen.specimens] == ["S1", "S2", "S4"]


def test_an_endpoint_that_is_not_there_names_those_that_are(tmp_path, write_cohort):
    cohort = load_cohort(write_cohort(tmp_path))
    assert cohort.endpoint("recurrence").time == "recurrence_months"
    with pytest.raises(CohortError, match=r"no endpoint 'relapse' \(has: overall_survival, recurrence\)"):
        cohort.endpoint("relapse")


def test_a_modality_that_is_not_there_names_those_that_are(tmp_path, write_cohort):
    cohort = load_cohort(write_cohort(tmp_path))
    with pytest.raises(CohortError, match=r"has no specimens of modality ct \(has: slide\)"):
        cohort.specimens_of("ct")


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
        ("P1,7,0", "patients.csv row 3 column patient_id: the same patient_id is in row 2 already"),
        (
            "P2,7,3",
            "row 3 column recurrence_event: got '3', wanted 1 (happened), 0 (censored) or 2 (a competing event)",
        ),
        ("P2,7,-1", "row 3 column recurrence_event: got '-1'"),
        ("P2,7,yes", "row 3 column recurrence_event: got 'yes'"),
        ("P2,7,True", "row 3 column recurrence_event: got 'True'"),
        ("P2,7,NA", "row 3 column recurrence_event: got 'NA'"),
        ("P2,7,", "row 3 column recurrence_event: got ''"),
        ("P2,7,0.5", "row 3 column recurrence_event: got '0.5'"),
        (
            "P2,-0.1,1",
            "row 3 column recurrence_months: got '-0.1', wanted months of follow-up, 0 to 600; divide days by 30.4375",
        ),
        (
            "P2,3650,1",
            "row 3 column recurrence_months: got '3650', wanted months of follow-up, 0 to 600; divide days by 30.4375",
        ),
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


@pytest.mark.parametrize("row", ["P2,7,3", "P2,inf,1", "P2,,1", "P1,7,1"])
def test_one_bad_cell_is_one_fault(patient_fault, row):
    assert patient_fault(row).startswith("1 fault: ")


def test_a_time_with_a_decimal_comma_in_every_row_does_not_shift_the_columns(fault):
    message = fault(head=HEAD, patients=f"{PATIENTS_HEADER}\nP1,6,5,1\nP2,7,5,0\n")
    assert "patients.csv rows 2, 3: got 4 cells, wanted 3" in message


def test_rows_are_counted_as_a_spreadsheet_does_past_blank_and_folded_rows(patient_fault):
    assert "row 5 column recurrence_event: got '3'" in patient_fault('\n"P\n2",7,0\nP3,7,3')


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


@pytest.mark.parametrize("path", ["slides/9.svs", "9" * 400, "s3:/bucket/1.svs", "~/1.svs"])
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
    assert "row 3 column specimen_id: the same specimen_id is in row 2 already" in message
    assert "row 4 column path: the same path is in row 3 already" in message
    assert "row 5 column patient_id: is blank" in message


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ('name = "x"\n[endpoints.hcc]\nlabel = "hcc"', "patients.csv has no column hcc, which cohort.toml names"),
        (
            'name = "x"\n[endpoints.r]\ntime = "recurrence_months"\nevent = "relapse"',
            "patients.csv has no column relapse, which cohort.toml names; it has patient_id",
        ),
    ],
)
def test_a_column_that_only_cohort_toml_has_is_named(fault, head, message):
    assert message in fault(head=head)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("\n\n,,\n", "is empty"),
        (b"patient_id\nP\xe9\n", "is not a readable UTF-8 CSV table"),
        ('patient_id\n"P1\n', "is not a readable UTF-8 CSV table"),
        ("patient_id,age,age\nP1,1,2\n", "wanted a name of its own for each column, got 'age'"),
        ("patient_id,,age\nP1,1,2\n", "wanted a name of its own for each column, got ''"),
    ],
)
def test_a_table_that_is_none_is_named(fault, text, message):
    assert f"patients.csv {message}" in fault(head='name = "x"', patients=text)


def test_tables_without_rows_are_named(fault):
    message = fault(head='name = "x"', patients="patient_id\n", specimens=f"{SPECIMENS_HEADER}\n")
    assert message == "2 faults: patients.csv has no rows; specimens.csv has no rows"


@pytest.mark.parametrize("name", ["cohort.toml", "patients.csv"])
def test_a_missing_table_is_the_only_fault_that_it_makes(tmp_path, write_cohort, name):
    folder = write_cohort(tmp_path)
    (folder / name).unlink()
    with pytest.raises(CohortError, match=rf"has 1 fault: {name} is missing$"):
        load_cohort(folder)


def test_a_folder_that_is_not_there_is_one_sentence():
    with pytest.raises(CohortError, match=r"nowhere is not a folder; give a cohort folder, which has cohort\.toml"):
        load_cohort("nowhere")


def test_every_fault_of_every_table_is_told_at_once(fault):
    message = fault(
        head=HEAD + "[endpoints.os]\ntime = 'os_months'\nevent = 'recurrence_event'\n[old]\n",
        patients=f"{PATIENTS_HEADER}\nP1,-6,1\nP1,7,3\n",
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


EVERY_KIND = """
name = "x"
hospital = "A <b>"
phantom = true
[endpoints.death]
time = "months"
event = "died"
[endpoints.hcc]
label = "hcc"
[endpoints.grade]
label = "grade"
classes = ["G1", "G2", "G3"]
ordered = true
[endpoints.stiffness]
value = "kpa"
unit = "kPa"
"""
EVERY_COLUMN = "patient_id,months,died,hcc,grade,kpa,sex\nP1,6,2,1,G3,3.5,f\nP2,30,0,,,,m\n"


@pytest.fixture
def patients_only(tmp_path, write_cohort):
    folder = write_cohort(tmp_path, head=EVERY_KIND, patients=EVERY_COLUMN)
    (folder / "specimens.csv").unlink()
    return folder


def test_patients_alone_are_a_cohort_with_endpoints_of_every_kind(patients_only):
    cohort = load_cohort(str(patients_only))
    assert (cohort.specimens, len(cohort.lesions), cohort.tables) == ((), 0, {})
    assert cohort.patients.columns.tolist() == ["months", "died", "hcc", "grade", "kpa", "sex"]
    assert cohort.patients.loc["P1"].tolist() == [6, 2, 1, "G3", 3.5, "f"]
    assert cohort.patients.loc["P2"].isna().tolist() == [False, False, True, True, True, False]
    assert cohort.label(Target(endpoint="death", horizon=Months(12))).tolist() == [0, 0]


def test_an_outlined_endpoint_needs_specimens(patients_only):
    with (patients_only / "cohort.toml").open("a") as file:
        file.write('[endpoints.tumour]\nmask = "tumour_mask"\n')
    with pytest.raises(CohortError, match=r"\[endpoints.tumour\] names a column of specimens.csv, which is missing$"):
        load_cohort(patients_only)
    (patients_only / "specimens.csv").write_text("patient_id,specimen_id,modality,path\nP1,S1,ct,slides\n")
    with pytest.raises(CohortError, match=r"specimens.csv has no column tumour_mask, which cohort.toml names"):
        load_cohort(patients_only)


def test_specimens_of_another_name_are_not_passed_over(patients_only):
    (patients_only / "specimen.csv").touch()
    with pytest.raises(CohortError, match=r"1 fault: specimens.csv is missing; there is specimen.csv: rename it"):
        load_cohort(patients_only)


@pytest.mark.parametrize(
    ("column", "cells", "message"),
    [
        ("Treatment", "none", "patients.csv has the unknown column Treatment; did you mean treatment?"),
        ("ct", "scans/0001.nii.gz", "patients.csv the unknown column ct looks like names of files; add attachments"),
    ],
)
def test_a_slip_and_names_of_files_are_no_covariates(fault, column, cells, message):
    assert message in fault(head='name = "x"', patients=f"patient_id,{column}\nP1,{cells}\n")


def test_follow_up_in_days_is_refused(fault):
    """As in a cohort whose 20 patients had up to 1190 days in a column of months."""
    rows = "".join(f"P{n},{days},0\n" for n, days in enumerate((50, 1190, 1151, 900, 610, 380), start=1))
    message = fault(head=HEAD, patients=f"{PATIENTS_HEADER}\n{rows}", specimens=specimen_at("slides/1.svs"))
    assert message.startswith(
        "4 faults: patients.csv rows 3, 4, 5, 6 column recurrence_months: got '1190', '1151', '900', '610',"
    )
    assert "divide days by 30.4375" in message


def test_a_cohort_of_a_german_spreadsheet_is_read(tmp_path, write_cohort):
    patients = "patient_id;recurrence_months;recurrence_event;afp\r\nMüller;6,5;1;1,5\r\nP2;30;0;\r\n"
    specimens = "patient_id\tspecimen_id\tmodality\tpath\nMüller\tS1\tslide\tslides/1.svs\n"
    cohort = load_cohort(write_cohort(tmp_path, head=HEAD, patients=patients.encode("utf-16"), specimens=specimens))
    assert cohort.patients.loc["Müller"].tolist() == [6.5, 1, 1.5]
    assert cohort.specimens[0].patient_id == "Müller"


def test_a_cohort_shows_itself_in_a_few_lines(patients_only):
    cohort = load_cohort(patients_only)
    assert repr(cohort).splitlines() == [
        "Cohort x",
        "  hospital: A <b>",
        "  phantom: simulated patients",
        "  patients: 2",
        "  endpoint death: 0 events, median follow-up 18 months",
        "  endpoint hcc: present in 1 of 1",
        "  endpoint grade: G1 0, G2 0, G3 1",
        "  endpoint stiffness: median 3.5 kPa of 1",
    ]
    page = cohort._repr_html_()
    assert "<td>A &lt;b&gt;</td>" in page
    assert "nan" in repr(cohort.select([]))


def test_the_specimens_and_masks_are_counted_where_it_shows_itself(tmp_path, write_cohort):
    head = 'name = "x"\n[endpoints.tumour]\nmask = "tumour_mask"\n'
    rows = "P1,S1,ct,slides,slides/1.svs\nP1,S2,slide,slides/2.svs,\n"
    specimens = f"patient_id,specimen_id,modality,path,tumour_mask\n{rows}"
    cohort = load_cohort(write_cohort(tmp_path, head=head, specimens=specimens))
    assert "specimens: 2 (1 ct, 1 slide)" in repr(cohort)
    assert "endpoint tumour: 1 specimens outlined" in repr(cohort)


def test_codes_of_missing_values_and_damaged_numbers_are_found_by_row_and_column(write_cohort, tmp_path):
    patients = ["patient_id,recurrence_months,recurrence_event,overall_survival_months,overall_survival_event,afp"]
    patients += [
        f"P{n},6,{n % 2},14,{n % 2},{afp}" for n, afp in enumerate(["1.5", "20", "-999", "300", ">1000", ""], 1)
    ]
    text = "\n".join(patients)
    with pytest.raises(CohortError) as error:
        load_cohort(write_cohort(tmp_path / "a", patients=text))
    assert "patients.csv row 6 column afp: got '>1000', wanted a number as in 4 other rows" in str(error.value)
    with pytest.raises(CohortError, match=r"row 4 column afp: got '-999', wanted a value or an empty cell; a code of"):
        load_cohort(write_cohort(tmp_path / "b", patients=text.replace(">1000", "1000")))
    folder = write_cohort(tmp_path / "c", patients=text)
    head = (folder / "cohort.toml").read_text()
    (folder / "cohort.toml").write_text('missing = [-999, ">1000"]\n' + head)
    assert load_cohort(folder).patients["afp"].isna().sum() == 3
    (folder / "cohort.toml").write_text("missing = [true]\n" + head)
    with pytest.raises(CohortError, match=r"key 'missing': got \[True\], wanted a list of codes"):
        load_cohort(folder)


def test_a_median_follow_up_of_decades_is_doubted_where_it_is_printed(tmp_path, write_cohort):
    rows = "".join(f"P{n},{days},0\n" for n, days in enumerate((50, 190, 300, 365, 500), start=1))
    patients = f"{PATIENTS_HEADER}\n{rows}"
    folder = write_cohort(tmp_path, head=HEAD, patients=patients, specimens=specimen_at("slides/1.svs"))
    with pytest.warns(UserWarning, match="the median follow-up is 300 months"):
        cohort = load_cohort(folder)
    assert "median follow-up 300 months (25 years; are these days?)" in repr(cohort)
