"""Specimens: attachments, and every other column, of one row; files that are there; names that are no slip."""

import pytest

from hepatica.cohort import CohortError, load_cohort

HEADER = "patient_id,specimen_id,modality,path"


@pytest.fixture
def read(tmp_path, write_cohort):
    def specimens(columns, *rows, head='name = "x"\n'):
        text = "\n".join([f"{HEADER},{columns}" if columns else HEADER, *rows, ""])
        return load_cohort(write_cohort(tmp_path, head=head, specimens=text)).specimens

    return specimens


@pytest.fixture
def fault(read, tmp_path):
    def refused(*given, **more):
        with pytest.raises(CohortError) as caught:
            read(*given, **more)
        return str(caught.value).removeprefix(f"{tmp_path} has ")

    return refused


def test_masks_lie_beside_a_study(read, tmp_path):
    rows = "P1,S1,ct,slides,slides/1.svs,", "P2,S2,ct,slides/2.svs,slides/1.svs,slides/3.svs"
    first, second = read("liver_mask,nodule_mask", *rows)
    lying = tmp_path / "slides"
    assert (first.path, first.attachments) == (lying, {"liver_mask": lying / "1.svs"})
    assert second.attachments == {"liver_mask": lying / "1.svs", "nodule_mask": lying / "3.svs"}


def test_a_specimen_is_a_key_and_its_attachments_tell_it_apart(read):
    first, second = read("water,scanner", "P1,S1,spectrum,slides/1.svs,slides/2.svs,X", "P2,S2,spectrum,slides/3.svs,,")
    assert {first: 1, second: 2}[first] == 1
    assert (first.extra, second.attachments, second.extra) == ({"scanner": "X"}, {}, {})


@pytest.mark.parametrize("head", ['attachments = ["second_phase"]\n', '[endpoints.tumour]\nmask = "second_phase"\n'])
def test_cohort_toml_may_name_further_attachments(read, tmp_path, head):
    (specimen,) = read("second_phase", "P1,S1,ct,slides/1.svs,slides", head=f'name = "x"\n{head}')
    assert specimen.attachments == {"second_phase": tmp_path / "slides"}


def test_a_declared_attachment_without_a_column_is_a_fault(fault):
    message = fault("portal_phase", "P1,S1,ct,slides/1.svs,a", head='name = "x"\nattachments = ["portal_fase"]\n')
    assert message.startswith(
        "1 fault: specimens.csv has no column portal_fase, which cohort.toml names; did you mean por"
    )


@pytest.mark.parametrize("column", ["liver_mask", "nodule_mask", "mask", "water"])
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("../1.svs", "got '../1.svs', wanted a path inside the cohort folder"),
        ("9.svs", "no such file: ./9.svs"),
        ("slides", ""),
    ],
)
def test_an_attachment_is_checked_as_a_path_is(read, fault, column, mask, message):
    given = column, f"P1,S1,ct,slides/1.svs,{mask}"
    if message:
        assert fault(*given) == f"1 fault: specimens.csv row 2 column {column}: {message}"
    else:
        assert read(*given)[0].attachments[column].is_dir()  # of a study, a folder of images


@pytest.mark.parametrize("column", ["livermask", "Liver_Mask", "liver_masks", "MPP", "waters"])
def test_a_slip_of_a_known_column_is_a_fault(fault, column):
    assert f"specimens.csv has the unknown column {column}; did you mean" in fault(column, "P1,S1,ct,slides/1.svs,x")


@pytest.mark.parametrize("cell", ["masks/P1.nii.gz", "annotated.tif", r"studies\0001_portal", "studies/0001"])
def test_an_unknown_column_of_files_is_a_fault_that_says_what_to_do(fault, cell):
    assert fault("second", f"P1,S1,ct,slides/1.svs,{cell}", "P1,S2,ct,slides/2.svs,") == (
        "1 fault: specimens.csv the unknown column second looks like names of files; add attachments"
        ' = ["second"] to cohort.toml if it names a further file of a specimen'
    )


