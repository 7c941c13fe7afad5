"""Inspection: a frame of an ultrasound study is seen without what is printed on it."""

from pathlib import Path

import pytest

from hepatica.cohort import Specimen, SpecimenError
from hepatica.radiology.ultrasound.clips import find_clips
from hepatica.radiology.ultrasound.inspection import inspect


def specimen(path: Path) -> Specimen:
    return Specimen(patient_id="P", specimen_id="S", modality="ultrasound", path=path, row=2)


def test_the_first_image_is_seen_without_its_text(scanned: Path) -> None:
    study = scanned / "ultrasound" / "0001.zip"
    found, clip = inspect(specimen(study)), find_clips(study)[0].read()
    assert found.picture is not None
    assert found.picture.shape == (*clip.seen.shape, 3)
    outside = ~clip.seen
    outside[-120:, :160] = False  # where the scale bar is
    assert not found.picture[outside].any()
    assert found.picture[clip.seen].any()
    assert found.facts["images"] == str(len(find_clips(study)))
    assert found.doubts == ()


def test_a_file_that_is_no_ultrasound_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"no DICOM")
    with pytest.raises(SpecimenError):
        inspect(specimen(tmp_path / "a.dcm"))
