"""Duplicates: copies go, different slices at one place stay."""

import random
import warnings

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from hepatica.cohort import SpecimenError
from hepatica.radiology.dicom.header import read_headers
from hepatica.radiology.dicom.series import decode, drop_duplicates, read_study
from hepatica.radiology.dicom.sources import find_sources
from hepatica.radiology.dicom.volume import read_volume


def headers(folder):
    return [header for source in find_sources(folder) for header in read_headers(source)]


def test_a_series_sent_twice_is_one(ct):
    ct.write()
    ct.write()
    kept, notes = drop_duplicates(headers(ct.folder))
    assert len(kept) == 6
    assert notes == ("6 duplicate slices dropped",)


def test_without_copies_nothing_is_said(ct):
    ct.write()
    kept, notes = drop_duplicates(headers(ct.folder))
    assert (len(kept), notes) == (6, ())


def test_of_a_sound_and_a_damaged_copy_the_sound_one_stays(ct):
    whole, cut = ct.write(ct.body(count=1)) + ct.write(ct.body(count=1))
    cut.write_bytes(cut.read_bytes()[:-500])
    (kept,), _ = drop_duplicates(headers(ct.folder))
    assert kept.source.path == whole


def test_different_slices_at_one_place_all_stay(ct):
    for k in range(2):
        ct.write(ct.body() + k)
    kept, notes = drop_duplicates(headers(ct.folder))
    assert (len(kept), notes) == (12, ())


def only(*paths):
    (series,) = read_study(*paths).series
    return series


def reasons(*paths):
    return [each.reason for each in read_study(*paths).refused]


def test_a_series_is_sorted_by_place_whatever_its_names_and_numbers(ct):
    ct.write(change=lambda k, each: setattr(each, "InstanceNumber", (7 * k) % 5))
    series = only(ct.folder)
    assert [header.position[2] for header in series.headers] == [0, 5, 10, 15, 20, 25]
    assert np.array_equal(read_volume(series).values, ct.body())
    assert series.notes == ()


def test_the_order_of_the_files_given_changes_nothing(ct):
    paths = ct.write()
    keys = set()
    for seed in range(3):
        random.Random(seed).shuffle(paths)
        series = only(*paths)
        keys.add(series.key)
        assert np.array_equal(read_volume(series).values, ct.body())
    assert len(keys) == 1


def test_a_series_split_over_two_folders_is_one(ct, tmp_path):
    paths = ct.write()
    other = tmp_path / "other"
    other.mkdir()
    for path in paths[::2]:
        path.rename(other / path.name)
    assert np.array_equal(read_volume(only(ct.folder, other)).values, ct.body())


def test_two_patients_in_one_folder_are_never_mixed(ct):
    ct.write()
    ct.write(ct.body() + 1, PatientID="SECRET-2")  # even under one and the same series UID
    study = read_study(ct.folder)
    assert study.patients == 2
    assert [each.patient for each in study.series] == [1, 2]
    assert sorted(read_volume(each).values.max() for each in study.series) == [ct.body().max(), ct.body().max() + 1]


def test_series_of_blank_uids_are_told_apart_by_what_else_they_say(ct):
    blank = {"SeriesInstanceUID": "", "StudyInstanceUID": "", "SOPInstanceUID": ""}
    ct.write(**blank, SeriesDescription="arterial")
    ct.write(ct.body() + 1, **blank, SeriesDescription="portal venous")
    assert [each.geometry.shape for each in read_study(ct.folder).series] == [(6, 40, 48)] * 2


def test_duplicates_are_dropped_and_told(ct):
    ct.write(change=lambda k, each: ct.save(each) if k in (1, 4) else None)
    series = only(ct.folder)
    assert series.notes == ("2 duplicate slices dropped",)
    assert np.array_equal(read_volume(series).values, ct.body())


