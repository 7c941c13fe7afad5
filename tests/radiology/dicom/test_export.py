"""Export: files of several patients in one folder or archive become a study each."""

import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from hepatica.radiology.dicom.export import by_patient


def slice_of(patient: str, study: str, place: Path) -> None:
    dataset = pydicom.Dataset()
    dataset.update({"PatientID": patient, "PatientName": patient, "StudyInstanceUID": study, "Modality": "CT"})
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
    dataset.Rows, dataset.Columns, dataset.PixelData = 2, 2, np.zeros(4, np.uint16).tobytes()
    dataset.BitsAllocated = 16
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    place.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(place, enforce_file_format=True)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    for number in range(4):  # a flat folder of two patients, as many archives hand out
        slice_of("AB"[number % 2], "12"[number % 2], tmp_path / f"out/{number}")
    slice_of("C", "3", tmp_path / "out/c/1.dcm")
    slice_of("C", "3", tmp_path / "out/c/deeper/2.dcm")
    return tmp_path / "out"


def test_a_mixed_folder_is_sorted_and_an_own_folder_is_given(export: Path, tmp_path: Path) -> None:
    found = {each.words[0]: each for each in by_patient(export, tmp_path / "into")}
    assert {*found} == {"A", "B", "C"}
    assert len({each.patient for each in found.values()}) == 3
    assert found["C"].path == export / "c"
    for name in "AB":
        files = sorted(found[name].path.iterdir())
        assert [pydicom.dcmread(each).PatientID for each in files] == [name, name]
        assert all(each.is_symlink() for each in files)
    assert not list((tmp_path / "into").rglob("*[A-C]*"))  # no name of a patient


def test_an_archive_of_several_patients_is_unpacked_and_one_of_one_is_given(export: Path, tmp_path: Path) -> None:
    (tmp_path / "zips").mkdir()
    with zipfile.ZipFile(tmp_path / "zips/many.zip", "w") as many:
        for path in (export / "0", export / "1", export / "2"):
            many.write(path, path.name)
    with zipfile.ZipFile(tmp_path / "zips/one.zip", "w") as one:
        one.write(export / "c/1.dcm", "1")
    found = {each.words[0]: each.path for each in by_patient(tmp_path / "zips", tmp_path / "into")}
    assert found["C"] == tmp_path / "zips/one.zip"
    assert [len(list(found[name].iterdir())) for name in "AB"] == [2, 1]


def test_an_archive_without_an_image_is_not_passed_over(export: Path, tmp_path: Path) -> None:
    (export / "cut.zip").write_bytes(b"PK\x03\x04 and no more")
    (export / "letters.xlsx").write_bytes(b"PK\x03\x04 and no more")  # a workbook is a zip too, and no study
    with zipfile.ZipFile(export / "texts.zip", "w") as texts:
        texts.writestr("letter.txt", "no image")
    found = by_patient(export, tmp_path / "into")
    assert [each.path.name for each in found if not each.modality] == ["cut.zip", "texts.zip"]
    assert {each.words[0] for each in found if each.modality} == {"A", "B", "C"}
