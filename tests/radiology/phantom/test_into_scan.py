import hashlib
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from hepatica.cohort import SettingsError, SpecimenError
from hepatica.cohort.phantom import SUSPECTED
from hepatica.radiology.dicom.nifti import read_nifti
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import Volume, read_volume
from hepatica.radiology.phantom import PhantomSettings, lesions_into_scan, phantom_ct
from hepatica.radiology.phantom import into_scan as module
from hepatica.radiology.phantom.enhancement import PHASES

CONTROLS = replace(SUSPECTED, hcc_share=0)
ARTERIAL = PHASES.index("arterial")


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom patient stands for a real one: arterial series in `scan`, all four in `study.zip`, `liver.nii.gz`."""
    folder = tmp_path_factory.mktemp("patient")
    settings = PhantomSettings(matrix=128, slices=16)
    cohort = phantom_ct(folder / "cohort", patients=1, seed=1, difficulty=0, settings=settings, population=CONTROLS)
    study = cohort / "studies" / "0001.zip"
    with zipfile.ZipFile(study) as archive:
        names = [name for name in archive.namelist() if name.startswith(f"{ARTERIAL + 1}/")]
        archive.extractall(folder / "all", members=names)
    shutil.move(folder / "all" / f"{ARTERIAL + 1}", folder / "scan")
    shutil.copy(study, folder / "study.zip")
    shutil.copy(cohort / "masks" / "0001.nii.gz", folder / "liver.nii.gz")
    return folder


def make(patient: Path, folder: Path, **wishes: Any) -> Path:
    usual = {"kind": "hcc", "diameters_cm": [4.0], "phase": "arterial", "liver_mask": patient / "liver.nii.gz"}
    return lesions_into_scan(wishes.pop("study", patient / "scan"), folder, **(usual | wishes))


@pytest.fixture(scope="module")
def made(patient: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(patient, tmp_path_factory.mktemp("made") / "new")


def volume(folder: Path) -> Volume:
    (series,) = read_study(folder).axial()
    return read_volume(series)


def headers(folder: Path) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.iterdir())]


def test_the_series_has_the_scan_and_the_lesion(patient: Path, made: Path) -> None:
    before, after = volume(patient / "scan"), volume(made / "dicom")
    mask, geometry = read_nifti(made / "mask.nii.gz")
    assert after.geometry == before.geometry
    assert geometry.agrees(before.geometry)
    assert mask.dtype == np.uint8
    gained = after.values - before.values
    assert np.median(gained[mask == 2]) > 30
    assert not gained[mask == 0].all()
    assert (gained == 0).mean() > 0.95


def test_it_says_what_it_is(patient: Path, made: Path) -> None:
    for source, each in zip(reversed(headers(patient / "scan")), headers(made / "dicom"), strict=True):
        assert list(each.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
        assert "PHANTOM" in each.SeriesDescription
        assert "hcc, 4 cm; arterial phase; seed 0" in each.DerivationDescription
        assert each.QualityControlImage == "YES"
        assert each.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        for name in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "ConvolutionKernel", "KVP", "SeriesTime"):
            assert each[name] == source[name]
        assert each.ImagePositionPatient == source.ImagePositionPatient


def test_identifiers_are_new(patient: Path, made: Path) -> None:
    old, new = headers(patient / "scan"), headers(made / "dicom")
    assert len({each.SOPInstanceUID for each in new + old}) == 2 * len(old)
    assert len({each.SeriesInstanceUID for each in new}) == 1
    assert new[0].SeriesInstanceUID != old[0].SeriesInstanceUID
    assert all(each.file_meta.MediaStorageSOPInstanceUID == each.SOPInstanceUID for each in new)


def test_the_same_wish_gives_the_same_bytes_and_another_other_names(patient: Path, made: Path, tmp_path: Path) -> None:
    def digests(folder: Path) -> list[str]:
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()]

    assert digests(make(patient, tmp_path / "again")) == digests(made)
    other = headers(make(patient, tmp_path / "other", seed=1) / "dicom")[0]
    assert other.SeriesInstanceUID != headers(made / "dicom")[0].SeriesInstanceUID


def test_a_scan_stored_upside_down_and_without_names_is_written_as_it_lay(patient: Path, tmp_path: Path) -> None:
    """Columns run to the front, a padding value is told, identifiers are blank, types of elements are implicit."""
    turned = tmp_path / "turned"
    turned.mkdir()
    for number, each in enumerate(headers(patient / "scan")):
        each.ImageOrientationPatient = [1, 0, 0, 0, -1, 0]
        lowest = each.ImagePositionPatient[1] + each.PixelSpacing[0] * (each.Rows - 1)
        each.ImagePositionPatient = [each.ImagePositionPatient[0], lowest, each.ImagePositionPatient[2]]
        each.PixelData = each.pixel_array[::-1].tobytes()
        each.add_new("PixelPaddingValue", "US", 0)
        each.StudyInstanceUID, each.FrameOfReferenceUID = "", ""
        each.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        pydicom.dcmwrite(turned / f"{number}.dcm", each)
    new = make(patient, tmp_path / "new", study=turned) / "dicom"
    before, after = volume(patient / "scan"), volume(new)
    assert after.geometry.agrees(before.geometry)
    assert (after.values == before.values).mean() > 0.95
    first = headers(new)[0]
    assert first.StudyInstanceUID
    assert first.FrameOfReferenceUID
    assert "PixelPaddingValue" not in first


def test_one_of_several_series_is_to_be_chosen(patient: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="1 to 4"):
        make(patient, tmp_path / "new", study=patient / "study.zip")
    with pytest.raises(SettingsError, match="got series 5"):
        make(patient, tmp_path / "new", study=patient / "study.zip", series=5)
    assert not (tmp_path / "new").exists()
    made = make(patient, tmp_path / "new", study=patient / "study.zip", series=3)
    assert len(headers(made / "dicom")) == 16


def test_without_a_mask_the_liver_is_estimated(patient: Path, tmp_path: Path) -> None:
    mask, _ = read_nifti(make(patient, tmp_path / "new", liver_mask=None) / "mask.nii.gz")
    truth, _ = read_nifti(patient / "liver.nii.gz")
    assert (truth[mask == 2] > 0).mean() > 0.7


def test_a_scan_with_gaps_is_refused(patient: Path, tmp_path: Path) -> None:
    shutil.copytree(patient / "scan", tmp_path / "gaps")
    sorted((tmp_path / "gaps").iterdir())[5].unlink()
    with pytest.raises(SpecimenError, match="complete series"):
        make(patient, tmp_path / "new", study=tmp_path / "gaps")
    assert not (tmp_path / "new").exists()


def test_a_folder_with_files_is_left_alone(patient: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SettingsError, match="not empty"):
        make(patient, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_call_that_fails_half_way_leaves_nothing(
    patient: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(module, "write_nifti", full)
    with pytest.raises(OSError, match="no space"):
        make(patient, tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_an_empty_folder_may_be_given(patient: Path, tmp_path: Path) -> None:
    assert {path.name for path in make(patient, tmp_path).iterdir()} == {"dicom", "mask.nii.gz"}