@pytest.mark.parametrize("cell", ["PET/CT", "12/05/2020", "n/a", "3.5", "Dr. Meier", "HE 1/2", "v1.2", "T1/T2"])
def test_other_columns_are_kept_with_the_specimen(read, cell):
    assert read("note", f"P1,S1,ct,slides/1.svs,{cell}")[0].extra == {"note": cell}


@pytest.mark.parametrize(("given", "meant"), [("CT", "ct"), ("slides", "slide"), ("Ultra-sound", "ultrasound")])
def test_a_slip_of_a_modality_is_a_fault(fault, given, meant):
    message = f"row 2 column modality: got {given!r}, wanted a modality; did you mean {meant}?"
    assert message in fault("", f"P1,S1,{given},slides/1.svs")


def test_an_instrument_of_its_own_is_no_slip(read):
    assert read("", "P1,S1,genes,slides/1.svs")[0].modality == "genes"


def test_files_of_a_full_folder_are_found_and_missed(fault, read):
    rows = [f"P1,S{n},slide,slides/{n}.svs" for n in range(1, 8)]
    twice = [f"{row},slides/1.svs" for row in rows]
    assert len(read("mask", *twice)) == 7
    others = [f"P1,T{n},slide,slides/x{n}.svs,slides/1.svs" for n in range(1, 30)]
    message = fault("mask", *twice, *others)
    names = ", ".join(f"./slides/x{n}.svs" for n in range(1, 6))
    assert message == (
        f"29 faults: specimens.csv rows 9, 10, 11, 12, 13 and 24 more column path: no such file: {names} and 24 more"
    )


def test_a_folder_is_no_spectrum_even_in_a_full_folder(fault, tmp_path):
    (tmp_path / "slides" / "study.svs").mkdir(parents=True)
    rows = [f"P1,S{n},spectrum,slides/{n}.svs" for n in range(1, 8)]
    assert "row 9 column path: no such file: ./slides/study.svs" in fault("", *rows, "P1,S8,spectrum,slides/study.svs")


def test_a_resolution_overrides_the_file_where_it_is_forced_alone(read, fault):
    rows = [f"P1,S{n},slide,slides/{n}.svs,0.25,{force}" for n, force in enumerate(("", "0", "1"), start=1)]
    assert [(each.mpp, each.force_mpp) for each in read("mpp,force_mpp", *rows)] == [
        (0.25, False),
        (0.25, False),
        (0.25, True),
    ]
    message = fault("mpp,force_mpp", "P1,S1,slide,slides/1.svs,0.25,maybe")
    assert message == "1 fault: specimens.csv row 2 column force_mpp: got 'maybe', wanted 1 (yes) or 0 (no)"


def test_parts_of_one_slide_are_specimens_each(read, fault):
    rows = ["P1,S1,slide,slides/1.svs,slides/2.svs,A-1,", "P2,S2,slide,slides/1.svs,slides/2.svs,A-2,Ignore*"]
    first, second = read("region,region_class,region_without", *rows)
    assert first.attachments["region"].name == "2.svs"
    assert second.extra == {"region_class": "A-2", "region_without": "Ignore*"}
    head = "1 fault: specimens.csv row 4 column "
    for row, message in {
        "P1,S3,slide,slides/1.svs,slides/2.svs,A-1,x": "path: the same path and region are in row 2 already",
        "P1,S3,slide,slides/3.svs,,A-1,": "region: names a part of no region; name its GeoJSON file in column region",
    }.items():
        assert fault("region,region_class,region_without", *rows, row) == head + message
    whole = "P1,S3,slide,slides/1.svs,,,"
    assert "rows 2, 3 column path: the same path is in row 4 without a region" in fault(
        "region,region_class,region_without", *rows, whole
    )


def test_a_slide_may_be_a_folder(read, tmp_path):
    (specimen,) = read("", "P1,S1,slide,slides")
    assert specimen.path == tmp_path / "slides"