def test_two_phases_under_one_series_uid_are_taken_apart_by_acquisition(ct):
    ct.write(AcquisitionNumber=1)
    ct.write(ct.body() + 40, AcquisitionNumber=2)
    series = read_study(ct.folder).series
    assert all(each.notes == ("one of 2 time points sent as one series",) for each in series)
    assert {read_volume(each).values.max() for each in series} == {ct.body().max(), ct.body().max() + 40}


def test_two_phases_that_nothing_tells_apart_are_refused(ct):
    ct.write()
    ct.write(ct.body() + 40)
    assert "two different slices have one position" in reasons(ct.folder)[0]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "a localizer"),
        ({"Rows": 60000, "Columns": 60000}, "60000 x 60000 pixels"),
        ({"NumberOfFrames": 1_000_000}, "got 0 frames with a position, wanted 1000000"),
        ({"ImagePositionPatient": [0, 0, 99.0]}, "1 images at 1 positions"),
        ({"Modality": "US"}, "modality US, not CT"),
        ({"Modality": "SR", "Rows": None}, "modality SR, not CT"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "screen shot or dose report"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "screen shot or dose report"),
        ({"RescaleType": "Z_EFF"}, "Z_EFF, not Hounsfield units"),
        ({"ImagePositionPatient": None}, "header is incomplete"),
        ({"PixelSpacing": None}, "header is incomplete"),
        ({"SamplesPerPixel": 3}, "colour image"),
    ],
)
def test_what_is_no_ct_slice_is_set_aside_with_the_reason_and_the_series_still_read(ct, tags, reason):
    ct.write()
    ct.write(ct.body(count=1), heights=[99], **{"SeriesInstanceUID": "1.2.3.9"} | tags)
    study = read_study(ct.folder)
    assert np.array_equal(read_volume(study.series[0]).values, ct.body())
    assert reason in study.refused[0].reason
    assert study.refused[0].files == 1


def test_files_that_are_no_dicom_are_set_aside(ct):
    ct.write()
    (ct.folder / "notes.txt").write_text("hello")
    (ct.folder / "empty.dcm").write_bytes(b"")
    assert reasons(ct.folder) == ["not a DICOM file"]
    assert read_study(ct.folder).refused[0].files == 2


