"""Clips: phantom and real ultrasound is decoded as pydicom does, its text masked, its times and spacing read."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.pixels import apply_color_lut, pixel_array
from pydicom.uid import UltrasoundMultiFrameImageStorage

from hepatica.cohort.errors import SpecimenError
from hepatica.radiology.deidentify.burned_in import text_like
from hepatica.radiology.dicom.scans import find_scans
from hepatica.radiology.ultrasound.clips import Clip, find_clips

REAL = Path("/work/shared/data/radiology/pydicom")


def real(name: str) -> Path:
    if not (REAL / name).exists():
        pytest.skip(f"{name} of the shared data is not here")
    return REAL / name


def read(path: Path) -> Clip:
    (clip,) = find_clips(path)
    return clip.read()


@pytest.fixture(scope="module")
def study(scanned: Path) -> Path:
    return scanned / "ultrasound" / "0001.zip"


def first_of(study: Path, folder: Path) -> pydicom.Dataset:
    with zipfile.ZipFile(study) as archive:
        archive.extract("0001.dcm", folder)
    return pydicom.dcmread(folder / "0001.dcm")


@pytest.mark.parametrize("name", ["US1_UNCR.dcm", "gdcm-US-ALOKA-16.dcm"])
def test_real_pixels_are_those_of_pydicom_where_tissue_is_shown(name: str) -> None:
    dataset = pydicom.dcmread(real(name))
    expected = pixel_array(real(name))
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        expected = (apply_color_lut(expected, dataset) >> 8).astype(np.uint8)
    clip = read(real(name))
    frame = clip.frames[0] if clip.frames.ndim == 4 else np.repeat(clip.frames[0][..., None], 3, axis=-1)
    np.testing.assert_array_equal(frame[clip.seen], expected[clip.seen])
    assert not frame[~clip.seen].any()
    assert 0.3 < clip.seen.mean() < 0.6


@pytest.mark.parametrize("name", ["US1_UNCR.dcm", "gdcm-US-ALOKA-16.dcm"])
def test_real_text_is_masked(name: str) -> None:
    clip, printed = read(real(name)), pixel_array(real(name))
    assert text_like(printed)
    assert not text_like(clip.frames[0])
    assert not clip.seen[:24].any()  # where the names of clinic and patient are
    assert not clip.seen[440:].any()


def test_real_kinds_and_spacing() -> None:
    assert (read(real("US1_UNCR.dcm")).kind, read(real("US1_UNCR.dcm")).mm) == ("colour", None)
    aloka = read(real("gdcm-US-ALOKA-16.dcm"))
    assert aloka.kind == "b-mode"
    assert aloka.mm == pytest.approx((0.3827, 0.3827), abs=1e-4)


def test_real_ct_is_no_ultrasound_and_ultrasound_is_no_ct_or_mr() -> None:
    with pytest.raises(SpecimenError, match="modality CT, not US"):
        find_clips(real("693_J2KR.dcm"))
    for kind in ("ct", "mr"):
        with pytest.raises(SpecimenError, match=f"modality US, not {kind.upper()}"):
            find_scans(real("US1_UNCR.dcm"), kind=kind)  # type: ignore[arg-type]


def test_phantom_text_is_masked_and_tissue_kept(study: Path, scanned: Path) -> None:
    for each in find_clips(study):
        clip = each.read()
        assert clip.kind == "b-mode"
        assert clip.frames.ndim == 3  # grey, though stored in colour
        rows = np.flatnonzero(clip.seen.any(axis=1))
        assert rows[0] >= 14  # the head of 0.08 x 180 rows has the name
        assert rows[-1] < 180 - 9  # the foot has the indices
        assert 0.3 < clip.seen.mean() < 0.5
        assert clip.mm == pytest.approx(find_clips(study)[0].regions[0].mm)


def test_text_over_the_tissue_is_masked(study: Path, tmp_path: Path) -> None:
    dataset = first_of(study, tmp_path)
    pixels = dataset.pixel_array.copy()
    picture = Image.fromarray(pixels)
    ImageDraw.Draw(picture).text((90, 90), "JOHN SMITH", fill=(255, 255, 255), font=ImageFont.load_default(size=12))
    written = (np.asarray(picture) != pixels).any(axis=-1)
    dataset.PixelData = np.asarray(picture).tobytes()
    dataset.save_as(tmp_path / "0001.dcm")
    clip = read(tmp_path / "0001.dcm")
    assert written.any()
    assert (clip.frames[0][written] > 0).mean() < 0.1
    assert clip.seen.mean() > 0.3


def test_several_patients_are_refused(scanned: Path, tmp_path: Path) -> None:
    for name in ("0001", "0002"):
        shutil.copy(scanned / "ultrasound" / f"{name}.zip", tmp_path)
    with pytest.raises(SpecimenError, match="2 patients in one study"):
        find_clips(tmp_path)


def cine(study: Path, folder: Path, **elements: object) -> Path:
    dataset = first_of(study, folder)
    dataset.SOPClassUID = UltrasoundMultiFrameImageStorage
    dataset.NumberOfFrames = 9
    dataset.PixelData = dataset.PixelData * 9
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.save_as(folder / "0001.dcm")
    return folder / "0001.dcm"


@pytest.mark.parametrize(
    ("elements", "seconds"),
    [
        ({"FrameTime": "50"}, 0.05 * np.arange(9)),
        ({"CineRate": 4}, 0.25 * np.arange(9)),
        ({"FrameTimeVector": [0, *[100] * 4, *[200] * 4]}, np.cumsum([0, *[0.1] * 4, *[0.2] * 4])),
        ({}, np.array([0.0, *[np.nan] * 8])),
    ],
)
def test_frames_have_their_times(study: Path, tmp_path: Path, elements: dict, seconds: np.ndarray) -> None:
    clip = read(cine(study, tmp_path, **elements))
    assert clip.kind == "cine"
    assert clip.frames.shape == (9, 180, 240)
    np.testing.assert_allclose(clip.file.seconds[1:], seconds[1:])


def test_pictures_are_images_of_unknown_spacing(study: Path, tmp_path: Path) -> None:
    Image.fromarray(first_of(study, tmp_path).pixel_array).save(tmp_path / "one.png")
    clip = read(tmp_path / "one.png")
    assert (clip.kind, clip.mm) == ("b-mode", None)
    assert 0.3 < clip.seen.mean() < 0.5


def test_a_screen_of_too_many_pixels_is_refused(study: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecimenError, match="not an ultrasound image"):
        find_clips(cine(study, tmp_path, NumberOfFrames=10**6))
