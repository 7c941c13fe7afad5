"""De-identify: whole studies, and everything that must not slip through."""

import subprocess
import zipfile
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGExtended12Bit,
    MediaStorageDirectoryStorage,
)

from hepatica.cohort.errors import RunError, SpecimenError
from hepatica.radiology.deidentify.deidentify import deidentify
from hepatica.radiology.dicom.series import read_study
from hepatica.radiology.dicom.volume import read_volume
from hepatica.radiology.phantom import PhantomSettings, phantom_ct


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.dcm"))


def test_a_cleaned_study_reads_as_before(ct, tmp_path):
    ct.write(SeriesInstanceUID="1.2.3.4.5")
    ct.write(ct.body() + 1, SeriesInstanceUID="1.2.3.4.7")
    done = deidentify(ct.folder, out=tmp_path / "out")
    assert (done.files, done.series, done.patients, dict(done.refused)) == (12, 2, 1, {})
    assert [len(files(each)) for each in sorted((tmp_path / "out").iterdir())] == [6, 6]
    study = read_study(tmp_path / "out")
    values = sorted((read_volume(each).values for each in study.series), key=np.max)
    assert np.array_equal(values[0], ct.body())
    assert np.array_equal(values[1], ct.body() + 1)


def test_nothing_identifies_in_content_or_names(ct, tmp_path):
    ct.write()
    deidentify(ct.folder, out=tmp_path / "out")
    for path in files(tmp_path / "out"):
        content = path.read_bytes() + str(path.relative_to(tmp_path)).encode()
        assert b"SECRET" not in content
        assert b"Secret" not in content
        assert b"1.2.3.4" not in content


@pytest.mark.parametrize(
    "spelt",
    [
        {"PatientID": " SECRET-1 "},
        {"PatientID": ""},
        {"PatientID": "", "PatientName": ""},
        {"IssuerOfPatientID": "SECRET hospital"},
        {"PatientBirthDate": ""},
    ],
)
def test_one_study_never_has_two_pseudonyms_or_shifts(ct, tmp_path, spelt):
    usual = {"PatientBirthDate": "19500101", "StudyDate": "20240131"}
    ct.write(**usual)
    ct.write(**usual | {"SeriesInstanceUID": "1.2.9"} | spelt)
    assert deidentify(ct.folder, out=tmp_path / "out", shift_dates=True).patients == 1
    cleaned = [pydicom.dcmread(path) for path in files(tmp_path / "out")]
    assert len({(each.PatientID, each.StudyDate, each.StudyInstanceUID) for each in cleaned}) == 1


def test_a_study_of_two_ids_is_refused(ct, tmp_path):
    ct.write()
    ct.write(PatientID="SECRET-2", SeriesInstanceUID="1.2.9")
    ct.write(PatientID="SECRET-3", StudyInstanceUID="1.7", SeriesInstanceUID="1.2.8")
    done = deidentify(ct.folder, out=tmp_path / "out")
    assert (done.files, done.patients) == (6, 1)
    assert dict(done.refused) == {"the files of its study name two patients by ID; correct the IDs, then repeat": 12}


def test_refused_and_flagged_files_are_named_beside_the_cleaned_ones(ct, tmp_path):
    ct.write()
    (ct.folder / "SECRET notes.txt").write_text("x")
    deidentify(ct.folder, out=tmp_path / "out")
    assert (
        tmp_path / "out_refused.csv"
    ).read_text() == "file,outcome,reason\nSECRET notes.txt,refused,not a DICOM file\n"
    assert {path.suffix for path in (tmp_path / "out").rglob("*") if path.is_file()} == {".dcm"}


def test_clean_descriptors_keep_the_phase_alone(ct, tmp_path):
    names = {"1.1": "SECRET arterielle Phase 3.0", "1.2": "SECRET 1.0"}
    for uid, name in names.items():
        ct.write(SeriesInstanceUID=uid, SeriesDescription=name)
    deidentify(ct.folder, out=tmp_path / "out", clean_descriptors=True)
    cleaned = [pydicom.dcmread(path) for path in files(tmp_path / "out")]
    assert {each.get("SeriesDescription") for each in cleaned} == {"arterial", None}
    assert [each.CodeValue for each in cleaned[0].DeidentificationMethodCodeSequence] == ["113100", "113105"]