def test_a_study_without_axial_ct_says_so_with_every_reason(ct):
    ct.write(ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    ct.write(Modality="MR")
    with pytest.raises(SpecimenError, match=r"no axial CT series.*6 files: modality MR.*6 files: not axial"):
        read_study(ct.folder).axial()


def test_no_identifier_is_printed(ct):
    ct.write()
    printed = repr(read_study(ct.folder))
    assert not [word for word in ("Secret", "SECRET", "1.2.3.4") if word in printed]


@pytest.mark.parametrize(
    "spelt",
    [
        {"PatientBirthDate": ""},
        {"PatientName": "Secret^N."},
        {"PatientName": ""},
        {"PatientID": " SECRET-1 "},
        {"PatientID": ""},
        {"IssuerOfPatientID": "the hospital"},
    ],
)
def test_names_dates_and_issuers_that_differ_or_are_blank_are_one_patient_with_a_note(ct, spelt):
    ct.write(PatientBirthDate="19500101")
    ct.write(ct.body() + 1, **{"PatientBirthDate": "19500101", "SeriesInstanceUID": "1.2.9"} | spelt)
    study = read_study(ct.folder)
    assert study.patients == 1
    trimmed = spelt == {"PatientID": " SECRET-1 "}
    assert all(("blank or spelt differently" in str(each.notes)) != trimmed for each in study.series)


def test_slices_at_less_than_three_places_are_set_aside_unless_specimens_csv_names_them(ct):
    ct.write()
    ct.write(ct.body(count=2), SeriesInstanceUID="1.9", SeriesNumber=7)
    study = read_study(ct.folder)
    assert len(study.series) == 1
    assert study.refused[0].reason.startswith("2 images at 2 positions")
    named = read_study(ct.folder, wanted="7; 8")
    assert [each.geometry.shape[0] for each in named.series] == [2]
    assert named.refused[0].reason == "not among the series 7; 8, which specimens.csv names"
    assert len(read_study(ct.folder, wanted="all").series) == 2


def test_bolus_tracking_at_one_position_is_set_aside(ct):
    ct.write()
    for k in range(4):
        ct.write(ct.body(count=1) + k, heights=[10], SeriesInstanceUID="1.9")
    assert reasons(ct.folder) == ["4 images at 1 positions (bolus tracking or a single slice), wanted 3 or more"]


def test_a_perfusion_scan_is_set_aside_by_its_many_time_points(ct):
    for k in range(8):
        ct.write(ct.body() + k, AcquisitionTime=f"1200{k:02d}")
    assert reasons(ct.folder)[0].startswith("8 time points of the same places: a perfusion scan")


def test_of_two_reconstructions_of_a_scan_that_of_the_usual_thickness_is_read(ct):
    ct.write(AcquisitionTime="120000.5")
    thin = {"SeriesInstanceUID": "1.9", "SliceThickness": 1, "AcquisitionTime": "120001"}
    ct.write(ct.body(count=26) + 1, heights=range(26), **thin)
    ct.write(ct.body() + 2, SeriesInstanceUID="1.8", AcquisitionTime="120030")
    study = read_study(ct.folder)
    assert sorted(read_volume(each).values.max() - ct.body().max() for each in study.series) == [0, 2]
    assert [(each.files, each.reason) for each in study.refused] == [
        (26, "another reconstruction (1 mm) of the same scan; 5 mm is read")
    ]
    assert len(read_study(ct.folder, wanted="all").series) == 3


def test_results_can_carry_over_what_the_first_slice_says(ct):
    ct.write()
    assert only(ct.folder).dataset().PatientID == "SECRET-1"


def test_real_series_with_blank_uids(real):
    series = only(real / "totalsegmentator/dicom")
    assert series.geometry.shape == (20, 512, 512)
    assert series.geometry.spacing == (2.0, 0.9765625, 0.9765625)  # 3 mm thick, 2 mm apart
    assert series.notes == ()


def test_real_series_of_three_slices_beside_its_segmentation_and_report(real):
    study = read_study(real / "dcmqi")
    assert [each.geometry.shape for each in study.series] == [(3, 512, 512)]
    assert {"modality SEG, not CT", "modality SR, not CT"} <= {each.reason for each in study.refused}


def test_real_ultrasound_is_set_aside(real):
    study = read_study(real / "pydicom/US1_UNCR.dcm")
    assert study.series == ()
    with pytest.raises(SpecimenError, match="modality US, not CT"):
        study.axial()


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless], ids=["JPEG 2000", "JPEG-LS", "RLE"])
def test_lossless_compression_changes_nothing(ct, syntax):
    ct.write(syntax=syntax)
    (series,) = read_study(ct.folder).series
    assert series.headers[0].transfer_syntax == syntax
    assert np.array_equal(read_volume(series).values, ct.body())


def test_many_threads_give_what_one_does(ct):
    paths = ct.write(syntax=JPEG2000Lossless)
    paths[1].write_bytes(paths[1].read_bytes()[:-200])
    (series,) = read_study(ct.folder).series
    one, many = (decode(series.headers, workers=workers) for workers in (1, 2))
    assert one[1] is None
    assert many[1] is None
    assert all(np.array_equal(a, b) for a, b in zip(one, many, strict=True) if a is not None)


def test_no_thread_leaves_warnings_switched_off(ct):
    ct.write(syntax=JPEG2000Lossless)
    (series,) = read_study(ct.folder).series
    before = warnings.filters.copy()
    decode(series.headers, workers=4)
    assert warnings.filters == before


def test_a_real_jpeg_2000_slice_has_the_values_other_decoders_give(real):
    """Against SimpleITK, whose own GDCM decodes and rescales."""
    import SimpleITK

    (series,) = read_study(real / "totalsegmentator/dicom").series
    header = series.headers[0]
    expected = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(header.source.path)))[0]
    assert np.array_equal(decode([header])[0].astype(int) - 1024, expected)
