"""Pseudonym: consistent under one key, unlinkable without it."""

import io
from datetime import date, datetime

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.uid import UID

from hepatica.cohort.errors import SettingsError
from hepatica.radiology.deidentify.confidentiality import ACTIONS, FARTHEST, Pseudonyms, protect, pseudonyms
from hepatica.radiology.dicom.frames import tolerant

ONE, OTHER = Pseudonyms(key=b"1" * 32), Pseudonyms(key=b"2" * 32)


@given(uid=st.from_regex(r"1\.2\.[1-9][0-9]{0,20}", fullmatch=True))
def test_a_uid_is_mapped_to_one_valid_uid_for_each_key(uid):
    assert UID(ONE.uid(uid)).is_valid
    assert ONE.uid(uid) == Pseudonyms(key=b"1" * 32).uid(uid) != OTHER.uid(uid)


def test_uids_of_the_standard_and_blank_ones_stay():
    assert ONE.uid("1.2.840.10008.1.4.1.1") == "1.2.840.10008.1.4.1.1"  # Talairach frame of reference
    assert ONE.uid("") == ""


@given(days=st.integers(0, 20000), who=st.text(min_size=1))
def test_days_of_one_patient_are_set_back_alike(days, who):
    first, later = date.fromordinal(720000), date.fromordinal(720000 + days)
    back = first - ONE.shifted(first, patient=who)
    assert 1 <= back.days <= FARTHEST
    assert later - ONE.shifted(later, patient=who) == back


def test_without_a_key_each_call_has_its_own_secret():
    assert pseudonyms(None).uid("1.2.3") != pseudonyms(None).uid("1.2.3")


def test_a_key_is_read_and_never_shown(tmp_path):
    (tmp_path / "key").write_bytes(b"0123456789abcdef")
    assert pseudonyms(tmp_path / "key").key == b"0123456789abcdef"
    assert "0123" not in repr(pseudonyms(tmp_path / "key"))


@pytest.mark.parametrize("content", [None, b"short"])
def test_no_key_or_a_short_one_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    with pytest.raises(SettingsError, match="16 random bytes"):
        pseudonyms(tmp_path / "key")


BY = Pseudonyms(key=b"1" * 32)


@pytest.fixture
def image(ct) -> Dataset:
    dataset = ct.dataset(
        ct.body(count=1),
        StudyDate="20240131",
        StudyTime="101112",
        SeriesDate="20240201",
        AcquisitionDateTime="20240131101112.5+0100",
        PatientBirthDate="19600229",
        PatientSex="F",
        PatientAge="064Y",
        AccessionNumber="SECRET",
        InstitutionName="SECRET",
        StationName="SECRET",
        StudyDescription="SECRET",
        OperatorsName="SECRET",
        DeviceSerialNumber="SECRET",
    )
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    item.PatientName = item.InstitutionName = "SECRET"
    inner = Dataset()
    inner.PersonName = "SECRET"
    item.ReferencedImageSequence = [inner]
    dataset.ReferencedImageSequence = [item]
    dataset.OtherPatientIDsSequence = [Dataset()]
    block = dataset.private_block(0x0099, "SECRET", create=True)
    block.add_new(1, "LO", "SECRET")
    dataset.add_new(0x60003000, "OW", b"\1\0")
    dataset.add_new(0x60000010, "US", 1)
    dataset.add_new(0x00100000, "UL", 12)
    dataset.add_new(0x00100FFE, "LO", "SECRET")  # in no dictionary
    dataset.preamble = b"SECRET" + bytes(122)
    dataset.file_meta.SourceApplicationEntityTitle = "SECRET"
    return dataset


def written(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("keyword", "action"),  # PS3.15 table E.1-1, column "Basic Prof."; of a choice ours
    [
        ("AccessionNumber", "Z"),
        ("AcquisitionDateTime", "D"),  # X/Z/D
        ("AcquisitionDate", "Z"),  # X/Z
        ("AdditionalPatientHistory", "X"),
        ("ContentDate", "D"),  # Z/D
        ("ContentSequence", "D"),
        ("ContrastBolusAgent", "D"),  # Z/D
        ("DataSetTrailingPadding", "X"),
        ("DetectorID", "D"),  # X/D
        ("DeviceSerialNumber", "D"),  # X/Z/D
        ("DeviceUID", "U"),
        ("DimensionOrganizationUID", "U"),
        ("FrameOfReferenceUID", "U"),
        ("PatientAge", "X"),
        ("PatientBirthDate", "Z"),
        ("PatientName", "Z"),
        ("ReferencedSOPInstanceUID", "U"),
        ("SourceImageSequence", "U"),  # X/Z/U*
        ("StudyDate", "Z"),
        ("StudyInstanceUID", "U"),
    ],
)
def test_actions_are_those_of_the_table(keyword, action):
    assert ACTIONS[tag_for_keyword(keyword)] == action