def encoded(ct, kind):
    """The body in a coding that some decoders refuse: its pixels as they are to be read."""
    values = ct.body(count=3)
    for k, image in enumerate(values):
        dataset = ct.dataset(image, RescaleIntercept=0, ImagePositionPatient=[-10, -12, 5.0 * k])
        dataset.BitsStored, dataset.HighBit = (16, 15) if kind == "deflated" else (13, 12)
        if kind == "deflated":
            dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        elif kind == "signed JPEG 2000":  # its code stream says unsigned, as some scanners have it
            stored = (image.astype(np.int32) % (1 << 13)).astype(np.uint16)
            dataset.PixelData = encapsulate(
                [imagecodecs.jpeg2k_encode(stored, reversible=True, codecformat="j2k", bitspersample=13)]
            )
            dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
        else:
            dataset.PixelRepresentation, dataset.BitsStored, dataset.HighBit = 0, 12, 11
            dataset.RescaleIntercept = -1024
            stored = (image + 1024).astype(np.uint16)
            dataset.PixelData = encapsulate([imagecodecs.jpeg8_encode(stored, level=100, bitspersample=12)])
            dataset.file_meta.TransferSyntaxUID = JPEGExtended12Bit
        ct.save(dataset)
    return values


@pytest.mark.parametrize("kind", ["deflated", "signed JPEG 2000", "12 bit JPEG Extended"])
def test_what_can_be_predicted_on_can_be_cleaned_and_has_the_same_pixels(ct, tmp_path, kind):
    values = encoded(ct, kind)
    done = deidentify(ct.folder, out=tmp_path / "out")
    assert (done.files, dict(done.refused)) == (3, {})
    for folder in (ct.folder, tmp_path / "out"):
        (series,) = read_study(folder).series
        assert np.abs(read_volume(series).values - values).max() <= (2 if "Extended" in kind else 0)


def test_the_key_alone_links_two_calls(ct, tmp_path):
    ct.write()
    (tmp_path / "key").write_bytes(bytes(range(32)))
    names = []
    for name, key in (("a", tmp_path / "key"), ("b", tmp_path / "key"), ("c", None)):
        deidentify(ct.folder, out=tmp_path / name, key=key)
        names.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in files(tmp_path / name)})
    assert names[0] == names[1]
    assert not set(names[0]) & set(names[2])


def test_archives_and_single_files_are_read(ct, tmp_path):
    paths = ct.write()
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    assert deidentify(tmp_path / "study.zip", out=tmp_path / "a").files == 6
    assert deidentify(paths[0], out=tmp_path / "b").files == 1


def test_blank_uids_make_no_two_files_one(ct, tmp_path):
    ct.write(SOPInstanceUID="", SeriesInstanceUID="", StudyInstanceUID="")
    done = deidentify(ct.folder, out=tmp_path / "out")
    assert (done.files, len(files(tmp_path / "out"))) == (6, 6)


def test_files_without_any_uid_get_one(ct, tmp_path):
    dataset = ct.dataset(ct.body(count=1), SOPInstanceUID="")
    del dataset.file_meta.MediaStorageSOPInstanceUID
    ct.folder.mkdir()
    dataset.preamble = bytes(128)
    dataset.save_as(ct.folder / "a.dcm")
    assert deidentify(ct.folder, out=tmp_path / "out").files == 1
    assert pydicom.dcmread(files(tmp_path / "out")[0]).SOPInstanceUID.is_valid


def cut(path: Path, *, leave: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(leave * len(content))])


