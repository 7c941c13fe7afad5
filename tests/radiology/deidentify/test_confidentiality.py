"""Confidentiality: table E.1-1 of PS3.15 applied, at every depth."""

import io
from datetime import datetime

import pydicom
import pytest
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

from hepatica.radiology.deidentify.confidentiality import ACTIONS, protect
from hepatica.radiology.deidentify.pseudonym import Pseudonyms
from hepatica.radiology.dicom.frames import tolerant

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
    protect(image, by=BY, shift_dates=False)
    content = written(image)
    assert b"SECRET" not in content
    assert b"1.2.3.4" not in content
    assert b"2024" not in content
    assert b"1960" not in content


def test_what_is_needed_to_read_the_image_stays(image, ct):
    protect(image, by=BY, shift_dates=False)
    found = pydicom.dcmread(io.BytesIO(written(image)))
    assert (found.pixel_array == ct.body(count=1)).all()
    assert (found.Modality, found.RescaleIntercept, found.SliceThickness) == ("CT", -1024, 5)
    assert list(found.ImagePositionPatient) == [-10, -12, 0]


def test_uids_are_mapped_alike_wherever_they_stand(image):
    protect(image, by=BY, shift_dates=False)
    (reference,) = image.ReferencedImageSequence
    assert reference.ReferencedSOPInstanceUID == image.StudyInstanceUID == BY.uid("1.2.3.4")
    assert reference.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID


def test_the_file_says_what_was_done(image):
    protect(image, by=BY, shift_dates=False)
    assert (image.PatientIdentityRemoved, image.LongitudinalTemporalInformationModified) == ("YES", "REMOVED")
    assert [each.CodeValue for each in image.DeidentificationMethodCodeSequence] == ["113100"]
    assert image.PatientID == image.PatientName != "SECRET-1"


def test_dates_are_shifted_alike_and_times_stay(image):
    protect(image, by=BY, shift_dates=True)
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
        protect(image, by=BY, shift_dates=True)
    assert image["StudyDate"].is_empty
    assert image["AcquisitionDateTime"].is_empty
    assert image["StudyTime"].is_empty


def test_several_dates_are_all_shifted(image):
    image.DateOfLastCalibration, image.TimeOfLastCalibration = ["20240131", "20240201"], ["101112", "1013"]
    protect(image, by=BY, shift_dates=True)
    first, second = (datetime.strptime(str(each), "%Y%m%d") for each in image.DateOfLastCalibration)
    assert (second - first).days == 1
    assert first.strftime("%Y%m%d") == image.StudyDate
    assert list(image.TimeOfLastCalibration) == ["101112", "1013"]