def test_the_table_is_whole():
    assert len(ACTIONS) == 652  # and three rows for curves, overlays and their comments
    assert set(ACTIONS.values()) == {"X", "Z", "D", "U"}


def test_no_identifier_is_left_anywhere(image):
    protect(image, by=BY, patient="P-1", shift_dates=False)
    content = written(image)
    assert b"SECRET" not in content
    assert b"1.2.3.4" not in content
    assert b"2024" not in content
    assert b"1960" not in content


def test_what_is_needed_to_read_the_image_stays(image, ct):
    protect(image, by=BY, patient="P-1", shift_dates=False)
    found = pydicom.dcmread(io.BytesIO(written(image)))
    assert (found.pixel_array == ct.body(count=1)).all()
    assert (found.Modality, found.RescaleIntercept, found.SliceThickness) == ("CT", -1024, 5)
    assert list(found.ImagePositionPatient) == [-10, -12, 0]


def test_uids_are_mapped_alike_wherever_they_stand(image):
    protect(image, by=BY, patient="P-1", shift_dates=False)
    (reference,) = image.ReferencedImageSequence
    assert reference.ReferencedSOPInstanceUID == image.StudyInstanceUID == BY.uid("1.2.3.4")
    assert reference.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID


def test_the_file_says_what_was_done(image):
    protect(image, by=BY, patient="P-1", shift_dates=False)
    assert (image.PatientIdentityRemoved, image.LongitudinalTemporalInformationModified) == ("YES", "REMOVED")
    assert [each.CodeValue for each in image.DeidentificationMethodCodeSequence] == ["113100"]
    assert image.PatientID == image.PatientName != "SECRET-1"


def test_a_cleaned_description_is_kept_and_said(image):
    protect(image, by=BY, patient="P-1", description="arterial")
    assert image.SeriesDescription == "arterial"
    assert [each.CodeValue for each in image.DeidentificationMethodCodeSequence] == ["113100", "113105"]


def test_dates_are_shifted_alike_and_times_stay(image):
    protect(image, by=BY, patient="P-1", shift_dates=True)
    study, series = (datetime.strptime(str(image[name].value), "%Y%m%d") for name in ("StudyDate", "SeriesDate"))
    assert (series - study).days == 1
    assert study.year < 2024 or study < datetime(2024, 1, 31)
    assert image.StudyTime == "101112"
    assert str(image.AcquisitionDateTime) == f"{study:%Y%m%d}101112.5+0100"
    assert image["PatientBirthDate"].is_empty
    assert image.LongitudinalTemporalInformationModified == "MODIFIED"
    assert [each.CodeValue for each in image.DeidentificationMethodCodeSequence] == ["113100", "113107"]


@pytest.mark.parametrize("odd", ["31 Jan 24", "20241399", "20240131SECRET", "00010101"])
def test_a_misspelt_date_is_not_kept(image, odd):
    with tolerant():
        image.StudyDate = image.AcquisitionDateTime = odd
        image.StudyTime = "SECRET"
        protect(image, by=BY, patient="P-1", shift_dates=True)
    assert image["StudyDate"].is_empty
    assert image["AcquisitionDateTime"].is_empty
    assert image["StudyTime"].is_empty


def test_several_dates_are_all_shifted(image):
    image.DateOfLastCalibration, image.TimeOfLastCalibration = ["20240131", "20240201"], ["101112", "1013"]
    protect(image, by=BY, patient="P-1", shift_dates=True)
    first, second = (datetime.strptime(str(each), "%Y%m%d") for each in image.DateOfLastCalibration)
    assert (second - first).days == 1
    assert first.strftime("%Y%m%d") == image.StudyDate
    assert list(image.TimeOfLastCalibration) == ["101112", "1013"]