@pytest.mark.parametrize("leave", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("syntax", [None, JPEG2000Lossless])
def test_truncated_files_are_refused(ct, tmp_path, leave, syntax):
    cut(ct.write(syntax=syntax)[0], leave=leave)
    done = deidentify(ct.folder, out=tmp_path / "out")
    assert done.files == 5
    assert sum(done.refused.values()) == 1
    assert "SECRET" not in str(done)


def test_what_is_no_image_is_refused_with_its_reason(ct, tmp_path):
    ct.write()
    (ct.folder / "notes.txt").write_text("SECRET")
    report = ct.dataset(ct.body(count=1), Modality="SR", Rows=None, Columns=None)
    del report.PixelData
    ct.save(report)
    done = deidentify(ct.folder, out=tmp_path / "out")
    assert done.files == 6
    assert {reason[:11] for reason in done.refused} == {"not a DICOM", "not an imag"}


def test_a_dicomdir_is_refused(ct, tmp_path):
    ct.write()
    listed = ct.dataset(ct.body(count=1), SOPClassUID=MediaStorageDirectoryStorage, DirectoryRecordSequence=[])
    del listed.PixelData
    ct.save(listed).rename(ct.folder / "DICOMDIR")
    done = deidentify(ct.folder, out=tmp_path / "out")
    assert done.files == 6
    assert any("a DICOMDIR" in reason for reason in done.refused)


def with_text(ct):
    """A slice with a name in the pixels."""
    from PIL import Image, ImageDraw, ImageFont

    canvas = Image.new("1", (256, 256))
    ImageDraw.Draw(canvas).text((4, 4), "SECRET^NAME", fill=1, font=ImageFont.load_default(14))
    return np.where(np.asarray(canvas), 3000, 24).astype(np.uint16)


def test_text_in_the_pixels_is_refused_unless_asked_for(ct, tmp_path):
    ct.save(ct.dataset(with_text(ct), BurnedInAnnotation="NO"))
    done = deidentify(ct.folder, out=tmp_path / "a")
    assert (done.files, dict(done.flagged)) == (0, {})
    assert "possible text near the border" in str(done.refused)
    done = deidentify(ct.folder, out=tmp_path / "b", keep_flagged=True)
    assert (done.files, dict(done.refused)) == (1, {})
    assert "possible text near the border" in str(done.flagged)


def test_pixels_nobody_here_can_look_at_are_flagged(ct, tmp_path):
    dataset = ct.dataset(ct.body(count=1))
    dataset.PixelData = pydicom.encaps.encapsulate([b"video "])
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
    ct.save(dataset)
    assert "cannot be decoded here" in str(deidentify(ct.folder, out=tmp_path / "a").refused)


def test_a_full_folder_is_refused(ct, tmp_path):
    ct.write()
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(RunError, match="not empty"):
        deidentify(ct.folder, out=tmp_path)


def test_no_files_are_told(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecimenError, match="no file at all"):
        deidentify(tmp_path / "empty", out=tmp_path / "out")


def test_a_phantom_study_passes_whole(tmp_path):
    cohort = phantom_ct(tmp_path / "c", patients=1, seed=2, hospital="A", settings=PhantomSettings(matrix=64, slices=4))
    done = deidentify(cohort / "studies" / "0001.zip", out=tmp_path / "out")
    assert (done.files, done.series, dict(done.refused)) == (16, 4, {})


@pytest.mark.usefixtures("dciodvfy")
@pytest.mark.parametrize("shift_dates", [False, True])
def test_cleaned_files_are_as_valid_as_before(tmp_path, shift_dates):
    cohort = phantom_ct(tmp_path / "c", patients=1, seed=2, hospital="A", settings=PhantomSettings(matrix=64, slices=4))
    deidentify(cohort / "studies" / "0001.zip", out=tmp_path / "out", shift_dates=shift_dates)
    said = subprocess.run(["dciodvfy", files(tmp_path / "out")[0]], capture_output=True, text=True, check=False).stderr
    assert "CTImage" in said
    assert "Error" not in said


def test_real_ct_is_cleaned_and_reads_as_before(real, tmp_path):
    done = deidentify(real / "totalsegmentator/dicom", out=tmp_path / "out")
    assert (done.files, dict(done.refused)) == (20, {})
    (before,), (after,) = (read_study(each).series for each in (real / "totalsegmentator/dicom", tmp_path / "out"))
    assert after.geometry == before.geometry
    content = b"".join(path.read_bytes() for path in files(tmp_path / "out"))
    assert not [
        word for word in (b"Petersgraben", b"PETCT2", b"60064", b"20221208", b"1.3.12.2.1107.5.1.4") if word in content
    ]


def test_real_ultrasound_is_refused(real, tmp_path):
    done = deidentify(real / "pydicom", out=tmp_path / "out")
    assert sum(count for reason, count in done.refused.items() if "modality US" in reason) == 2
    assert not any(pydicom.dcmread(path).Modality == "US" for path in files(tmp_path / "out"))
