"""Lesions: read with every column, checked against specimens.csv, by mask or by place."""

import numpy as np
import pytest

from hepatica.cohort import CohortError, MultiClass, load_cohort
from hepatica.cohort.lesions import COLUMNS

HEADER = "patient_id,specimen_id,lesion_id,label,mask,segment,x_mm,y_mm,z_mm,diameter_mm"


@pytest.fixture
def read(tmp_path, write_cohort):
    def cohort(*rows, header=HEADER):
        folder = write_cohort(tmp_path)
        (folder / "lesions.csv").write_text("\n".join([header, *rows, ""]))
        return load_cohort(folder)

    return cohort


@pytest.fixture
def fault(read, tmp_path):
    def refused(*rows, **more):
        with pytest.raises(CohortError) as caught:
            read(*rows, **more)
        return str(caught.value).removeprefix(f"{tmp_path} has ")

    return refused


def test_a_cohort_without_lesions_has_an_empty_table(tmp_path, write_cohort):
    lesions = load_cohort(write_cohort(tmp_path)).lesions
    assert lesions.columns.tolist() == list(COLUMNS)
    assert lesions.empty


def test_lesions_are_read_with_their_masks_and_places(read, tmp_path):
    cohort = read("P1,S1,1,hcc,slides/1.svs,2,-10.5,20,0,35", "P1,S1,2,,,,,,,", "P2,S3,1,cyst,,,,,,")
    lesions = cohort.lesions
    assert lesions["mask"].tolist() == [tmp_path / "slides" / "1.svs", None, None]
    assert lesions.loc[0, ["lesion_id", "label", "segment", "x_mm", "y_mm", "z_mm", "diameter_mm"]].tolist() == [
        "1", "hcc", 2, -10.5, 20, 0, 35,
    ]  # fmt: skip
    assert lesions.loc[1, ["label", "segment", "x_mm", "diameter_mm"]].isna().all()
    assert cohort.select(["P2"]).lesions["label"].tolist() == ["cyst"]
    assert "lesions: 3" in repr(cohort)


def test_few_columns_are_enough_and_others_are_kept(read):
    lesions = read("P1,S1,1,4,5.5", header="patient_id,specimen_id,lesion_id,label,suv").lesions
    assert lesions.loc[0, ["label", "suv"]].tolist() == [4, 5.5]
    assert np.isnan(lesions.loc[0, "diameter_mm"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("P1,S9,1,,,,,,,", "row 2 column specimen_id: the specimen is not in specimens.csv"),
        ("P2,S1,1,,,,,,,", "row 2 column patient_id: the specimen is of another patient in specimens.csv"),
        ("P1,S1,,,,,,,,", "row 2 column lesion_id: is blank"),
        ("P1,S1,1,,9.nii,,,,,", "row 2 column mask: no such file: ./9.nii"),
        ("P1,S1,1,,../9.nii,,,,,", "row 2 column mask: got '../9.nii', wanted a path inside the cohort folder"),
        ("P1,S1,1,,,0,,,,", "row 2 column segment: got '0', wanted a whole number of 1 or more"),
        ("P1,S1,1,,,1.5,,,,", "row 2 column segment: got '1.5', wanted a whole number of 1 or more"),
        ("P1,S1,1,,,,1,2,,", "row 2: got one or two of x_mm, y_mm, z_mm, wanted all three or none"),
        ("P1,S1,1,,,,1,2,left,", "row 2 column z_mm: got 'left', wanted mm, or an empty cell"),
        ("P1,S1,1,,,,,,,0", "row 2 column diameter_mm: got '0', wanted mm, more than 0"),
        ("P1,S1,1,,,,,,,inf", "row 2 column diameter_mm: got 'inf', wanted mm, more than 0"),
    ],
)
def test_a_bad_row_is_named(fault, row, message):
    assert fault(row) == f"1 fault: lesions.csv {message}"


def test_a_lesion_is_in_one_row(fault, read):
    rows = "P1,S1,1,,,,,,,", "P1,S2,1,,,,,,,"
    assert len(read(*rows).lesions) == 2
    message = "1 fault: lesions.csv row 4 column lesion_id: an earlier row has the same lesion_id of the same specimen"
    assert fault(*rows, rows[0]) == message


def test_a_slip_of_a_column_is_a_fault(fault):
    header = "patient_id,specimen_id,lesion_id,diameter"
    assert "lesions.csv has the unknown column diametr_mm; did you mean diameter_mm?" in fault(
        "P1,S1,1,5", header=header.replace("diameter", "diametr_mm")
    )


HEAD = """\
name = "tiny"

[endpoints.kind]
lesion = "label"
classes = ["hcc", "cyst"]
"""


def test_an_endpoint_of_lesions_gives_each_patient_a_class(tmp_path, write_cohort):
    folder = write_cohort(tmp_path, head=HEAD)
    rows = ["P1,S1,1,cyst,5", "P1,S2,1,hcc,30", "P2,S3,1,,"]
    (folder / "lesions.csv").write_text("\n".join(["patient_id,specimen_id,lesion_id,label,diameter_mm", *rows, ""]))
    cohort = load_cohort(folder)
    assert cohort.patients["largest_label"].dropna().to_dict() == {"P1": "hcc"}
    assert MultiClass("kind", classes=("hcc", "cyst")).eligible(cohort) == ("P1",)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (None, "lesions.csv has no rows, and [endpoints.kind] of cohort.toml names its column label"),
        ("hc", "lesions.csv row 2 column label: got 'hc', wanted a class"),
        ("7", "lesions.csv row 2 column label: got '7', wanted a class"),
    ],
)
def test_classes_of_lesions_are_checked(tmp_path, write_cohort, label, message):
    folder = write_cohort(tmp_path, head=HEAD)
    if label:
        (folder / "lesions.csv").write_text(f"patient_id,specimen_id,lesion_id,label\nP1,S1,1,{label}\n")
    with pytest.raises(CohortError) as caught:
        load_cohort(folder)
    assert message in str(caught.value)
