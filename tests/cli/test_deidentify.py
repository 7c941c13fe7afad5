from pathlib import Path

import numpy as np
import pytest
import typer
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from typer.testing import CliRunner

from hepatica.cli.deidentify import deidentify
from hepatica.cohort import SpecimenError

app = typer.Typer()
app.command()(deidentify)


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """One slice, one ultrasound image and a text file."""
    folder = tmp_path / "study"
    folder.mkdir()
    for modality in ("CT", "US"):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, generate_uid()
        dataset.PatientID, dataset.Modality = "SECRET", modality
        dataset.Rows = dataset.Columns = 8
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.PixelData = np.arange(64, dtype=np.uint16).tobytes()
        dataset.save_as(folder / f"SECRET_{modality}.dcm", enforce_file_format=True)
    (folder / "notes.txt").write_text("SECRET")
    return folder


def test_what_was_written_and_what_was_refused_is_told(study: Path, tmp_path: Path) -> None:
    told = run(study, "--out", tmp_path / "out")
    assert "1 files of 1 series and 1 patients" in told
    assert "refused: 1 files: text may be burned in: modality US" in told
    assert "refused: 1 files: not a DICOM file" in told
    assert "SECRET" not in told
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 1


def test_flagged_files_are_kept_when_asked_and_told(study: Path, tmp_path: Path) -> None:
    told = run(study, "--out", tmp_path / "out", "--keep-flagged", "--shift-dates")
    assert "2 files" in told
    assert "kept, inspect them: 1 files: modality US" in told


def test_nothing_written_is_an_error(study: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecimenError, match="no file was written"):
        run(study / "notes.txt", "--out", tmp_path / "out")


def test_the_same_key_gives_the_same_names(study: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(32))
    for name in ("a", "b"):
        run(study, "--out", tmp_path / name, "--key", tmp_path / "key")
    names = [sorted(path.name for path in (tmp_path / name).rglob("*.dcm")) for name in ("a", "b")]
    assert names[0] == names[1]


def test_help_says_what_it_does_not_do() -> None:
    shown = run("--help")
    assert "Pixels are not changed" in shown
